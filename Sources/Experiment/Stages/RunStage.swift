import DaunceArchive
import DaunceEnsemble
import Foundation
import DaunceMPI
import DaunceObservations
import DaunceModels
import DaunceState

/// The whole experiment: nature, reference filter, training, assimilation of unseen truths by every method, scores.
public struct RunStage {
  let setup: Setup
  let output: OutputFolder

  public init(_ setup: Setup, output: OutputFolder) {
    self.setup = setup
    self.output = output
  }

  /// Runs it and writes nature.nc, observations.nc, analysis-<method>.nc, agents/, training.nc, scores.nc and
  /// scores.json. Collective.
  ///
  /// - Returns: the table of scores on rank 0, an empty one elsewhere.
  public func run() throws -> ScoreTable {
    let configuration = setup.configuration
    let methods = configuration.methods
    if configuration.filter.rotation, !methods.contains(.etkf) {
      // Other commands have a method of their own.
      let contradiction = Contradiction(true, "methods", "filter.rotation", "etkf for a rotation of the members")
      throw ConfigurationError([configuration.describe(contradiction, source: .program)])
    }
    let needsTraining = methods.contains { $0.isAgents }
    let needsBand = needsTraining || setup.energy != nil
    setup.progress.begin("nature runs", total: 2)
    let test = try setup.simulateSeries(setup.testSeeds, cycles: configuration.truths.cycles)
    setup.progress.advance(to: 1)
    let training =
      needsBand ? try setup.simulateTruths(setup.trainingSeeds, cycles: configuration.truths.trainingCycles) : []
    setup.progress.end()
    let band = try setup.energyBand(from: training)
    try writeTruths(test)

    let large = try methods.contains(where: \.isLarge) ? setup.enlarged() : setup
    func own(_ method: Configuration.Method) -> Setup { method.isLarge ? large : setup }

    var scores: [Configuration.Method: [TruthScore]] = [:]
    for method in methods where !method.isAgents {
      let setup = own(method)
      scores[method] = try assess(method.rawValue, test, by: setup, band: band) { seed in
        try .filter(method, setup: setup, seed: seed, band: band)
      }
    }
    var outcome: TrainingOutcome?
    if needsTraining {
      let trained = try setup.train(
        training, band: band, alsoUnconstrained: methods.contains(.rlUnconstrained))
      outcome = trained
      try save(trained.crew, "agents")
      if let unconstrained = trained.unconstrained { try save(unconstrained, "agents-unconstrained") }
      try setup.writeTraining(trained, band: band, output: output)
      for method in methods where method.isAgents {
        let crew = method == .rl ? trained.crew : trained.unconstrained ?? trained.crew
        scores[method] = try assess(method.rawValue, test, by: setup, band: band) { seed in
          try .agents(crew, name: method.rawValue, setup: setup, seed: seed)
        }
      }
    }
    let table = try setup.communicator.collectively {
      guard setup.communicator.isRoot else { return ScoreTable(methods: []) }
      let table = ScoreTable(
        methods: methods.map { MethodScore($0.rawValue, scores[$0] ?? [], setup: own($0)) })
      try table.write(to: output, setup: setup, band: band)
      try output.write(try report(table, outcome, band: band).text(), to: "scores.json")
      return table
    }
    try setup.checkpoints.finish()
    return table
  }

