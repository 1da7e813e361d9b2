import DaunceEnsemble
import DaunceNumerics
import DaunceState

/// Closed-loop runs of all agents side by side: `sequences` ensembles that start from the reference filter's states
/// somewhere in the training truths and go on under the agents' own actions.
///
/// With `inputs: ensemble` or `covariances` all members of a sequence stand at the same time of the same truth. A
/// sequence that leaves
/// the plausible range or reaches the end of its truth starts again elsewhere.
final class Rollout {
  let data: TrainingData
  let runner: PolicyRunner
  let sequences: Int
  /// Keys everything random in this rollout, apart from other rollouts of the training.
  private let tag: Int
  private let seed: UInt64
  private let missingFraction: Double
  /// Of every local member, newest first: present state, and one and two times ago, each `[sequence][layout.count]`.
  private let past: [[Workspace<Double>]]
  /// Base forecast of every local member, `[sequence][layout.count]`.
  private let forecasts: [Workspace<Double>]
  /// Where each sequence of each local member stands: `[member][sequence]`.
  private var places: [[Place]]
  private var restarts: [[Int]]
  private var step = 0
  /// Observation times after which a sequence starts again from the reference filter's state at a new random time: 1
  /// samples the reference filter's own states, more is a closed loop.
  private let episode: Int
  /// With `base: analysis`, the filters of all sequences.
  private let filters: RolloutFilters?

  /// - Throws: what the making of filters throws.
  init(
    data: TrainingData, runner: PolicyRunner, seed: UInt64, tag: Int, missingFraction: Double,
    episode: Int = .max
  ) throws {
    self.data = data
    self.episode = episode
    self.runner = runner
    self.seed = seed
    self.tag = tag
    self.missingFraction = missingFraction
    sequences = runner.sequences
    let count = sequences * data.stateCount
    let members = runner.distribution.local.count
    past = (0..<members).map { _ in (0..<3).map { _ in Workspace(repeating: 0, count: count) } }
    forecasts = (0..<members).map { _ in Workspace(repeating: 0, count: count) }
    filters = try RolloutFilters(runner, seed: seed, tag: tag)
    places = (0..<members).map { _ in [Place](repeating: Place(), count: runner.sequences) }
    restarts = (0..<members).map { _ in [Int](repeating: 0, count: runner.sequences) }
    for m in 0..<members {
      for s in 0..<sequences { start(m, s) }
    }
  }

  /// Adds to a snapshot where every sequence stands, and the moments by which the next step judges them.
  func save(into snapshot: inout Snapshot) {
    snapshot.set("rollout_tag", tag)
    snapshot.set("rollout_step", step)
    snapshot.set("rollout_mean", runner.mean.values)
    snapshot.set("rollout_spread", runner.spread.values)
    for age in 0..<3 { snapshot.set("rollout_past_\(age)", members: past.map { $0[age].values }) }
    snapshot.set(
      "rollout_places", members: places.map { $0.flatMap { [Int64($0.truth), Int64($0.time), Int64($0.start)] } })
    snapshot.set("rollout_restarts", members: restarts.map { $0.map { Int64($0) } })
  }

  /// Goes on from where a rollout with the same tag stood.
  func restore(from snapshot: Snapshot) throws {
    step = try snapshot.integer("rollout_step")
    runner.mean.copy(from: try snapshot.values("rollout_mean", count: runner.mean.count))
    runner.spread.copy(from: try snapshot.values("rollout_spread", count: runner.spread.count))
    for age in 0..<3 {
      let saved: [[Double]] = try snapshot.memberValues("rollout_past_\(age)", count: sequences * data.stateCount)
      for m in past.indices { past[m][age].copy(from: saved[m]) }
    }
    let savedPlaces: [[Int64]] = try snapshot.memberValues("rollout_places", count: 3 * sequences)
    let savedRestarts: [[Int64]] = try snapshot.memberValues("rollout_restarts", count: sequences)
    for m in places.indices {
      for s in 0..<sequences {
        let numbers = savedPlaces[m][3 * s..<3 * s + 3].map { Int($0) }
        guard data.truths.indices.contains(numbers[0]), (0...data.cycles).contains(numbers[1]) else {
          throw SnapshotError(name: "rollout_places", found: "\(numbers)")
        }
        places[m][s] = Place(truth: numbers[0], time: numbers[1], start: numbers[2])
        restarts[m][s] = Int(savedRestarts[m][s])
      }
    }
  }

  /// A time of a truth, and the time at which the sequence started there.
  private struct Place {
    var truth = 0
    var time = 0
    var start = 0
  }

  private func isOver(_ place: Place) -> Bool {
    place.time >= data.cycles || place.time - place.start >= episode
  }

  /// Puts sequence `s` of local member `m` at a random time of a random truth. The choice does not depend on the
  /// member, so that all members agree.
  private func start(_ m: Int, _ s: Int) {
    let stream = RandomStream(seed: seed, purpose: .rolloutStart, member: tag, cycle: s)
    let truth = stream.integer(below: data.truths.count, at: 2 * restarts[m][s])
    // A history may end where the filter failed.
    let known = min(data.cycles, data.histories[m][truth].count / data.stateCount)
    let time = stream.integer(below: max(1, known - 1), at: 2 * restarts[m][s] + 1)
    restarts[m][s] += 1
    places[m][s] = Place(truth: truth, time: time, start: time)
    let count = data.stateCount
    data.histories[m][truth].withUnsafeBufferPointer { history in
      guard let x = history.baseAddress else { return }
      for age in 0..<3 {
        (past[m][age].start + s * count).update(from: x + max(0, time - age) * count, count: count)
      }
    }
  }

