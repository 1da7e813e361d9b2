import DaunceArchive
import DaunceConstraints
import DaunceEnsemble
import DaunceSettings
import Foundation
import DaunceMPI
import DaunceObservations
import DaunceModels
import DaunceState

/// The whole experiment: nature, reference filter, training, assimilation of unseen truths by every method, scores.
public struct RunStage {
  let context: ExperimentContext
  let output: OutputFolder
  let known: TrainedAgents?

  /// - Parameters:
  ///   - output: where everything is written.
  ///   - known: agents for the method rl, in place of a training; see `ExperimentContext.agentsToAct`.
  public init(_ context: ExperimentContext, output: OutputFolder, agents known: TrainedAgents? = nil) {
    self.context = context
    self.output = output
    self.known = known
  }

  /// Runs it and writes nature.nc, observations.nc, analysis-<method>.nc, agents/, training.nc, scores.nc and
  /// scores.json. Collective.
  ///
  /// - Returns: the table of scores on rank 0, an empty one elsewhere.
  public func run() throws -> ScoreTable {
    let configuration = context.configuration
    let methods = configuration.methods
    if configuration.filter.rotation, !methods.contains(.etkf) {
      // Other commands have a method of their own.
      let contradiction = Contradiction(true, "methods", "filter.rotation", "etkf for a rotation of the members")
      throw ConfigurationError([configuration.describe(contradiction, source: .program)])
    }
    let needsTraining = methods.contains { $0.isAgents } && known == nil
    if needsTraining { try context.checkBase() }
    let needsBand = needsTraining || context.energy != nil
    context.progress.begin("nature runs", total: 2)
    let test = try context.simulateSeries(context.testSeeds, cycles: configuration.truths.cycles)
    context.progress.advance(to: 1)
    let training =
      needsBand ? try context.simulateTruths(context.trainingSeeds, cycles: configuration.truths.trainingCycles) : []
    context.progress.end()
    let band = try context.energyBand(from: training)
    try writeTruths(test)

    let large = try methods.contains(where: \.isLarge) ? context.enlarged() : context
    func own(_ method: Configuration.Method) -> ExperimentContext { method.isLarge ? large : context }

    var scores: [Configuration.Method: [TruthScore]] = [:]
    for method in methods where !method.isAgents {
      let context = own(method)
      scores[method] = try assess(method.rawValue, test, by: context, band: band) { seed in
        try .filter(method, context: context, seed: seed, band: band)
      }
    }
    if let known, methods.contains(.rl) {
      scores[.rl] = try assess(
        Configuration.Method.rl.rawValue, test, by: context, band: band, weights: known.weights
      ) { seed in
        try .agents(known, name: Configuration.Method.rl.rawValue, context: context, seed: seed, band: band)
      }
    }
    var outcome: TrainingOutcome?
    if needsTraining {
      let result = try context.train(
        training, band: band, alsoUnconstrained: methods.contains(.rlUnconstrained))
      outcome = result
      try save(result.agents, "agents")
      if let unconstrained = result.unconstrained { try save(unconstrained, "agents-unconstrained") }
      try context.writeTraining(result, output: output)
      for method in methods where method.isAgents {
        let trained = method == .rl ? result.agents : result.unconstrained ?? result.agents
        scores[method] = try assess(method.rawValue, test, by: context, band: band) { seed in
          try .agents(trained, name: method.rawValue, context: context, seed: seed, band: band)
        }
      }
    }
    let table = try context.communicator.collectively {
      guard context.communicator.isRoot else { return ScoreTable(methods: []) }
      let table = ScoreTable(
        methods: methods.map { MethodScore($0.rawValue, scores[$0] ?? [], context: own($0)) })
      try table.write(to: output, context: context, band: band)
      try output.write(try report(table, outcome, band: band).text(), to: "scores.json")
      return table
    }
    try context.checkpoints.finish()
    return table
  }

  /// Analyses of all truths by one method, in a file of their own; taken from a checkpoint if they were done before an
  /// interruption.
  private func assess(
    _ name: String, _ truths: [TrajectoryStream], by context: ExperimentContext, band: Band?, weights: [Double] = [],
    make: (UInt64) throws -> AssimilationMethod
  ) throws -> [TruthScore] {
    let (path, section) = (output.path("analysis-\(name).nc"), "done-\(name)")
    let communicator = context.communicator
    if let done = context.checkpoints.take(section) {
      return try communicator.collectively {
        guard communicator.isRoot else { return [] }
        let digest: [Int64] = try done.values("digest", count: 1)
        guard try DatasetReader(path: path).digest == UInt64(bitPattern: digest[0]) else {
          throw ExperimentError(
            .data, path, found: "another file than was written before the interruption",
            expected: "that one; without --resume the job starts anew")
        }
        return try done.decode("scores")
      }
    }
    let recorder = try communicator.collectively {
      communicator.isRoot
        ? try AnalysisRecorder(
          context, path: path, times: context.recordedTimes(cycles: truths[0].cycles),
          seeds: truths.map(\.seed), output: output, title: "analyses by \(name)", weights: weights) : nil
    }
    let scores = try context.assess(name, truths: truths, band: band, recorder: recorder, weights: weights, make: make)
    let digest = try communicator.collectively { try recorder?.finish() ?? 0 }
    var done = Snapshot()
    done.set("digest", [Int64(bitPattern: digest)])
    try done.encode("scores", scores)
    context.checkpoints.set(section, done, members: 0)
    return scores
  }

