import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceObservations
import DaunceState

/// The filters whose analyses agents correct, one for every sequence of a rollout.
final class RolloutFilters {
  private let runner: PolicyRunner
  private let base: any AnalysisBase
  private let filters: [any EnsembleUpdate]
  /// One sequence's members on their way through its filter.
  private var ensemble: DistributedEnsemble
  private let seed: UInt64
  private let tag: Int

  /// `nil` where agents correct no analysis.
  init?(_ runner: PolicyRunner, seed: UInt64, tag: Int) throws {
    guard runner.settings.base == .analysis else { return nil }
    guard let base = runner.base as? any AnalysisBase else {
      preconditionFailure("agents that correct an analysis need a base that makes one")
    }
    (self.runner, self.base, self.seed, self.tag) = (runner, base, seed, tag)
    let stream = RandomStream(seed: seed, purpose: .rolloutForecast, cycle: tag << 20)
    filters = try (0..<runner.sequences).map { s in
      let words = stream.words(at: s)
      return try base.makeFilter(seed: UInt64(words.x) << 32 | UInt64(words.y))
    }
    ensemble = DistributedEnsemble(
      layout: runner.layout, distribution: runner.distribution, communicator: runner.communicator)
  }

  /// Carries every member of every sequence by the full model, and updates every sequence by its filter. Collective.
  ///
  /// Leaves forecast moments and analyses with the runner, whose `assembleMoments` is next.
  ///
  /// - Parameters:
  ///   - states: of every local member, `[sequence][layout.count]`.
  ///   - step: number of the rollout's step, which keys random streams.
  ///   - times: of every sequence, in observation times since the start of its truth.
  ///   - observations: of a sequence.
  /// - Throws: what model and filters throw, on all ranks.
  func advance(
    _ states: [Workspace<Double>], step: Int, times: [Int], observations: (_ sequence: Int) -> ObservationSet
  ) throws {
    let count = runner.layout.count
    try runner.communicator.collectively {
      for (m, member) in runner.distribution.local.enumerated() {
        for (s, time) in times.enumerated() {
          let x = states[m].start + s * count
          var state = MutableSpan(_unsafeStart: x, count: count)
          let noise = RandomStream(
            seed: seed, purpose: .rolloutForecast, member: member + runner.distribution.members * (s + 1),
            cycle: tag << 20 + step)
          try base.forecast(&state, cycle: time, noise: noise)
          runner.present(x, member: m, sequence: s)
        }
      }
    }
    try runner.assembleMoments()
    runner.keepForecastMoments()
    for s in times.indices {
      // One that has left the plausible range starts again before the next step; its filter is spared.
      guard runner.isPlausible(sequence: s) else { continue }
      for m in states.indices { ensemble.states[m].withUnsafeMutableBufferPointer { copy(states[m].start + s * count, to: $0) } }
      try filters[s].update(&ensemble, observations: observations(s), cycle: tag << 20 + step)
      for m in states.indices {
        let x = states[m].start + s * count
        ensemble.states[m].withUnsafeBufferPointer { if let own = $0.baseAddress { x.update(from: own, count: count) } }
        runner.present(x, member: m, sequence: s)
      }
    }
  }

  private func copy(_ x: UnsafePointer<Double>, to own: UnsafeMutableBufferPointer<Double>) {
    own.baseAddress?.update(from: x, count: own.count)
  }
}
