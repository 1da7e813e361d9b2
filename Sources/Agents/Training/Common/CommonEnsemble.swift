import DaunceConstraints
import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics
import DaunceObservations
import DaunceState

/// One of the ensembles that the common policy learns from: it runs through one truth after another in closed loop, from
/// their first times on, every member under the same policy.
final class CommonEnsemble {
  private let task: TrainingCase
  private let settings: AgentSettings
  private let runner: PolicyRunner
  private let filter: any EnsembleUpdate
  private let likelihood: TargetLikelihood
  private let actions: Workspace<Double>
  private let bands: Int
  /// Of the last step, in units of the tolerance; 1, which moves no multiplier, where nothing was learned.
  private(set) var deviations: [Double]
  private var ensemble: DistributedEnsemble
  /// Number among all ensembles of the training, on all ranks.
  private let number: Int
  private let seed: UInt64
  private let tag: Int
  private var place = Place()
  /// Of the present run.
  private var observations: [ObservationSet] = []

  /// Where an ensemble stands.
  struct Place {
    var truth = 0
    /// Observation times that it has come through, and after which it starts again.
    var time = 0
    var end = 0
    /// How often it has started.
    var starts = 0
  }

  /// - Parameters:
  ///   - number: of this ensemble among those of all ranks, which keys its random streams.
  ///   - tag: of the training's stage, for the same.
  /// - Throws: what the making of filter and first members throws.
  init(
    _ task: TrainingCase, settings: AgentSettings, policy: Network, bands: [Band], tolerance: Double, number: Int,
    seed: UInt64, tag: Int
  ) throws {
    (self.task, self.settings, self.number, self.seed, self.tag) = (task, settings, number, seed, tag)
    let words = RandomStream(seed: seed, purpose: .rolloutForecast, cycle: tag << 20).words(at: number)
    let own = UInt64(words.x) << 32 | UInt64(words.y)
    runner = PolicyRunner(
      settings: settings, base: task.base, distribution: task.distribution, communicator: task.communicator, seed: own,
      sequences: 1, rankPersistence: 0)
    filter = try task.base.makeFilter(seed: own)
    likelihood = TargetLikelihood(runner, policy, bands: bands, tolerance: tolerance)
    self.bands = bands.count
    deviations = [Double](repeating: 0, count: bands.count)
    actions = Workspace(repeating: 0, count: runner.actionCount)
    ensemble = DistributedEnsemble(
      layout: task.base.layout, distribution: task.distribution, communicator: task.communicator)
    try start()
  }

  /// Puts the ensemble at the beginning of a random truth. The first run ends at a random time, so that not all start
  /// again together.
  private func start() throws {
    let stream = RandomStream(seed: seed, purpose: .rolloutStart, member: tag, cycle: number)
    let truth = stream.integer(below: task.truths.count, at: 2 * place.starts)
    let end = place.starts == 0 ? 1 + stream.integer(below: task.cycles, at: 1) : task.cycles
    place = Place(truth: truth, time: 0, end: end, starts: place.starts + 1)
    observations = task.observations(truth, place.starts)
    ensemble.states = try task.start(truth)
  }

  /// Carries the ensemble to the next observation time, adds the loss's derivative there to `sums`, and lets the policy
  /// act.
  ///
  /// - Parameters:
  ///   - step: number of the training's step, which keys the model's noise.
  ///   - weight: of the loss.
  /// - Returns: the weighted loss, 0 where the ensemble has left the plausible range and starts again.
  func advance(
    _ policy: Network, _ multipliers: [Multiplier], step: Int, weight: Float, into sums: GradientSums
  ) throws -> Double {
    for b in 0..<bands { deviations[b] = 1 }
    if place.time >= place.end { try start() }
    let observed = observations[place.time]
    place.time += 1
    runner.observed[0].take(observed)
    try forecast(step)
    guard runner.isPlausible(sequence: 0) else { return leave() }
    runner.keepForecastMoments()
    try filter.update(&ensemble, observations: observed, cycle: tag << 20 + step)
    present()
    try runner.assembleMoments()
    guard runner.isPlausible(sequence: 0) else { return leave() }
    return learn(policy, multipliers, step: step, weight: weight, into: sums)
  }

