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
    let (series, start) = try communicator.collectively { try readObservations() }
    let digest = digest(series, start)
    try communicator.agree(on: digest, about: "the initial ensemble and the observations")
    try context.checkpoints.require(
      "the initial ensemble, the observations or the agents", digest: digest, members: digests(of: trained), of: context)
    let schedule = try communicator.collectively { try makeSchedule(series, start: start.time) }
    warn(series, trained)
    let band = try filterBand(trained)
    let isFile = destination.pathExtension == "nc"
    let output = try OutputFolder(
      isFile ? destination.deletingLastPathComponent() : destination, provenance: provenance,
      communicator: communicator)
    let path = isFile ? destination.path : output.path("analysis-\(inputs.method.rawValue).nc")

    let seed = context.configuration.seed
    let origin = Int((start.time / context.model.timeStep).rounded())
    let method =
      try trained.map {
        try AssimilationMethod.agents(
          $0, name: inputs.method.rawValue, context: context, seed: seed, band: band, origin: origin)
      } ?? AssimilationMethod.filter(inputs.method, context: context, seed: seed, band: band, origin: origin)
    let failure = try carry(method, start, series, schedule, to: path, output, weights: trained?.weights ?? [])
    try context.checkpoints.finish()
    try communicator.collectively {
      guard let failure else { return }
      throw ExperimentError(
        .data,
        "\(inputs.method.rawValue) failed at cycle \(failure) of \(schedule.cycles.count): a member is negative where it "
          + "must not be, not finite, or beyond a hundred climatological standard deviations; \(path) holds the "
          + "analyses before it")
    }
    return "\(inputs.method.rawValue): \(series.times.count) analyses of \(series.count) observations in \(path)"
  }

  /// Carries the ensemble through all cycles and writes the analyses.
  ///
  /// - Returns: the cycle at which the method failed, `nil` if none.
  private func carry(
    _ method: AssimilationMethod, _ start: EnsembleFile, _ series: ObservationTimes, _ schedule: Schedule,
    to path: String, _ output: OutputFolder, weights: [Double]
  ) throws -> Int? {
    let communicator = context.communicator
    var ensemble = context.makeEnsemble()
    for (m, member) in context.distribution.local.enumerated() {
      ensemble.states[m] = Array(start.members[start.range(of: member, count: context.layout.count)])
    }
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
    context.progress.begin(inputs.method.rawValue, total: schedule.cycles.count)
    let failure = try context.assimilate(
      method, &ensemble, cycles: schedule.cycles.count, after: resumePoint.cycle, place: inputs.method.rawValue,
      observations: { schedule.cycles[$0 - 1] }
    ) { cycle, ensemble, _ in
      guard schedule.recorded.contains(cycle) else { return }
      try summary.summarise(ensemble)
      try recorder?.add(summary)
      context.progress.advance(to: cycle)
    } save: { cycle, ensemble in
      var snapshot = Snapshot()
      method.save(ensemble, into: &snapshot)
      resumePoint.cycle = cycle
      resumePoint.keep(&snapshot, in: context, recorder: recorder)
    }
    context.progress.end()
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

  /// Every rank reads both small files: all see the same error, and nothing has to be sent.
  private func readObservations() throws -> (ObservationTimes, EnsembleFile) {
    let initial = try EnsembleFile.read(
      inputs.initial.path, layout: context.layout, memberCount: context.configuration.members, clock: context.clock)
    let series = try ObservationTimes(
      path: inputs.observations.path, layout: context.layout, quantities: context.networks.quantities, laws: context.networks.laws,
      clock: context.clock)
    return (series, initial)
  }

  /// Digest of what was read, for files need not be the same on every machine.
  private func digest(_ series: ObservationTimes, _ start: EnsembleFile) -> UInt64 {
    var numbers = start.members + series.times + [start.time]
    for observations in series.sets {
      numbers.append(Double(observations.count))
      numbers += observations.network.kinds.map(Double.init) + observations.values + observations.errorVariances
      for place in observations.network.places { numbers += (0..<3).map { place.coordinates[$0] } }
    }
    return Digest.xxh64(numbers.withUnsafeBytes { Array($0) })
  }

  /// Digests of the local members' policies.
  private func digests(of trained: TrainedAgents?) -> [UInt64] {
    guard let trained else { return context.distribution.local.map { _ in 0 } }
    return trained.agents.map { agent in agent.policy.parameters.withUnsafeBytes { Digest.xxh64(Array($0)) } }
  }

  /// Tells what is in the files and has no effect on the analyses.
  private func warn(_ series: ObservationTimes, _ trained: TrainedAgents?) {
    let path = inputs.observations.path
    if context.communicator.isRoot, let count = try? ObservationFile.count(in: path), count > 1 {
      context.progress.note("\(path): observations of \(count) truths; the first truth's are used")
    }
    let flagged = series.flagCounts.filter { $0.flag != .used }.map { "\($0.count) \($0.flag.name)" }
    if series.count == 0 {
      context.progress.note("\(path): no usable observation (\(flagged.joined(separator: ", "))): analyses are forecasts")
    } else if !flagged.isEmpty {
      context.progress.note("\(path): \(series.count) observations used; left out: \(flagged.joined(separator: ", "))")
    }
    guard let trained else { return }
    let kinds = Dictionary(uniqueKeysWithValues: trained.settings.observed.map { ($0.number, $0) })
    let unseen = Set(series.sets.flatMap { $0.network.kinds.map(Int.init) }).subtracting(kinds.keys).sorted()
    if !unseen.isEmpty {
      let names = unseen.map { context.networks.quantities[$0].name }.joined(separator: ", ")
      context.progress.note("\(path): the agents were trained without observations of \(names) and leave them out")
    }
    for observations in series.sets {
      for (number, found) in zip(observations.network.kinds, observations.errorVariances) {
        guard let kind = kinds[Int(number)], !kind.seesError,
          abs(found - kind.errorVariance) > 1e-3 * kind.errorVariance
        else { continue }
        return context.progress.note(
          "\(path): found error variance \(found); the agents were trained with \(kind.errorVariance) alone and have not "
            + "learned what to make of another one")
      }
    }
  }

  /// Observations of every cycle from the initial time on, and the cycles whose analyses are written.
  private struct Schedule {
    var cycles: [ObservationSet]
    var recorded: Set<Int>
  }

  /// Lines observation times up with cycles of the configured interval. Cycles between have no observations.
  private func makeSchedule(_ series: ObservationTimes, start: Double) throws -> Schedule {
    let interval = context.interval
    guard abs(start / context.model.timeStep) < 1e15 else {
      throw ExperimentError(
        .data, inputs.initial.path, "time", found: "\(start)",
        expected: "less than \(1e15 * context.model.timeStep), a number of time steps that can be counted")
    }
    var schedule = Schedule(cycles: [], recorded: [])
    for (time, observations) in zip(series.times, series.sets) {
      let position = (time - start) / interval
      let cycle = position.rounded()
      guard abs(position - cycle) < 1e-3, cycle > Double(schedule.cycles.count), cycle < 1e7 else {
        throw ExperimentError(
          .data, inputs.observations.path, "variable time", found: "\(time)",
          expected: "\(start) (model time of \(inputs.initial.path)) plus a whole positive multiple of \(interval), the "
            + "interval between observations (key observations.interval), one time to each multiple, at most 1e7 of them")
      }
      while schedule.cycles.count < Int(cycle) { schedule.cycles.append(.none) }
      schedule.cycles[Int(cycle) - 1] = observations
      schedule.recorded.insert(Int(cycle))
    }
    return schedule
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
