public import DaunceEnsemble
public import DaunceMPI
package import DaunceNetworks
public import DaunceObservations
import DaunceState
import DaunceNumerics

/// The agents as an ensemble update: every member's policy turns the base forecast and the observations into its
/// analysis. With `base: analysis` a filter's update comes first, and agents correct it. One reduction or gather a cycle assembles what they see of the ensemble, none with `inputs: member`.
public final class AgentUpdate: EnsembleUpdate {
  private let runner: PolicyRunner
  private let agents: [Agent]
  /// Of few cells, several members' at once; else none.
  private let bundles: [SideBySide]
  private let tile: Activations
  private let anchors: Workspace<Double>
  private let actions: Workspace<Double>
  /// The last three analyses of every local member, newest first: persistence-based agents see their differences.
  private let past: [[Workspace<Double>]]
  private var started = false
  /// With `base: analysis`, what agents correct the work of.
  private let filter: (any EnsembleUpdate)?
  /// The full model with that filter.
  private let analysisBase: (any AnalysisBase)?
  private let seed: UInt64
  /// Told of every evaluated policy before it acts: the local member, the tile with inputs and outputs, and what
  /// increments are added to (`[control][cell]`).
  package var observer: ((_ member: Int, _ tile: Activations, _ anchors: UnsafePointer<Double>) -> Void)?

  /// - Parameters:
  ///   - agents: of the local members, in their order.
  ///   - base: the same base forecast that the agents were trained with.
  ///   - seed: keys the draws, and with `base: analysis` model noise and filter.
  /// - Throws: what the making of that filter throws.
  public init(
    agents: [Agent], settings: AgentSettings, base: any BaseForecast, distribution: Distribution,
    communicator: Communicator, seed: UInt64
  ) throws {
    precondition(agents.count == distribution.local.count)
    self.agents = agents
    runner = PolicyRunner(
      settings: settings, base: base, distribution: distribution, communicator: communicator, seed: seed,
      sequences: 1, rankPersistence: settings.rankPersistence ?? 0)
    bundles = SideBySide.bundles(of: agents, runner: runner)
    tile = Activations(network: agents[0].policy, vectors: runner.vectors)
    anchors = Workspace(repeating: 0, count: runner.actionCount)
    actions = Workspace(repeating: 0, count: runner.actionCount)
    analysisBase = settings.base == .analysis ? base as? any AnalysisBase : nil
    filter = try analysisBase?.makeFilter(seed: seed)
    self.seed = seed
    past = agents.map { _ in (0..<3).map { _ in Workspace(repeating: 0, count: base.layout.count) } }
  }

  /// What the agents' inputs are; told at the next update.
  package var catalogue: InputCatalogue? {
    get { runner.catalogue }
    set { runner.catalogue = newValue }
  }

  /// Carries the local members to the observation time of `cycle`: the base forecast of these agents, or the full
  /// model's whose analysis they correct.
  ///
  /// - Throws: what the full model throws.
  public func forecast(_ ensemble: inout DistributedEnsemble, cycle: Int) throws {
    for (m, member) in ensemble.distribution.local.enumerated() {
      if let base = analysisBase {
        let noise = RandomStream(seed: seed, purpose: .forecastNoise, member: member, cycle: cycle)
        var state = ensemble.states[m].mutableSpan
        try base.forecast(&state, cycle: cycle, noise: noise)
      } else if runner.settings.base == .persistence {
        remember(ensemble.states[m], in: past[m])
      } else {
        var state = ensemble.states[m].mutableSpan
        try runner.base.advance(&state, cycle: cycle)
      }
    }
    started = true
  }

  /// Adds the local agents' last three analyses (`[layout.count]` each) to a snapshot: persistence-based agents see
  /// their differences.
  public func save(into snapshot: inout Snapshot) {
    snapshot.set("agents_started", started ? 1 : 0)
    for age in 0..<3 { snapshot.set("agents_past_\(age)", members: past.map { $0[age].values }) }
    filter?.save(into: &snapshot)
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
    try filter?.restore(from: snapshot)
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
  /// - Throws: `MPIError` from the reductions, and what the filter throws.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    runner.observed[0].take(observations)
    if let filter {
      try assembleMoments(of: &ensemble)
      runner.keepForecastMoments()
      try filter.update(&ensemble, observations: observations, cycle: cycle)
    }
    try assembleMoments(of: &ensemble)
    // Observers are shown a tile of one member.
    guard bundles.isEmpty || observer != nil else { return actTogether(on: &ensemble, cycle: cycle) }
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeMutableBufferPointer { state in
        guard let x = state.baseAddress else { return }
        act(on: x, agent: m, cycle: cycle)
      }
    }
  }

  /// Replaces the controls of all members' base forecasts, several members at once.
  private func actTogether(on ensemble: inout DistributedEnsemble, cycle: Int) {
    for bundle in bundles {
      for m in bundle.members {
        ensemble.states[m].withUnsafeBufferPointer { state in
          guard let x = state.baseAddress else { return }
          bundle.present(m, forecast: x, previous: past[m][1].start, beforePrevious: past[m][2].start, cycle: cycle)
        }
      }
      bundle.draw()
      for m in bundle.members {
        ensemble.states[m].withUnsafeMutableBufferPointer { state in
          if let x = state.baseAddress { bundle.apply(m, to: x) }
        }
      }
    }
  }

  /// Gives the runner mean and spread of the base forecast, where agents see them.
  private func assembleMoments(of ensemble: inout DistributedEnsemble) throws {
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeBufferPointer { state in
        if let x = state.baseAddress { runner.present(x, member: m, sequence: 0) }
      }
    }
    guard runner.settings.seesEnsemble else { return }
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try runner.assembleMoments()
    ensemble.clock?.enter(.update)
  }

  /// Replaces the controls of one member's base forecast by its policy's draw.
  private func act(on x: UnsafeMutablePointer<Double>, agent m: Int, cycle: Int) {
    runner.evaluate(
      agents[m].policy, tile: tile, forecast: x, previous: past[m][1].start, beforePrevious: past[m][2].start,
      time: cycle, sequence: 0, isNextMember: m > 0)
    runner.anchors(anchors.start, forecast: x, sequence: 0)
    observer?(m, tile, anchors.start)
    runner.draw(
      actions.start, anchors: anchors.start, tile: tile, purpose: .policyDraw, member: m, cycle: cycle,
      sequence: 0)
    runner.apply(actions.start, to: x)
  }
}