  /// Analyses of all truths by one method, in a file of their own; taken from a checkpoint if they were done before an
  /// interruption.
  private func assess(
    _ name: String, _ truths: [TruthSeries], by setup: Setup, band: Band?, make: (UInt64) throws -> AssimilationMethod
  ) throws -> [TruthScore] {
    let (path, section) = (output.path("analysis-\(name).nc"), "done-\(name)")
    let communicator = setup.communicator
    if let done = setup.checkpoints.take(section) {
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
          setup, path: path, times: setup.recordedTimes(cycles: truths[0].cycles),
          seeds: truths.map(\.seed), output: output, title: "analyses by \(name)") : nil
    }
    let scores = try setup.assess(name, truths: truths, band: band, recorder: recorder, make: make)
    let digest = try communicator.collectively { try recorder?.finish() ?? 0 }
    var done = Snapshot()
    done.set("digest", [Int64(bitPattern: digest)])
    try done.encode("scores", scores)
    setup.checkpoints.set(section, done, members: 0)
    return scores
  }

  private func save(_ crew: Crew, _ name: String) throws {
    let folder = try setup.communicator.collectively { try output.subfolder(name) }
    try AgentStore(setup: setup).save(crew, in: folder, provenance: output.provenance)
  }

  private func writeTruths(_ truths: [TruthSeries]) throws {
    let written = try truths.map { try $0.thinned(by: setup.configuration.output.every) }
    let times = setup.recordedTimes(cycles: setup.configuration.truths.cycles)
    try setup.communicator.collectively {
      guard setup.communicator.isRoot else { return }
      try setup.writeNature(
        written, times: times, to: output.path("nature.nc"), asSeries: true, provenance: output.provenance)
      try setup.writeObservations(
        written, times: times, to: output.path("observations.nc"), asSeries: true, provenance: output.provenance)
    }
  }

  private func report(_ table: ScoreTable, _ outcome: TrainingOutcome?, band: Band?) -> JSON {
    let configuration = setup.configuration
    var report: [String: JSON] = [
      "members": .integer(configuration.members),
      "cycles": .integer(configuration.truths.cycles),
      "spinup_cycles": .integer(configuration.truths.spinupCycles),
      "seed": .unsigned(configuration.seed),
      "units": .text(setup.traits.units),
      "truths": .array(setup.testSeeds.map { .unsigned($0) }),
      "methods": .object(Dictionary(uniqueKeysWithValues: table.methods.map { ($0.method, $0.json) })),
    ]
    if let band {
      report["energy_band"] = .object([
        "form": .text(band.function.name), "lower": .number(band.lower), "upper": .number(band.upper),
      ])
    }
    if let outcome {
      report["training"] = TrainingSummary(outcome, iterations: configuration.agents.ppo.iterations).json
    }
    return .object(report)
  }
}

extension Setup {
  /// The same experiment with the members of `constrained-eakf-large`.
  fileprivate func enlarged() throws -> Setup {
    var configuration = configuration
    configuration.members = configuration.filter.largeMembers
    let large = try Setup(configuration: configuration, communicator: communicator, progress: progress)
    large.checkpoints = checkpoints
    large.climatology = climatology
    return large
  }
}

extension Setup {
  /// How times stand in files.
  var clock: ModelClock { ModelClock(hours: traits.physicalUnits?.hours) }

  /// Times of cycles 1, 2, ... after the spin-up, in the model's unit.
  func times(cycles: Int, of step: Int = 1) -> [Double] {
    (0..<cycles).map { configuration.spinup + Double(($0 + 1) * step) * interval }
  }

  /// Writes truths with their derived fields, the initial time included.
  ///
  /// - Parameter times: of the states after the initial one.
  func writeNature(
    _ truths: [Twin], times: [Double], to path: String, asSeries: Bool, provenance: Provenance
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
      return Truth(
        times: [configuration.spinup] + times, states: truth.states,
        diagnostics: diagnostics, energies: energies ?? [], seed: truth.seed)
    }
    try NatureFile.write(
      stored, to: path, layout: layout, diagnostics: traits.diagnostics.map(\.name), asSeries: asSeries,
      nature: Surroundings(
        fields: traits.backgroundFields.map { .init(name: $0.name, longName: $0.longName, values: $0.values) },
        hours: traits.physicalUnits?.hours, kilometres: traits.physicalUnits?.kilometres),
      provenance: provenance.titled("nature runs"))
  }

  /// Writes the truths' observations.
  func writeObservations(
    _ truths: [Twin], times: [Double], to path: String, asSeries: Bool, provenance: Provenance
  ) throws {
    let kinds = Set(networks.networks.map(\.kind)).sorted()
    try ObservationFile.write(
      kinds.map { observedField($0, truths) }, times: times, to: path, layout: layout,
      seeds: asSeries ? truths.map(\.seed) : nil, clock: clock, provenance: provenance.titled("observations"))
  }

  /// What all networks observe of one kind, on the grid of its first field.
  private func observedField(_ kind: Int, _ truths: [Twin]) -> ObservationFile.ObservedField {
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
