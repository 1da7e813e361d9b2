public import DaunceArchive
public import DaunceMPI
import DaunceSettings
import DaunceUncertainty
public import Foundation

/// Predictive laws of a table's new rows by the fundamental equation, from an ensemble of networks.
public struct UncertaintyStage {
  /// The files.
  public struct Inputs: Sendable {
    /// Tables: rows that networks are trained on, rows that their residuals are taken from, rows that are predicted.
    public var training, testing, new: String

    /// Paths of the three tables.
    public init(training: String, testing: String, new: String) {
      (self.training, self.testing, self.new) = (training, testing, new)
    }
  }

  let configuration: UncertaintyConfiguration
  let inputs: Inputs
  let communicator: Communicator
  let progress: any ProgressReporter

  /// - Parameter inputs: what is read; nothing is opened yet.
  public init(
    _ configuration: UncertaintyConfiguration, inputs: Inputs, communicator: Communicator,
    progress: any ProgressReporter = SilentProgress()
  ) {
    self.configuration = configuration
    self.inputs = inputs
    self.communicator = communicator
    self.progress = progress
  }

  /// Writes prediction.nc, and scores.json where the new rows' outputs are known. Everything is read and checked before
  /// anything is written. Collective.
  ///
  /// - Parameter checkpoints: of this job.
  /// - Returns: a table of the variance's parts, and of the scores.
  public func run(folder: URL, provenance: Provenance, checkpoints: Checkpoints) throws -> String {
    try communicator.agree(on: configuration.digest, about: "the configuration")
    let problem = try read()
    try checkpoints.require("the tables", digest: digest(of: problem))
    let output = try OutputFolder(folder, provenance: provenance, communicator: communicator)
    for note in problem.notes { progress.note(note) }

    let keeper = CheckpointKeeper(checkpoints: checkpoints, progress: progress)
    let settings = try configuration.ensemble.choosingGain(
      training: problem.training, testing: problem.testing, keeper: keeper, communicator: communicator)
    let ensemble = try NetworkEnsemble(settings, rows: problem.training, keeper: keeper, communicator: communicator)
    let equation = FundamentalEquation(
      ensemble, outputs: problem.outputs, testing: problem.testing, settings: configuration.draws)
    let predictions = try PredictedRows(equation, problem, configuration, keeper: keeper, communicator: communicator)
    let usual = try configuration.comparison.methods.compactMap { UsualMethods.named($0.rawValue) }.map { method in
      let trained = try TrainedUsualMethod(
        method, UsualSchool(configuration.usual, settings, rows: problem.training), testing: problem.testing,
        keeper: keeper, communicator: communicator)
      return try UsualRows(trained, problem, keeper: keeper, communicator: communicator)
    }
    let report = UncertaintyReport(
      problem, predictions, usual: usual, ensemble: ensemble, gain: settings.hiddenGain ?? 1, law: equation.residualLaw)
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try predictions.file(problem, configuration).write(
        to: output.path("prediction.nc"), provenance: output.provenance.titled("predictive laws"))
      if !usual.isEmpty {
        try UsualRows.file(usual, problem, configuration).write(
          to: output.path("comparison.nc"), provenance: output.provenance.titled("predictive laws by usual methods"))
      }
      if let json = report.json { try output.write(try json.text(), to: "scores.json") }
    }
    try checkpoints.finish()
    return report.text
  }

  /// Rank 0 first: what it has read without harm, the others read too.
  private func read() throws -> TableProblem {
    func here() throws -> TableProblem {
      try TableProblem(configuration, training: inputs.training, testing: inputs.testing, new: inputs.new)
    }
    let first = try communicator.collectively { communicator.isRoot ? try here() : nil }
    let problem = try communicator.collectively { try first ?? here() }
    try communicator.agree(on: digest(of: problem), about: "what is in the tables")
    return problem
  }

  /// Files need not be the same on every machine.
  private func digest(of problem: TableProblem) -> UInt64 {
    var words: [UInt64] = []
    for rows in [problem.training, problem.testing, problem.new] {
      for values in [rows.x, rows.xError, rows.y, rows.yError] { words += values.map(\.bitPattern) + [UInt64(values.count)] }
    }
    return Digest.xxh64(words.withUnsafeBytes { Array($0) })
  }
}
