import DaunceMPI
import DaunceModels

/// Agents from a reference run of the constrained EAKF over simulated training truths.
public struct TrainStage {
  let context: ExperimentContext
  let output: OutputFolder
  let start: TrainedAgents?

  /// - Parameters:
  ///   - output: where agents and records are written.
  ///   - start: agents to begin with, in place of new ones; see `ExperimentContext.agentsToLearn`.
  public init(_ context: ExperimentContext, output: OutputFolder, from start: TrainedAgents? = nil) {
    self.context = context
    self.output = output
    self.start = start
  }

  /// Writes agents/, training.nc and training.json. Collective.
  ///
  /// - Returns: one line on how the training went.
  public func run() throws -> String {
    let configuration = context.configuration
    try context.checkBase()
    context.progress.begin("nature runs", total: 1)
    let truths = try context.simulateTruths(context.trainingSeeds, cycles: configuration.truths.trainingCycles)
    context.progress.end()
    let band = try context.energyBand(from: truths)
    let outcome = try context.train(truths, band: band, alsoUnconstrained: false, from: start, tellsReviews: true)
    let folder = try context.communicator.collectively { try output.subfolder("agents") }
    try AgentStore(context: context).save(outcome.agents, in: folder, provenance: output.provenance)
    try context.writeTraining(outcome, output: output)
    let report = TrainingSummary(outcome)
    try context.communicator.collectively {
      if context.communicator.isRoot { try output.write(try report.json.text(), to: "training.json") }
    }
    try context.checkpoints.finish()
    return report.line
  }
}