  /// One step of one member in one sequence, as `advance` hands it out.
  struct Step {
    let member: Int
    let sequence: Int
    /// Observation times since the start of the truth, this one included.
    let time: Int
    /// Whether the sequence started again just before this step.
    let isStart: Bool
    /// Whether the step before was another member's of the same sequence, which sees the same of the ensemble.
    let isNextMember: Bool
    /// Base forecast and, once drawn, the actions' state: `[layout.count]`.
    let state: UnsafeMutablePointer<Double>
    let previous: UnsafePointer<Double>
    let beforePrevious: UnsafePointer<Double>
    /// What the reward compares with, and the same one observation time ago, `[layout.count]`.
    let target: UnsafePointer<Double>
    let lastTarget: UnsafePointer<Double>
  }

  /// States of local member `m` after the last step, `[sequence][layout.count]`.
  func state(of m: Int) -> UnsafePointer<Double> { UnsafePointer(past[m][0].start) }

  /// Hands out what the members of a sequence are compared with after the last step (`[layout.count]`), where they
  /// stand together.
  func withTarget(sequence s: Int, _ body: (UnsafePointer<Double>) -> Void) {
    let place = places[0][s]
    data.truths[place.truth].withUnsafeBufferPointer { truth in
      if let start = truth.baseAddress { body(start + place.time * data.stateCount) }
    }
  }

  /// Carries every sequence of every local member to the next observation time. Collective where agents see the ensemble.
  ///
  /// - Parameter act: is given every member's step and has to write its actions into `state`.
  func advance(_ act: (Step) throws -> Void) throws {
    let isShared = runner.settings.seesEnsemble
    restartWhereNeeded()
    // Members that see the ensemble stand at the same time, and its regressions are on these observations.
    if isShared { for s in 0..<sequences { observe(places[0][s], sequence: s) } }
    for m in forecasts.indices { forecasts[m].copy(from: past[m][0].start) }
    if let filters {
      try filters.advance(forecasts, step: step, times: places[0].map { $0.time + 1 }) { s in
        data.observations[places[0][s].truth][places[0][s].time]
      }
    } else {
      try advanceMembers()
    }
    try runner.assembleMoments()
    // Members of a sequence one after the other, for much of what they see is the same.
    for s in 0..<sequences {
      for m in forecasts.indices { try take(m, s, act) }
    }
    for m in forecasts.indices {
      past[m][2].copy(from: past[m][1].start)
      past[m][1].copy(from: past[m][0].start)
      past[m][0].copy(from: forecasts[m].start)
    }
    step += 1
  }

  /// Lets local member `m` act in sequence `s`.
  private func take(_ m: Int, _ s: Int, _ act: (Step) throws -> Void) throws {
    let (place, count) = (places[m][s], data.stateCount)
    let isShared = runner.settings.seesEnsemble
    if !isShared { observe(place, sequence: s) }
    let target = runner.settings.target == .truth ? data.truths[place.truth] : data.histories[m][place.truth]
    try target.withUnsafeBufferPointer { target in
      guard let target = target.baseAddress else { return }
      try act(
        Step(
          member: m, sequence: s, time: place.time + 1, isStart: place.time == place.start,
          isNextMember: isShared && m > 0, state: forecasts[m].start + s * count, previous: past[m][1].start + s * count,
          beforePrevious: past[m][2].start + s * count, target: target + (place.time + 1) * count,
          lastTarget: target + place.time * count))
    }
    places[m][s].time += 1
  }

  /// Carries all members by the base forecast, each by itself.
  private func advanceMembers() throws {
    for m in forecasts.indices {
      for s in 0..<sequences {
        let x = forecasts[m].start + s * data.stateCount
        if runner.settings.base == .coarseStep {
          var state = MutableSpan(_unsafeStart: x, count: data.stateCount)
          try runner.base.advance(&state, cycle: places[m][s].time + 1)
        }
        runner.present(x, member: m, sequence: s)
      }
    }
  }

  /// Hands the runner the observations after a place, with gaps in a fraction of them.
  private func observe(_ place: Place, sequence s: Int) {
    runner.observed[s].take(data.observations[place.truth][place.time])
    // A filter has taken in all of them.
    guard filters == nil else { return }
    runner.observed[s].makeGaps(
      fraction: missingFraction,
      stream: RandomStream(seed: seed, purpose: .trainingOrder, member: tag << 16 + s, cycle: step))
  }

  private func restartWhereNeeded() {
    let shared = runner.settings.seesEnsemble
    for s in 0..<sequences {
      // Before the first step there are no moments yet.
      let ensembleLeft = shared && step > 0 && !runner.isPlausible(sequence: s)
      for m in places.indices
      where isOver(places[m][s]) || ensembleLeft || (!shared && isImplausible(m, s)) {
        start(m, s)
      }
    }
  }

  /// Whether a member's state is not finite or far outside its variables' range.
  private func isImplausible(_ m: Int, _ s: Int) -> Bool {
    let x = past[m][0].start + s * data.stateCount
    for (v, field) in runner.layout.fields.enumerated() {
      let limit = PolicyRunner.range * field.scale
      for i in runner.layout.range(v) where !(abs(x[i] - field.reference) < limit) { return true }
    }
    return false
  }
}
