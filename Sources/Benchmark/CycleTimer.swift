import DaunceEnsemble
import DaunceExperiment
import DaunceMPI
import DaunceSettings
import DaunceState

/// Runs methods over one truth and measures their cycles: the parts, each for itself, and then whole cycles as `run`
/// does them.
final class CycleTimer {
  private let context: ExperimentContext
  private let truth: Trajectory
  private let output: OutputFolder
  /// Heap allocations of this process so far, where the program that measures can count them.
  private let allocations: (() -> Int)?
  private let clock = PhaseClock()
  /// Sums over ranks, for one cycle.
  private var sums = [Double](repeating: 0, count: PhaseClock.Phase.allCases.count)

  init(_ context: ExperimentContext, truth: Trajectory, output: OutputFolder, allocations: (() -> Int)?) {
    self.context = context
    self.truth = truth
    self.output = output
    self.allocations = allocations
  }

  /// Measures the cycles after the first `skipping`, `limit` of them at most. Collective.
  ///
  /// - Parameter repeats: how often the whole cycles are run; the fastest counts.
  /// - Returns: `nil` if the method fails within these cycles.
  func measure(
    _ method: AssimilationMethod, skipping: Int, limit: Int = .max, repeats: Int
  ) throws -> CycleMeasurement? {
    let cycles = min(truth.cycles - skipping, limit)
    guard var measurement = try parts(method, skipping: skipping, cycles: cycles) else { return nil }
    for _ in 0..<repeats {
      guard let run = try whole(method, skipping: skipping, cycles: cycles) else { return nil }
      if run.seconds < measurement.whole?.seconds ?? .infinity { measurement.whole = run }
    }
    return measurement
  }

  /// Wall seconds of every part, and what is sent.
  ///
  /// The analyses go the way that `run` sends them, to a file that is begun in memory and never completed: what a disk
  /// does at the end of a run is no part of a cycle.
  private func parts(_ method: AssimilationMethod, skipping: Int, cycles: Int) throws -> CycleMeasurement? {
    let world = context.communicator
    var ensemble = try context.makeInitialEnsemble(around: truth.initial(context.layout), seed: truth.seed)
    ensemble.clock = clock
    let summary = AnalysisSummary(context)
    let recorder = try world.collectively {
      world.isRoot
        ? try AnalysisRecorder(
          context, path: output.path("benchmark-\(method.name).nc"), times: context.times(cycles: skipping + cycles),
          seeds: nil, output: output, title: "analyses by \(method.name)") : nil
    }
    var measurement = CycleMeasurement()
    context.progress.begin(method.name, total: skipping + cycles)
    defer { context.progress.end() }
    for cycle in 1...skipping + cycles {
      clock.reset()
      // All ranks start together, or one that is late from the cycle before would make others wait in this one.
      try world.barrier(isCounted: false)
      let start = world.traffic
      if let broken = try method.cycle(&ensemble, observations: truth.observations[cycle - 1], number: cycle) {
        throw broken
      }
      let analysed = world.traffic
      let isSound = context.isSound(ensemble)
      try clock.enter(collective: .reduction, on: world)
      if try world.anyRank(!isSound) { return nil }
      clock.stop()
      let voted = world.traffic
      let analysis = clock.seconds
      try summary.summarise(ensemble)
      try recorder?.add(summary)
      clock.stop()
      let written = world.traffic
      try add(analysis)
      if cycle > skipping {
        measurement.parts.append(sums)
        measurement.analysis += analysed - start
        measurement.vote += voted - analysed
        measurement.output += written - voted
      }
      context.progress.advance(to: cycle)
    }
    return try shared(measurement)
  }

  /// Means over ranks of the times of forecast and analysis, `analysis`, and the times of rank 0 after them, its
  /// waiting for the others' diagnosis too: it is the one that writes.
  private func add(_ analysis: [Double]) throws {
    let share = 1 / Double(context.communicator.size)
    for phase in PhaseClock.Phase.allCases {
      let (before, after) = (analysis[phase.rawValue], clock.seconds[phase.rawValue])
      switch phase {
      case .diagnosis, .output: sums[phase.rawValue] = context.communicator.isRoot ? after : 0
      case .forecast, .reduction, .update: sums[phase.rawValue] = before * share
      case .waiting: sums[phase.rawValue] = before * share + (context.communicator.isRoot ? after - before : 0)
      }
    }
    try context.communicator.allreduce(&sums, .sum)
  }

  /// With the bytes of all ranks.
  private func shared(_ measurement: CycleMeasurement) throws -> CycleMeasurement {
    var measurement = measurement
    for part in [\CycleMeasurement.analysis, \.vote, \.output] {
      let bytes = try context.communicator.allreduce(Int64(measurement[keyPath: part].bytes), .sum)
      measurement[keyPath: part].bytes = Int(bytes)
    }
    return measurement
  }

  /// The cycles as they are without a clock: forecast, analysis and the vote whether a member failed.
  private func whole(
    _ method: AssimilationMethod, skipping: Int, cycles: Int
  ) throws -> CycleMeasurement.Whole? {
    var ensemble = try context.makeInitialEnsemble(around: truth.initial(context.layout), seed: truth.seed)
    var start = Usage.now
    var allocated = 0
    for cycle in 1...skipping + cycles {
      if cycle == skipping + 1 {
        try context.communicator.barrier(isCounted: false)
        allocated = allocations?() ?? 0
        start = Usage.now
      }
      if let broken = try method.cycle(&ensemble, observations: truth.observations[cycle - 1], number: cycle) {
        throw broken
      }
      if try context.communicator.anyRank(!context.isSound(ensemble)) { return nil }
    }
    let used = Usage.now - start
    allocated = (allocations?() ?? 0) - allocated
    var totals = [used.processor, used.user, Double(allocated)]
    try context.communicator.allreduce(&totals, .sum)
    return CycleMeasurement.Whole(
      cycles: cycles, seconds: try context.communicator.allreduce(used.wall, .max), processorSeconds: totals[0],
      userSeconds: totals[1], allocations: allocations == nil ? nil : Int(totals[2]))
  }
}

/// What was measured of one method's cycles.
struct CycleMeasurement {
  /// Whole cycles, without a clock in them.
  struct Whole {
    let cycles: Int
    /// Wall seconds of all cycles, on the slowest rank.
    let seconds: Double
    /// Seconds of processors in all cycles, summed over ranks: all, and those outside the system. They contain what
    /// ranks do while they wait.
    let processorSeconds: Double
    let userSeconds: Double
    /// Heap allocations of all ranks in all cycles; `nil` if they were not counted.
    let allocations: Int?
  }

  /// Wall seconds of every part of every cycle (`[cycle][phase]`): means over ranks, and rank 0's of diagnosis and
  /// output.
  var parts: [[Double]] = []
  /// Collectives of the cycles' parts, and the bytes that all ranks put into them.
  var analysis = Traffic()
  var vote = Traffic()
  var output = Traffic()
  var whole: Whole?
}
