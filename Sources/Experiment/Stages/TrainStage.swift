import DaunceMPI
import DaunceModels

/// Agents from a reference run of the constrained EAKF over simulated training truths.
public struct TrainStage {
  let setup: Setup
  let output: OutputFolder

  public init(_ setup: Setup, output: OutputFolder) {
    self.setup = setup
    self.output = output
  }

  /// Writes agents/, training.nc and training.json. Collective.
  ///
  /// - Returns: one line on how the training went.
  public func run() throws -> String {
    let configuration = setup.configuration
    setup.progress.begin("nature runs", total: 1)
    let truths = try setup.simulateTruths(setup.trainingSeeds, cycles: configuration.truths.trainingCycles)
    setup.progress.end()
    let band = try setup.energyBand(from: truths)
    let outcome = try setup.train(truths, band: band, alsoUnconstrained: false)
    let folder = try setup.communicator.collectively { try output.subfolder("agents") }
    try AgentStore(setup: setup).save(outcome.crew, in: folder, provenance: output.provenance)
    try setup.writeTraining(outcome, band: band, output: output)
    let report = TrainingSummary(outcome, iterations: configuration.agents.ppo.iterations)
    try setup.communicator.collectively {
      if setup.communicator.isRoot { try output.write(try report.json.text(), to: "training.json") }
    }
    try setup.checkpoints.finish()
    return report.line
  }
}
