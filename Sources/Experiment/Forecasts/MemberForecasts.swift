import DaunceEnsemble
import DaunceModels
import DaunceNumerics

/// Forecasts by the full model of the members held here: one after the other, or side by side where programs make them.
final class MemberForecasts {
  /// Of the members that were held here at the beginning.
  let models: ModelInstances
  let seed: UInt64
  private let context: ExperimentContext
  private let origin, steps: Int
  /// First member that was held here at the beginning.
  private let first: Int

  /// - Parameters:
  ///   - seed: of the truth: keys the model's noise.
  ///   - origin: time before the first cycle, in time steps.
  init(_ context: ExperimentContext, seed: UInt64, origin: Int) throws {
    (self.context, self.seed, self.origin) = (context, seed, origin)
    let local = context.distribution.local
    models = try ModelInstances(of: context.model, members: local) { context.progress.note($0) }
    steps = context.observing.stepsBetween
    first = local.lowerBound
  }

  /// The model of a member that was held here at the beginning, by its number.
  func model(of member: Int) -> any ForecastModel { models[member - first] }

  private func start(of cycle: Int) -> Int { origin + (cycle - 1) * steps }

  private func noise(_ member: Int, _ cycle: Int) -> RandomStream {
    RandomStream(seed: seed, purpose: .forecastNoise, member: member, cycle: cycle)
  }

  /// Carries the members held here over a cycle.
  ///
  /// - Throws: `ForecastFailure` of the first that fails.
  func carry(_ ensemble: inout DistributedEnsemble, cycle: Int) throws {
    for (m, member) in ensemble.localNumbers.enumerated() {
      if let failure = carry(member, &ensemble.states[m], cycle) { throw failure }
    }
  }

  /// Carries every member held here, whatever becomes of others; states of those that fail are as before.
  ///
  /// - Returns: what went wrong, and how often programs were run again, by the members' numbers.
  func carryAll(
    _ ensemble: inout DistributedEnsemble, cycle: Int
  ) -> (failures: [Int: ForecastFailure], retries: [Int: Int]) {
    var (failures, retries): ([Int: ForecastFailure], [Int: Int]) = ([:], [:])
    let members = Array(ensemble.localNumbers)
    guard let parallel = context.model as? any SideBySideModel else {
      for (m, member) in members.enumerated() {
        let before = ensemble.states[m]
        if let failure = carry(member, &ensemble.states[m], cycle) {
          failures[member] = failure
          ensemble.states[m] = before
        }
      }
      return (failures, retries)
    }
    var tasks: [ForecastTask] = []
    for (m, member) in members.enumerated() {
      guard let model = model(of: member) as? any InstancedModel else { continue }
      tasks.append(
        ForecastTask(model: model, start: start(of: cycle), steps: steps, noise: noise(member, cycle), state: ensemble.states[m]))
    }
    parallel.carry(&tasks)
    for (m, task) in tasks.enumerated() {
      if task.retries > 0 { retries[members[m]] = task.retries }
      if let cause = task.failure {
        failures[members[m]] = failure(members[m], cycle, cause)
      } else {
        ensemble.states[m] = task.state
      }
    }
    return (failures, retries)
  }

  private func carry(_ member: Int, _ state: inout [Double], _ cycle: Int) -> ForecastFailure? {
    do {
      var span = state.mutableSpan
      try model(of: member).forecast(&span, from: start(of: cycle), steps: steps, noise: noise(member, cycle))
      return nil
    } catch {
      return failure(member, cycle, error)
    }
  }

  private func failure(_ member: Int, _ cycle: Int, _ cause: any Error) -> ForecastFailure {
    ForecastFailure(trajectory: "member \(member), cycle \(cycle)", cause: cause)
  }
}
