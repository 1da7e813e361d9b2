import DaunceAgents
import DaunceArchive
import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceState

extension ExperimentContext {
  /// Writes training.nc, and training-unconstrained.nc of agents without multipliers, on rank 0. Collective.
  func writeTraining(_ outcome: TrainingOutcome, band: Band?, output: OutputFolder) throws {
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try write(outcome.report.history, to: "training.nc", "training of the agents", band, output)
      if let report = outcome.unconstrainedReport {
        try write(
          report.history, to: "training-unconstrained.nc", "training of the agents without multipliers", band, output)
      }
    }
  }

  private func write(
    _ history: TrainingHistory, to name: String, _ title: String, _ band: Band?, _ output: OutputFolder
  ) throws {
    var file = TrainingFile(memberCount: distribution.members, constraints: band.map { [$0.function.name] } ?? [])
    file.commonSteps = history.commonSteps
    file.commonLoss = history.commonLoss
    file.steps = history.warmStartSteps
    file.warmStartLoss = history.warmStartLoss
    file.reward = history.reward
    file.multiplier = history.multiplier
    file.deviation = history.deviation
    file.evaluation = history.evaluation
    try file.write(to: output.path(name), provenance: output.provenance.titled(title))
  }
}
