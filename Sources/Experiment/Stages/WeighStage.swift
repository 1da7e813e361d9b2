import DaunceAgents
public import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceNumerics
import DaunceState
public import Foundation

/// Importance weights of an ensemble of trained agents: a trained ensemble is a sample from a proposal, and its members are
/// worth
///
///     beta_i ~ p(truths | w_i) p(w_i) / q(w_i),
///
/// the likelihood of truths that no agent has seen, the prior that policies are initialised from, and the density of what
/// training makes: a normal law about where it ended, with the precision of the training's data and of the prior.
public struct WeighStage {
  let context: ExperimentContext
  let folder: URL

  /// - Parameters:
  ///   - context: of the experiment that the agents were trained in.
  ///   - folder: with the agents.
  public init(_ context: ExperimentContext, folder: URL) { (self.context, self.folder) = (context, folder) }

  /// What agents are weighed by.
  public struct Request: Sendable {
    /// Truths that the likelihood is of, held back from training and from scores, and cycles of each; all of them count.
    public var truths = 4
    public var cycles = 100
    /// Share of the agents that tempered weights leave, as their effective number.
    public var share = 0.5
    /// Gain of the prior's output layer; `nil`: the one that policies are initialised with.
    public var priorGain: Double?
    /// Folders for agents with equal weights: those that the tempered ones are transported to, and those that flow from where training
    /// has ended; `nil`: none.
    public var transported, flowed: URL?
    /// Steps of the flow.
    public var steps = 200

    /// The settings that the properties show.
    public init() {}

    var gain: Double { priorGain ?? PolicyEvidence.initialGain }
  }

  /// Writes weights.nc, and agents with equal weights where they are asked for. Collective.
  ///
  /// - Parameter path: of weights.nc.
  /// - Returns: a table, on rank 0 and elsewhere alike.
  public func run(_ request: Request, to path: String, provenance: Provenance) throws -> String {
    let trained = try AgentStore(context: context).load(from: folder)
    let recorded =
      request.flowed == nil
      ? [] : trained.agents.map { RecordedActions($0.policy, settings: trained.settings, layout: context.layout) }
    let evidence = try gather(trained, request, recorded)
    let members = context.distribution.members
    let logarithms = evidence.map { $0.likelihood + $0.prior - $0.proposal }
    var (proper, tempered) = (ParticleWeights(members: members), ParticleWeights(members: members))
    proper.take(logarithms: logarithms)
    let exponent = ParticleWeights.temper(logarithms, least: request.share * Double(members))
    tempered.take(logarithms: logarithms.map { exponent * $0 })
    let file = WeightsFile(
      logLikelihood: evidence.map(\.likelihood), logPrior: evidence.map(\.prior), logProposal: evidence.map(\.proposal),
      proper: proper.values, tempered: tempered.values, exponent: exponent, properSize: proper.effectiveSize,
      temperedSize: tempered.effectiveSize)
    try context.communicator.collectively {
      if context.communicator.isRoot {
        try file.write(to: path, provenance: provenance.titled("importance weights of agents"))
      }
    }
    if let folder = request.transported {
      let moved = try transport(trained, weights: tempered.values, request)
      try AgentStore(context: context).save(moved, in: folder, provenance: provenance)
    }
    if let folder = request.flowed {
      let moved = try flow(trained, recorded, request)
      try AgentStore(context: context).save(moved, in: folder, provenance: provenance)
    }
    return Self.table(file, actions: evidence[0].actions, truths: request.truths, cycles: request.cycles)
  }

  /// Of one agent.
  private struct Evidence {
    let likelihood, prior, proposal: Double
    let actions: Int
  }

  /// All agents' evidence, from closed loops over the held-back truths.
  private func gather(
    _ trained: TrainedAgents, _ request: Request, _ recorded: [RecordedActions]
  ) throws -> [Evidence] {
    let (truths, cycles) = (request.truths, request.cycles)
    let band = try context.bandOfAgents()
    let unseen = try HeldBackTruths(context, count: truths, cycles: cycles, bands: band.map { [$0] } ?? [])
    let cells = trained.settings.cells(in: context.layout)
    // Enough samples for the information's matrix, whatever the number of states.
    let vectors = truths * cycles * ((cells + 7) / 8)
    let collected = trained.agents.map {
      PolicyEvidence($0.policy, settings: trained.settings, layout: context.layout, every: max(1, vectors / 2000))
    }
    context.progress.begin("evidence", total: 1)
    let skill = try unseen.skill(of: trained, band: band) { m, tile, anchors, truth in
      collected[m].take(tile, anchors: anchors, truth: truth)
      if !recorded.isEmpty { recorded[m].take(tile, anchors: anchors, truth: truth) }
    }
    context.progress.end()
    guard skill != nil else {
      throw ExperimentError(.data, folder.path, found: "agents that fail on held-back truths", expected: "agents that last")
    }
    let own = collected.map { one in
      let densities = one.logDensities(trainedOn: cellsTrainedOn(trained.settings), gain: request.gain)
      return [one.logLikelihood, densities.prior, densities.proposal, Double(one.count)]
    }
    let gathered = GatheredEnsemble(width: 4, distribution: context.distribution, communicator: context.communicator)
    try gathered.gather(own)
    return (0..<context.distribution.members).map { m in
      let values = (0..<4).map { gathered.members[m * gathered.width + $0] }
      return Evidence(likelihood: values[0], prior: values[1], proposal: values[2], actions: Int(values[3]))
    }
  }

  /// Cells that agents were trained on, each in every state.
  func cellsTrainedOn(_ settings: AgentSettings) -> Int {
    let truths = context.configuration.truths
    return truths.training * truths.trainingCycles * settings.cells(in: context.layout)
  }

  private static func table(_ file: WeightsFile, actions: Int, truths: Int, cycles: Int) -> String {
    var lines = [
      "On \(truths) held-back truths of \(cycles) cycles, \(actions) actions of every agent; logarithms less the first agent's:",
      "member  likelihood       prior    proposal    weight  tempered",
    ]
    for m in file.proper.indices {
      lines.append(
        String(
          format: "%6d  %10.1f  %10.1f  %10.1f  %8.4f  %8.4f", m, file.logLikelihood[m] - file.logLikelihood[0],
          file.logPrior[m] - file.logPrior[0], file.logProposal[m] - file.logProposal[0], file.proper[m], file.tempered[m]))
    }
    let members = file.proper.count
    lines.append(
      String(
        format: "effective number of agents: %.2f of %d by importance weights, %.2f tempered (exponent %.3g)", file.properSize,
        members, file.temperedSize, file.exponent))
    if file.properSize < 2 { lines.append("degenerate: one agent has nearly all of the weight") }
    return lines.joined(separator: "\n")
  }
}
