public import DaunceAgents

/// What `auto` stands for where the model's entry decides it. The rest follows from the model object
/// (`TwinModel.observing`) or from nature runs (the energy band).
extension Configuration {
  /// The configured model's entry.
  var modelEntry: ModelEntry? { ModelEntry.registry[model.name.rawValue] }

  /// Cells of the grid; 0 where the model alone knows.
  public var cells: Int { model.cells ?? modelEntry?.cells ?? 0 }

  /// Random numbers of the agents' samples.
  public var drawsOfAgents: AgentSettings.Draws { agents.draws ?? (agents.base == .analysis ? .anomalies : .stratified) }

  /// Rollouts of PPO. Agents that correct an analysis draw nothing at random that PPO could learn from.
  public var ppoIterations: Int { agents.ppo.iterations ?? (agents.base == .analysis ? 0 : 40) }

  /// Truths that a training is watched on, and their cycles.
  public var review: (truths: Int, cycles: Int) {
    (agents.review.truths ?? min(4, truths.training), agents.review.cycles ?? min(200, max(2, truths.trainingCycles)))
  }

  /// The energy that is held in a band, `off` if none is.
  public var energy: Constraints.Energy { constraints.energy ?? modelEntry?.energy ?? .off }
}