  private func leave() -> Double {
    place.end = place.time
    return 0
  }

  private func forecast(_ step: Int) throws {
    for m in ensemble.states.indices {
      let noise = RandomStream(
        seed: seed, purpose: .rolloutForecast, member: m + ExactSum.memberLimit * (number + 1), cycle: tag << 20 + step)
      try ensemble.states[m].withUnsafeMutableBufferPointer { x in
        var state = MutableSpan(_unsafeElements: x)
        try task.base.forecast(&state, cycle: place.time, noise: noise)
      }
    }
    present()
    try runner.assembleMoments()
  }

  private func present() {
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeBufferPointer { if let x = $0.baseAddress { runner.present(x, member: m, sequence: 0) } }
    }
  }

  /// Evaluates the policy for every member, or once where all of them see the same; the loss is that of one of them, by
  /// turns.
  private func learn(
    _ policy: Network, _ multipliers: [Multiplier], step: Int, weight: Float, into sums: GradientSums
  ) -> Double {
    var loss = 0.0
    let learner = settings.seesMembersAlike(runner.base) ? 0 : (step + number) % ensemble.states.count
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeMutableBufferPointer { state in
        guard let x = state.baseAddress else { return }
        if m == 0 || !settings.seesMembersAlike(runner.base) {
          likelihood.evaluate(
            policy, state: x, previous: x, beforePrevious: x, time: place.time, sequence: 0, isNextMember: m > 0)
        }
        if m == learner { loss = takeLoss(weight: weight) }
        runner.draw(
          actions.start, anchors: likelihood.anchors.start, tile: likelihood.tile, purpose: .rolloutNoise, member: m,
          cycle: tag << 20 + step, sequence: 0)
        runner.apply(actions.start, to: x)
        guard m == learner else { return }
        if bands > 0 {
          // A state's penalty beside the loss of all its actions.
          let share = Double(weight) * Double(runner.actionCount)
          _ = likelihood.addPenalty(multipliers, state: x, weight: share, deviations: &deviations)
        }
        likelihood.backward(policy, into: sums)
      }
    }
    return loss
  }

  private func takeLoss(weight: Float) -> Double {
    let count = runner.layout.count
    return task.truths[place.truth].withUnsafeBufferPointer { truth in
      guard let truth = truth.baseAddress else { return 0 }
      return likelihood.takeLoss(target: truth + place.time * count, weight: weight)
    }
  }

  /// Where the ensemble stands and its members, as numbers that all ranks can exchange.
  var saved: [Double] {
    [place.truth, place.time, place.end, place.starts].map(Double.init) + ensemble.states.flatMap { $0 }
  }

  /// Elements of `saved`.
  var savedCount: Int { 4 + ensemble.states.count * ensemble.layout.count }

  /// Goes on from where a saved ensemble stood.
  func restore(_ saved: ArraySlice<Double>) throws {
    let numbers = saved.prefix(4).map { Int($0) }
    guard task.truths.indices.contains(numbers[0]), (0...task.cycles).contains(numbers[1]) else {
      throw SnapshotError(name: "common_ensembles", found: "\(numbers)")
    }
    place = Place(truth: numbers[0], time: numbers[1], end: numbers[2], starts: numbers[3])
    observations = task.observations(place.truth, place.starts)
    let count = ensemble.layout.count
    for m in ensemble.states.indices {
      let first = saved.startIndex + 4 + m * count
      ensemble.states[m] = Array(saved[first..<first + count])
    }
  }
}

extension AgentSettings {
  /// Whether all members' agents see the same, so that a policy that they have in common says the same to all.
  func seesMembersAlike(_ base: any BaseForecast) -> Bool {
    self.base == .analysis && base.auxiliaryCount == 0 && seenBands.isEmpty && controls.count == base.layout.fields.count
  }
}
