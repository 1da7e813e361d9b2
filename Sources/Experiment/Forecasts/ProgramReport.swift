import DaunceMPI
import DaunceModels
import Foundation

/// What programs took that made a method's forecasts, told when it is done.
struct ProgramReport {
  private let context: ExperimentContext
  private let model: any SideBySideModel

  /// Begins to count; `nil` for a model that runs no programs.
  init?(_ context: ExperimentContext) {
    guard let model = context.model as? any SideBySideModel else { return nil }
    (self.context, self.model) = (context, model)
    _ = model.takeUsage()
  }

  /// Tells what was counted since. Collective.
  func tell(_ name: String) throws {
    let communicator = context.communicator
    let usage = model.takeUsage()
    var sums = [Double(usage.count), usage.coreSeconds, Double(usage.cores) / Double(Environment.localRanks)]
    try communicator.allreduce(&sums, .sum)
    var longest = [usage.slowest, usage.seconds]
    try communicator.allreduce(&longest, .max)
    // The lowest rank that has it.
    let candidate = usage.slowest == longest[0] ? Double(communicator.rank) : .infinity
    let owner = try communicator.allreduce(candidate, .min)
    let slowest = try communicator.broadcast(usage.slowestName, root: Int(owner))
    guard sums[0] > 0 else { return }
    let idle = max(0, 1 - sums[1] / max(sums[2] * longest[1], 1e-9))
    context.progress.note(
      String(
        format: "%@: %d forecasts by programs, %@ in the mean, the slowest %@ (%@); cores were idle for %.0f %% of %@", name,
        Int(sums[0]), Self.text(sums[1] / sums[0] / Double(context.configuration.model.cores)), Self.text(longest[0]), slowest,
        100 * idle, Self.text(longest[1])))
  }

  private static func text(_ seconds: Double) -> String {
    seconds < 1 ? String(format: "%.3g ms", 1000 * seconds) : String(format: "%.3g s", seconds)
  }
}
