import DaunceAgents
import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceState

extension ExperimentContext {
  /// Writes training.nc, and training-unconstrained.nc of agents without multipliers, on rank 0. Collective.
  func writeTraining(_ outcome: TrainingOutcome, output: OutputFolder) throws {
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try write(outcome.report, to: "training.nc", "training of the agents", outcome.constraints, output)
      if let report = outcome.unconstrainedReport {
        try write(
          report, to: "training-unconstrained.nc", "training of the agents without multipliers",
          outcome.constraints, output)
      }
    }
  }

  private func write(
    _ report: TrainingReport, to name: String, _ title: String, _ constraints: [String], _ output: OutputFolder
  ) throws {
    var file = TrainingFile(memberCount: distribution.members, constraints: constraints)
    let history = report.history
    file.reviews = report.reviews.map {
      .init(stage: $0.stage, step: $0.step, loss: $0.loss, error: $0.error, crps: $0.crps, inBands: $0.inBands)
    }
    file.teacher = report.teacher.map { ($0.error, $0.crps) }
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
