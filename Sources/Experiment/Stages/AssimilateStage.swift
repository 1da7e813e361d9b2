import DaunceAgents
public import DaunceArchive
import DaunceConstraints
import DaunceEnsemble
public import Foundation
import DaunceMPI
import DaunceModels
import DaunceNetworks
import DaunceObservations
import DaunceState

/// A user's ensemble through a user's file of observations, by a filter or by trained agents.
public struct AssimilateStage {
  /// What is assimilated, by what.
  public struct Inputs {
    /// How the ensemble is updated.
    public var method: Configuration.Method
    /// Folder of trained agents, for the methods that need them.
    public var agents: URL?
    /// File of the initial ensemble.
    public var initial: URL
    /// File of observations, in any format that is read.
    public var observations: URL

    /// `agents` for the methods that need them; nothing is opened yet.
    public init(method: Configuration.Method, agents: URL?, initial: URL, observations: URL) {
      self.method = method
      self.agents = agents
      self.initial = initial
      self.observations = observations
    }
  }

  let context: ExperimentContext
  let inputs: Inputs

  /// - Parameter inputs: what is assimilated, by what.
  public init(_ context: ExperimentContext, inputs: Inputs) {
    self.context = context
    self.inputs = inputs
  }

  /// Writes the analyses at the observations' times into `destination`/analysis-<method>.nc, or into `destination`
  /// itself if that names a `.nc` file. Everything is read and checked before anything is written. Collective.
  ///
  /// - Returns: one line on what was done.
  public func run(destination: URL, provenance: Provenance) throws -> String {
    let communicator = context.communicator
    let trained = try loadAgents()
    let series = try communicator.collectively {
      try ObservedSeries(context, initial: inputs.initial, observations: inputs.observations)
    }
    try communicator.agree(on: series.digest, about: "the initial ensemble and the observations")
    try context.checkpoints.require(
      "the initial ensemble, the observations or the agents", digest: series.digest, members: digests(of: trained), of: context)
    series.warn(context, about: trained)
    let band = try filterBand(trained)
    let isFile = destination.pathExtension == "nc"
    let output = try OutputFolder(
      isFile ? destination.deletingLastPathComponent() : destination, provenance: provenance,
      communicator: communicator)
    let path = isFile ? destination.path : output.path("analysis-\(inputs.method.rawValue).nc")

    let seed = context.configuration.seed
    let method =
      try trained.map {
        try AssimilationMethod.agents(
          $0, name: inputs.method.rawValue, context: context, seed: seed, band: band, origin: series.origin)
      } ?? AssimilationMethod.filter(inputs.method, context: context, seed: seed, band: band, origin: series.origin)
    let failure = try carry(method, series, to: path, output, weights: trained?.weights ?? [])
    try context.checkpoints.finish()
    try communicator.collectively {
      guard let failure else { return }
      throw ExperimentError(
        .data,
        "\(inputs.method.rawValue) failed at cycle \(failure) of \(series.cycles.count): a member is negative where it "
          + "must not be, not finite, or beyond a hundred climatological standard deviations; \(path) holds the "
          + "analyses before it")
    }
    return "\(inputs.method.rawValue): \(series.times.count) analyses of \(series.observations.count) observations in \(path)"
  }

  /// Carries the ensemble through all cycles and writes the analyses.
  ///
  /// - Returns: the cycle at which the method failed, `nil` if none.
  private func carry(
    _ method: AssimilationMethod, _ series: ObservedSeries, to path: String, _ output: OutputFolder, weights: [Double]
  ) throws -> Int? {
    let communicator = context.communicator
    var ensemble = context.makeEnsemble()
    for (m, member) in context.distribution.local.enumerated() { ensemble.states[m] = series.initial(member) }
    let recorder = try communicator.collectively {
      communicator.isRoot
        ? try AnalysisRecorder(
          context, path: path, times: series.times, seeds: nil, output: output,
          title: "analyses by \(inputs.method.rawValue)", weights: weights) : nil
    }
    let summary = AnalysisSummary(context, weights: weights)
    var resumePoint = ResumePoint(inputs.method.rawValue)
    let saved = try resumePoint.resume(context.checkpoints, recorder: recorder)
    if let saved { try method.restore(&ensemble, from: saved) }
    context.progress.begin(inputs.method.rawValue, total: series.cycles.count)
    let report = ProgramReport(context)
    let failure = try context.assimilate(
      method, &ensemble, cycles: series.cycles.count, after: resumePoint.cycle, place: inputs.method.rawValue,
      observations: { series.cycles[$0 - 1] }
    ) { cycle, ensemble, _ in
      guard series.recorded.contains(cycle) else { return }
      try summary.summarise(ensemble)
      try recorder?.add(summary, status: method.memberStatus)
      context.progress.advance(to: cycle)
    } save: { cycle, ensemble in
      var snapshot = Snapshot()
      try method.save(ensemble, into: &snapshot)
      resumePoint.cycle = cycle
      resumePoint.keep(&snapshot, in: context, recorder: recorder)
    } abandon: {
      try recorder?.abandon()
      return path
    }
    context.progress.end()
    try report?.tell(inputs.method.rawValue)
    // Together, for the ranks that write nothing would end the job with their error while the file is being completed.
    try communicator.collectively {
      if failure != nil { try recorder?.giveUp() }
      try recorder?.finish()
    }
    return failure
  }

  private func loadAgents() throws -> TrainedAgents? {
    guard inputs.method.isAgents, let folder = inputs.agents else { return nil }
    return try AgentStore(context: context).load(from: folder)
  }

  /// Digests of the local members' policies.
  private func digests(of trained: TrainedAgents?) -> [UInt64] {
    guard let trained else { return context.distribution.local.map { _ in 0 } }
    return trained.agents.map { agent in agent.policy.parameters.withUnsafeBytes { Digest.xxh64(Array($0)) } }
  }

  /// Constrained filters without a configured band take it from simulated runs, as `run` does.
  private func filterBand(_ trained: TrainedAgents?) throws -> Band? {
    let corrected = trained?.settings.base == .analysis ? context.configuration.agents.filter : nil
    guard inputs.method.isConstrained || corrected?.isConstrained ?? false, context.energy != nil else { return nil }
    guard context.configuration.constraints.band == nil else { return try context.energyBand(from: []) }
    context.progress.begin("nature runs for the energy band", total: 1)
    defer { context.progress.end() }
    return try context.energyBand(
      from: try context.simulateTruths(context.trainingSeeds, cycles: context.configuration.truths.trainingCycles))
  }
}
