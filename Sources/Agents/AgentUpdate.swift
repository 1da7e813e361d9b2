public import DaunceEnsemble
public import DaunceMPI
public import DaunceObservations
import DaunceState
import DaunceNumerics

/// The agents as an ensemble update: every member's policy turns the base forecast and the observations into its
/// analysis. One reduction or gather a cycle assembles what they see of the ensemble, none with `inputs: member`.
public final class AgentUpdate: EnsembleUpdate {
  private let runner: PolicyRunner
  private let agents: [Agent]
  private let tile: Activations
  private let anchors: Workspace<Double>
  private let actions: Workspace<Double>
  /// The last three analyses of every local member, newest first: persistence-based agents see their differences.
  private let past: [[Workspace<Double>]]
  private var started = false

  /// - Parameters:
  ///   - agents: of the local members, in their order.
  ///   - base: the same base forecast that the agents were trained with.
  ///   - seed: keys the draws.
  public init(
    agents: [Agent], settings: AgentSettings, base: any BaseForecast, distribution: Distribution,
    communicator: Communicator, seed: UInt64
  ) {
    precondition(agents.count == distribution.local.count)
    self.agents = agents
    runner = PolicyRunner(
      settings: settings, base: base, distribution: distribution, communicator: communicator, seed: seed,
      sequences: 1, rankPersistence: settings.rankPersistence ?? 0)
    tile = Activations(network: agents[0].policy, vectors: runner.vectors)
    anchors = Workspace(repeating: 0, count: runner.actionCount)
    actions = Workspace(repeating: 0, count: runner.actionCount)
    past = agents.map { _ in (0..<3).map { _ in Workspace(repeating: 0, count: base.layout.count) } }
  }

  /// Carries the local members to the next observation time: the base forecast of these agents.
  public func forecast(_ ensemble: inout DistributedEnsemble) {
    for m in ensemble.states.indices {
      if runner.settings.base == .persistence {
        remember(ensemble.states[m], in: past[m])
      } else {
        var state = ensemble.states[m].mutableSpan
        runner.base.advance(&state)
      }
    }
    started = true
  }

  /// Adds the local agents' last three analyses (`[layout.count]` each) to a snapshot: persistence-based agents see
  /// their differences.
  public func save(into snapshot: inout Snapshot) {
    snapshot.set("agents_started", started ? 1 : 0)
    for age in 0..<3 { snapshot.set("agents_past_\(age)", members: past.map { $0[age].values }) }
  }

  /// Takes them back.
  ///
  /// - Throws: `SnapshotError` when they are missing or of another size.
  public func restore(from snapshot: Snapshot) throws {
    started = try snapshot.integer("agents_started") == 1
    for age in 0..<3 {
      let saved: [[Double]] = try snapshot.memberValues("agents_past_\(age)", count: past[0][age].count)
      for m in past.indices { past[m][age].copy(from: saved[m]) }
    }
  }

  private func remember(_ state: [Double], in past: [Workspace<Double>]) {
    state.withUnsafeBufferPointer { state in
      guard let x = state.baseAddress else { return }
      if started {
        past[2].copy(from: past[1].start)
        past[1].copy(from: past[0].start)
      } else {
        past[2].copy(from: x)
        past[1].copy(from: x)
      }
      past[0].copy(from: x)
    }
  }

  /// Replaces the controls of every local member's base forecast by its policy's draw; see `EnsembleUpdate`.
  ///
  /// - Throws: `MPIError` from the one reduction.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    runner.observed[0].take(observations)
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeBufferPointer { state in
        if let x = state.baseAddress { runner.present(x, member: m, sequence: 0) }
      }
    }
    if runner.settings.seesEnsemble {
      try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
      try runner.assembleMoments()
      ensemble.clock?.enter(.update)
    }
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeMutableBufferPointer { state in
        guard let x = state.baseAddress else { return }
        act(on: x, agent: m, cycle: cycle)
      }
    }
  }

  /// Replaces the controls of one member's base forecast by its policy's draw.
  private func act(on x: UnsafeMutablePointer<Double>, agent m: Int, cycle: Int) {
    runner.evaluate(
      agents[m].policy, tile: tile, forecast: x, previous: past[m][1].start, beforePrevious: past[m][2].start,
      time: cycle, sequence: 0)
    runner.anchors(anchors.start, forecast: x, sequence: 0)
    runner.draw(
      actions.start, anchors: anchors.start, tile: tile, purpose: .policyDraw, member: m, cycle: cycle,
      sequence: 0)
    runner.apply(actions.start, to: x)
  }
}
