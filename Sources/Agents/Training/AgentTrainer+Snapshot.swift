public import DaunceEnsemble
import DaunceNetworks

/// A training as a snapshot, from which it goes on to the same agents.
extension AgentTrainer {
  /// Where a training stands: the common training comes first, then the rounds of the warm start, PPO and the end.
  enum Round {
    static let common = 0
    /// A round of the warm start, from 0.
    static func warm(_ round: Int) -> Int { 1 + round }
    static let ppo = 1 << 20
    static let end = ppo + 1
  }

  /// The agents as they are before PPO's first iteration.
  public func snapshotBeforePPO() -> Snapshot { snapshot(round: Round.ppo, step: 0) }

  /// The agents at the end of the training.
  public func snapshotAtEnd() -> Snapshot { snapshot(round: Round.end, step: 0) }

  /// Whether a snapshot is of a training that came to its end.
  public static func isAtEnd(_ snapshot: Snapshot) throws -> Bool { try snapshot.integer("round") == Round.end }

  /// Goes on from a snapshot: call it before anything else, then the same stages as before.
  ///
  /// - Parameter report: of the training so far; it travels beside the snapshot.
  /// - Throws: `SnapshotError` when something is missing or of another size.
  public func restore(_ snapshot: Snapshot, report: TrainingReport) throws {
    for m in agents.indices {
      let (policy, value) = (agents[m].policy.parameters.count, agents[m].value.parameters.count)
      agents[m].policy.parameters = try snapshot.memberValues("policy", count: policy)[m]
      agents[m].value.parameters = try snapshot.memberValues("value", count: value)[m]
      agents[m].policyOptimiser = try optimiser("policy", in: snapshot, parameters: policy, member: m)
      agents[m].valueOptimiser = try optimiser("value", in: snapshot, parameters: value, member: m)
      let multipliers: [Double] = try snapshot.memberValues("multipliers", count: 3 * bands.count)[m]
      for b in bands.indices { agents[m].multipliers[b].state = Array(multipliers[3 * b..<3 * b + 3]) }
    }
    tags = try snapshot.integer("tags")
    settings.rankPersistence = try snapshot.values("rank_persistence", of: Double.self).first
    self.report = report
    firstRound = try snapshot.integer("round")
    saved = snapshot
  }

  private func optimiser(_ name: String, in snapshot: Snapshot, parameters: Int, member m: Int) throws -> Adam {
    var adam = Adam(parameters: parameters)
    adam.first = try snapshot.memberValues("\(name)_first", count: parameters)[m]
    adam.second = try snapshot.memberValues("\(name)_second", count: parameters)[m]
    adam.step = try snapshot.memberIntegers("\(name)_step")[m]
    return adam
  }

  /// The agents, and where the training stands.
  func snapshot(round: Int, step: Int) -> Snapshot {
    var snapshot = Snapshot()
    snapshot.set("round", round)
    snapshot.set("step", step)
    snapshot.set("tags", tags)
    snapshot.set("rank_persistence", settings.rankPersistence.map { [$0] } ?? [])
    snapshot.set("policy", members: agents.map(\.policy.parameters))
    snapshot.set("value", members: agents.map(\.value.parameters))
    for (name, optimiser) in [("policy", \Agent.policyOptimiser), ("value", \Agent.valueOptimiser)] {
      snapshot.set("\(name)_first", members: agents.map { $0[keyPath: optimiser].first })
      snapshot.set("\(name)_second", members: agents.map { $0[keyPath: optimiser].second })
      snapshot.set("\(name)_step", members: agents.map { $0[keyPath: optimiser].step })
    }
    snapshot.set("multipliers", members: agents.map { $0.multipliers.flatMap(\.state) })
    return snapshot
  }

  /// The snapshot to go on from in the middle of `round`, once; `nil` for a round that begins.
  ///
  /// - Parameter key: what a snapshot from the middle of that round has.
  func takeSaved(round: Int, key: String = "rollout_tag") -> Snapshot? {
    guard firstRound == round, let snapshot = saved, snapshot.shared[key] != nil else { return nil }
    saved = nil
    return snapshot
  }
}
