public import DaunceArchive
import DaunceEnsemble
public import DaunceMPI
import DaunceObservations
import DaunceSettings
import DaunceState
import DaunceUncertainty
public import Foundation

/// Predictive laws of the fields that trained agents analyse, by the fundamental equation, and where their variance comes from,
/// over time and place.
///
/// New input: which members stand for what is known at the beginning. Training data: agents of several trainings. Weights: agents of
/// one training. Testing data: which truths were held back. Function: what held-back truths are off by, beyond all of these.
public struct AgentUncertaintyStage {
  /// What is predicted in place of truths of the agents' experiment.
  public struct Series: Sendable {
    /// File of the initial ensemble, and of observations.
    public var initial, observations: URL

    /// Nothing is opened yet.
    public init(initial: URL, observations: URL) { (self.initial, self.observations) = (initial, observations) }
  }

  let configuration: UncertaintyConfiguration
  let folders: [URL]
  let series: Series?
  let communicator: Communicator
  let progress: any ProgressReporter

  /// - Parameters:
  ///   - folders: with the agents of one training each, at least one.
  ///   - series: what is predicted; `nil`: truths of the agents' experiment that no agent has seen.
  public init(
    _ configuration: UncertaintyConfiguration, agents folders: [URL], series: Series?, communicator: Communicator,
    progress: any ProgressReporter = SilentProgress()
  ) {
    (self.configuration, self.folders, self.series) = (configuration, folders, series)
    (self.communicator, self.progress) = (communicator, progress)
  }

  /// Draws of which truths were held back.
  private static let testingDraws = 400

  /// Writes prediction.nc and scores.json. Everything is read and checked before anything is written. Collective.
  ///
  /// - Parameter checkpoints: of this job.
  /// - Returns: a table of the variance's parts and, for truths, of the scores, on rank 0.
  public func run(folder: URL, provenance: Provenance, checkpoints: Checkpoints) throws -> String {
    try communicator.agree(on: configuration.digest, about: "the configuration")
    let trainings = try AgentTrainings(folders, configuration.agents, communicator: communicator, progress: progress)
    let context = trainings.context
    let observed = try readSeries(trainings)
    let ensembles = try AgentEnsembles(trainings, configuration.agents, communicator: communicator)
    let samples = configuration.agents.samples
    guard samples <= ensembles.design.count else {
      throw ExperimentError(
        .data, "key agents.samples", found: "\(samples)",
        expected: "at most \(ensembles.design.count), the members of all ensembles together")
    }
    let digest = Digest.xxh64([trainings.digest, observed?.digest ?? 0].withUnsafeBytes { Array($0) })
    try checkpoints.require("the agents, the initial ensemble or the observations", digest: digest)
    let output = try OutputFolder(folder, provenance: provenance, communicator: communicator)
    if trainings.trained.count == 1 { progress.note("agents of one training: no part of the training data") }

    let keeper = CheckpointKeeper(checkpoints: checkpoints, progress: progress)
    let cycles = context.configuration.truths.cycles
    let heldBack = SharedTruths(
      context, seeds: context.residualSeeds(configuration.agents.heldBack), cycles: cycles, communicator: communicator)
    let counts = try AgentResiduals(ensembles: ensembles, context: context, communicator: communicator)
      .counts(heldBack, keeper: keeper)
    let residuals = ResidualLaw(
      counts, fields: context.layout.fields.count, classes: configuration.agents.classes, draws: Self.testingDraws,
      seed: configuration.seed)

    let contents = contents(context, observed)
    let predictions = try communicator.collectively {
      try AgentPredictions(
        contents, residuals, ensembles, configuration.agents, path: communicator.isRoot ? output.path("prediction.nc") : nil,
        provenance: output.provenance, checkpoints: checkpoints, progress: progress, communicator: communicator)
    }
    if let observed {
      try predictions.predict(observed, seed: context.configuration.seed)
    } else {
      let truths = SharedTruths(context, seeds: context.testSeeds, cycles: cycles, communicator: communicator)
      try predictions.predict(truths, context)
    }
    let text = "\(design(ensembles.design))\n\n\(predictions.scores.text)"
    try communicator.collectively {
      try predictions.finish()
      if communicator.isRoot { try output.write(try predictions.scores.json.text(), to: "scores.json") }
    }
    try checkpoints.finish()
    return text
  }

  private func design(_ design: PairedDesign) -> String {
    "\(design.trainings) training\(design.trainings == 1 ? "" : "s") of \(design.members) agents, \(design.pairings) pairings with members, \(design.draws) draws: "
      + "\(design.ensembles) ensembles; residuals of \(configuration.agents.heldBack) held-back truths"
  }

  private func readSeries(_ trainings: AgentTrainings) throws -> ObservedSeries? {
    guard let series else { return nil }
    let observed = try communicator.collectively {
      try ObservedSeries(trainings.context, initial: series.initial, observations: series.observations)
    }
    try communicator.agree(on: observed.digest, about: "the initial ensemble and the observations")
    if communicator.isRoot { observed.warn(trainings.context, about: trainings.trained[0]) }
    return observed
  }

  private func contents(_ context: ExperimentContext, _ observed: ObservedSeries?) -> FieldPredictionContents {
    let every = configuration.agents.every
    let all = observed?.times ?? context.times(cycles: context.configuration.truths.cycles)
    return FieldPredictionContents(
      layout: context.layout, sources: Source.allCases.map(\.name), probabilities: configuration.prediction.probabilities,
      samples: configuration.agents.samples,
      times: all.enumerated().filter { ($0.offset + 1) % every == 0 || observed != nil }.map(\.element),
      truthSeeds: observed == nil ? context.testSeeds : nil, clock: context.clock)
  }
}