  private func save(_ trained: TrainedAgents, _ name: String) throws {
    let folder = try context.communicator.collectively { try output.subfolder(name) }
    try AgentStore(context: context).save(trained, in: folder, provenance: output.provenance)
  }

  private func writeTruths(_ truths: [TrajectoryStream]) throws {
    let written = try truths.map { try $0.thinned(by: context.configuration.output.every) }
    let times = context.recordedTimes(cycles: context.configuration.truths.cycles)
    try context.communicator.collectively {
      guard context.communicator.isRoot else { return }
      try context.writeNature(
        written, times: times, to: output.path("nature.nc"), asSeries: true, provenance: output.provenance)
      try context.writeObservations(
        written, times: times, to: output.path("observations.nc"), asSeries: true, provenance: output.provenance)
    }
  }

  private func report(_ table: ScoreTable, _ outcome: TrainingOutcome?, band: Band?) -> JSON {
    let configuration = context.configuration
    var report: [String: JSON] = [
      "members": .integer(configuration.members),
      "cycles": .integer(configuration.truths.cycles),
      "spinup_cycles": .integer(configuration.truths.spinupCycles),
      "seed": .unsigned(configuration.seed),
      "units": .text(context.traits.units),
      "truths": .array(context.testSeeds.map { .unsigned($0) }),
      "methods": .object(Dictionary(uniqueKeysWithValues: table.methods.map { ($0.method, $0.json) })),
    ]
    if let band {
      report["energy_band"] = .object([
        "form": .text(band.function.name), "lower": .number(band.lower), "upper": .number(band.upper),
      ])
    }
    if let outcome {
      report["training"] = TrainingSummary(outcome).json
    }
    return .object(report)
  }
}

extension ExperimentContext {
  /// The same experiment with the members of `constrained-eakf-large`.
  fileprivate func enlarged() throws -> ExperimentContext {
    var configuration = configuration
    configuration.members = configuration.filter.largeMembers
    let large = try ExperimentContext(configuration: configuration, communicator: communicator, progress: progress)
    large.checkpoints = checkpoints
    large.climatology = climatology
    return large
  }
}

extension ExperimentContext {
  /// How times stand in files.
  var clock: ModelClock { ModelClock(hours: traits.physicalUnits?.hours) }

  /// Times of cycles 1, 2, ... after the spin-up, in the model's unit.
  package func times(cycles: Int, of step: Int = 1) -> [Double] {
    (0..<cycles).map { spinup + Double(($0 + 1) * step) * interval }
  }

  /// Writes truths with their derived fields, the initial time included.
  ///
  /// - Parameter times: of the states after the initial one.
  func writeNature(
    _ truths: [Trajectory], times: [Double], to path: String, asSeries: Bool, provenance: Provenance
  ) throws {
    let count = layout.count
    let stored = truths.map { truth in
      let diagnostics = traits.diagnostics.map { diagnostic in
        (0...truth.cycles).flatMap { time in
          diagnostic.compute(truth.states.span.extracting(time * count..<(time + 1) * count))
        }
      }
      let energies = energy.map { energy in
        (0...truth.cycles).map { energy.value(of: truth.states.span.extracting($0 * count..<($0 + 1) * count)) }
      }
      return NatureRun(
        times: [spinup] + times, states: truth.states,
        diagnostics: diagnostics, energies: energies ?? [], seed: truth.seed)
    }
    try NatureFile.write(
      stored, to: path, layout: layout, diagnostics: traits.diagnostics.map(\.name), asSeries: asSeries,
      nature: NatureMetadata(
        fields: traits.backgroundFields,
        hours: traits.physicalUnits?.hours, kilometres: traits.physicalUnits?.kilometres),
      provenance: provenance.titled("nature runs"))
  }

  /// Writes the truths' observations.
  func writeObservations(
    _ truths: [Trajectory], times: [Double], to path: String, asSeries: Bool, provenance: Provenance
  ) throws {
    let kinds = Set(networks.networks.map(\.kind)).sorted()
    try ObservationFile.write(
      kinds.map { observedField($0, truths) }, times: times, to: path, layout: layout,
      seeds: asSeries ? truths.map(\.seed) : nil, clock: clock, provenance: provenance.titled("observations"))
  }

  /// What all networks observe of one kind, on the grid of its first field.
  private func observedField(_ kind: Int, _ truths: [Trajectory]) -> ObservationFile.ObservedField {
    let quantity = networks.quantities[kind]
    let (n, own) = (layout.range(quantity.operation.fields[0]).count, networks.networks.filter { $0.kind == kind })
    // Cells without observations have some variance too, for files know no gaps there.
    var variances = [Double](repeating: own[0].errorVariance, count: n)
    for network in own { for cell in network.cells { variances[cell] = network.errorVariance } }
    let values = truths.map { truth in
      var field = [Double](repeating: .nan, count: truth.cycles * n)
      for (t, observed) in truth.observations.enumerated() {
        for (k, cell) in networks.cells(of: observed.network).enumerated()
        where observed.network.kinds[k] == kind { field[t * n + cell] = observed.values[k] }
      }
      return field
    }
    return .init(
      variable: quantity.operation.fields[0], name: quantity.name, values: values, errorVariances: variances)
  }
}
