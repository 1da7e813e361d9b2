import DaunceAgents
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceNumerics

/// Agents with equal weights in place of weighted ones. Their policies move in the space of weights; the rest of an agent stays.
extension WeighStage {
  /// Policies moved by an entropic coupling to the tempered weights, on every rank alike. Collective.
  func transport(_ trained: TrainedAgents, weights: [Double], _ request: Request) throws -> TrainedAgents {
    let gathered = try Policies(trained, of: self, width: 1)
    try gathered.gather(trained.agents.map(\.policy.parameters))
    let all = gathered.rows.compactMap { Network(sizes: gathered.sizes, parameters: $0) }
    let prior = PolicyEvidence.prior(of: all[0], gain: request.gain)
    let moved = WeightTransport.move(all, weights: weights, prior: prior)
    return taking(moved.map(\.parameters), in: trained)
  }

  /// Policies that flow to a sample of p(w | truths), Stein variational training: each rank has the gradients of its own agents, in the states of their closed
  /// loops over the held-back truths and for as many cells as they were trained on, and one gather a step has those of all. Collective.
  func flow(_ trained: TrainedAgents, _ recorded: [RecordedActions], _ request: Request) throws -> TrainedAgents {
    let gathered = try Policies(trained, of: self, width: 2)
    var policies = trained.agents.map(\.policy)
    let prior = PolicyEvidence.prior(of: policies[0], gain: request.gain)
    let members = context.distribution.members
    var flow = KernelFlow(count: members, prior: prior, steps: request.steps)
    let count = policies[0].parameters.count
    var slope = [Float](repeating: 0, count: count)
    var parameters: [[Float]] = []
    context.progress.begin("flow", total: request.steps)
    for step in 0..<request.steps {
      let rows = policies.indices.map { m -> [Float] in
        _ = recorded[m].logLikelihood(policies[m], gradient: &slope)
        let factor = Float(cellsTrainedOn(trained.settings) * trained.settings.controls.count) / Float(recorded[m].count)
        let own = policies[m].parameters
        return own + (0..<count).map { factor * slope[$0] - own[$0] / (prior.deviations[$0] * prior.deviations[$0]) }
      }
      try gathered.gather(rows)
      parameters = gathered.rows.map { Array($0[..<count]) }
      flow.advance(&parameters, slopes: gathered.rows.map { Array($0[count...]) })
      for (m, member) in context.distribution.local.enumerated() { policies[m].parameters = parameters[member] }
      context.progress.advance(to: step + 1)
    }
    context.progress.end()
    return taking(parameters, in: trained)
  }

  /// The same agents with other policies (`[member][parameter]`).
  private func taking(_ parameters: [[Float]], in trained: TrainedAgents) -> TrainedAgents {
    let agents = zip(trained.agents, context.distribution.local).map { agent, member in
      var agent = agent
      agent.policy.parameters = parameters[member]
      return agent
    }
    return TrainedAgents(settings: trained.settings, agents: agents)
  }

  /// Numbers of every policy, on every rank.
  private final class Policies {
    let sizes: [Int]
    private let gathered: GatheredEnsemble
    private let members: Int

    /// - Parameter width: numbers for every parameter.
    init(_ trained: TrainedAgents, of stage: WeighStage, width: Int) throws {
      sizes = trained.agents[0].policy.sizes
      members = stage.context.distribution.members
      gathered = GatheredEnsemble(
        width: width * trained.agents[0].policy.parameters.count, distribution: stage.context.distribution,
        communicator: stage.context.communicator)
    }

    /// Takes those of the local members from all ranks.
    func gather(_ rows: [[Float]]) throws { try gathered.gather(rows.map { $0.map(Double.init) }) }

    /// `[member][number]`.
    var rows: [[Float]] { (0..<members).map { gathered.row(of: $0).map { Float($0) } } }
  }
}
