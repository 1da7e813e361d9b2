import DaunceArchive
import DaunceExperiment
import DaunceSettings
import Foundation
import DaunceMPI
import DaunceModels
import DaunceObservations
import DaunceState

/// What a file is to be read as.
enum Kind: String, CaseIterable {
  case ensemble, observations, nature, analysis, agent, record, model, configuration
  /// Observations of any program, in any format.
  case table
}

/// How reading went.
enum Outcome: String {
  /// As a valid file.
  case read
  /// One clear error about the file's contents.
  case refused
  /// An error of another sort, or values that break the reader's promises.
  case wrong
}

/// Every reader of the program, as the program calls it.
struct Readers {
  let context: ExperimentContext
  /// Where the valid files are.
  private let corpus: URL
  private var layout: StateLayout { context.layout }
  private var clock: ModelClock { ModelClock(hours: context.traits.physicalUnits?.hours) }

  /// The configuration that the corpus is made with.
  static let configuration = """
    members: 3
    seed: 11
    model: {cells: 12}
    methods: [rl, constrained-eakf]
    filter: {half_width: 2}
    truths: {training: 2, training_cycles: 12, test: 2, cycles: 8, spinup_cycles: 2}
    nature: {spinup: 1}
    constraints: {band_quantiles: [0.1, 0.9]}
    agents:
      window: 3
      hidden: [4]
      warm_start: {steps: 10, batch: 4, closed_loop_rounds: 0}
      ppo: {iterations: 1, horizon: 4, sequences: 2}
    output: {members: true}
    """

  init(_ environment: DaunceMPI.Environment, corpus: URL) throws {
    self.corpus = corpus
    context = try ExperimentContext(
      configuration: Configuration(yaml: Self.configuration, source: "corpus"), communicator: environment.world)
  }

  /// Reads a file as its kind, and a NetCDF file then as anything else.
  func read(_ path: String, as kind: Kind, thenAs other: Kind) -> (outcome: Outcome, message: String) {
    let outcome = outcome { try call(kind, path) }
    if kind != .configuration {
      for second in [other == .configuration ? .record : other, .record] where second != kind {
        let result = self.outcome { try call(second, path) }
        if result.outcome == .wrong { return result }
      }
    }
    return outcome
  }

  private func outcome(_ body: () throws -> Void) -> (outcome: Outcome, message: String) {
    do {
      try body()
      return (.read, "")
    } catch let error as ArchiveError {
      return (error.kind == .badData ? .refused : .wrong, "\(error)")
    } catch let error as ConfigurationError {
      return (error.problems.isEmpty ? .wrong : .refused, "\(error)")
    } catch let error as ExperimentError {
      return (error.kind == .data ? .refused : .wrong, "\(error)")
    } catch MPIError.rankFailed(let failure) {
      return outcome { throw failure.underlying ?? Broken("an error without a cause") }
    } catch {
      return (.wrong, "\(error)")
    }
  }

  /// A promise that a reader did not keep.
  struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = "broken promise: \(description)" }
  }

  private func promise(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Broken(what()) }
  }

  private func call(_ kind: Kind, _ path: String) throws {
    switch kind {
    case .ensemble: try ensemble(path)
    case .observations: try observations(path)
    case .nature: try nature(path)
    case .analysis: try analysis(path)
    case .agent: try agent(path)
    case .record: try everything(path)
    case .model: try model(path)
    case .configuration: try configuration(path)
    case .table: try table(path)
    }
  }

  private func ensemble(_ path: String) throws {
    let ensemble = try EnsembleFile.read(path, layout: layout, clock: clock)
    try promise(ensemble.memberCount > 0 && ensemble.members.count == ensemble.memberCount * layout.count, "size")
    try promise(ensemble.members.allSatisfy(\.isFinite) && ensemble.time.isFinite, "finite")
  }

  private func observations(_ path: String) throws {
    _ = try ObservationFile.count(in: path)
    let quantities = context.networks.quantities
    let series = try ObservationTimes(path: path, layout: layout, quantities: quantities, clock: clock)
    try promise(series.times.count == series.sets.count && series.times.allSatisfy(\.isFinite), "times")
    try promise(zip(series.times, series.times.dropFirst()).allSatisfy { $0 < $1 }, "ascending times")
    for one in series.sets {
      try promise(one.values.count == one.network.count && one.errorVariances.count == one.count, "columns")
      try promise((0..<one.count).allSatisfy { 0..<layout.count ~= one.network.rows.firstElement($0) ?? -1 }, "elements")
      try promise(one.network.kinds.allSatisfy { quantities.indices.contains(Int($0)) }, "kinds")
      try promise(one.errorVariances.allSatisfy { $0 > 0 && $0.isFinite }, "variances")
      try promise(one.values.allSatisfy(\.isFinite), "values")
    }
  }

  private func table(_ path: String) throws {
    let table = try ObservationReaders.read(path)
    let count = table.count
    try promise(table.source == path, "the source")
    try promise([table.kind.count, table.quality.count, table.errorVariances.count].allSatisfy { $0 == count }, "sizes")
    try promise(table.times.isEmpty || table.times.count == count, "times")
    try promise(table.coordinates.allSatisfy { $0.values.count == count }, "coordinates")
    try promise(table.memberValues.allSatisfy { $0.count == count }, "members")
    try promise(table.kind.allSatisfy { table.kinds.indices.contains(Int($0)) }, "kinds")
    try promise(Set(table.kinds).count == table.kinds.count, "distinct kinds")
    try promise(Set(table.coordinates.map(\.name)).count == table.coordinates.count, "distinct coordinates")
    let numbers = [table.values, table.times] + table.coordinates.map(\.values) + table.memberValues
    try promise(numbers.allSatisfy { $0.allSatisfy { $0.isFinite || $0.isNaN } }, "finite or missing")
    try promise(table.errorVariances.allSatisfy { $0.isNaN || $0 > 0 && $0.isFinite }, "variances")
  }

  private func nature(_ path: String) throws {
    let diagnostics = context.traits.diagnostics.map(\.name)
    for truth in 0..<min(try NatureFile.count(in: path), 3) {
      let nature = try NatureFile.read(path, layout: layout, diagnostics: diagnostics, truth: truth, clock: clock)
      try promise(nature.states.count == nature.times.count * layout.count, "size")
      try promise(nature.diagnostics.allSatisfy { $0.count == nature.times.count * layout.cells }, "diagnostics")
      try promise(nature.states.allSatisfy(\.isFinite), "finite")
    }
  }

  private func analysis(_ path: String) throws {
    let file = try AnalysisFile(path: path, clock: clock)
    for truth in 0..<min(file.truthCount, 2) {
      for field in file.fields {
        let size = file.times.count * file.cells(of: field)
        try promise(try file.mean(of: field, truth: truth).count == size, "mean")
        try promise(try file.spread(of: field, truth: truth).count == size, "spread")
      }
      _ = try? file.energies(truth: truth)
      _ = try? file.multipliers(truth: truth)
      for variable in layout.fields.map(\.name) {
        _ = try? file.minima(of: variable, truth: truth)
        if file.keepsMembers(of: variable) { _ = try? file.members(of: variable, truth: truth) }
      }
      if !file.times.isEmpty {
        let contents = AnalysisContents(
          layout: layout, diagnostics: context.traits.diagnostics.map(\.name), memberCount: context.configuration.members)
        _ = try? file.record(cycle: file.times.count - 1, contents: contents, truth: truth)
        _ = try? file.covariance(cycle: 0, truth: truth)
      }
    }
    // What the command score does with it.
    let truth = corpus.appending(path: "nature.nc")
    _ = try ScoreStage(context, truth: truth, analyses: [URL(filePath: path)]).run()
  }

  /// A folder with this file as one of its agents. The agents are loaded first of all; an initial ensemble that is not
  /// there ends the stage before it does anything.
  private func agent(_ path: String) throws {
    let folder = corpus.appending(path: "agents-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let missing = folder.appending(path: "none.nc")
    let agents = corpus.appending(path: "agents")
    for (member, source) in ["agent-0000.nc", nil, "agent-0002.nc"].enumerated() {
      let link = folder.appending(path: String(format: "agent-%04d.nc", member)).path
      unlink(link)
      symlink(source.map { agents.appending(path: $0).path } ?? path, link)
    }
    let inputs = AssimilateStage.Inputs(method: .rl, agents: folder, initial: missing, observations: missing)
    let origin = Provenance(title: "", version: "", commit: "", history: "", seed: 0, configuration: "")
    do {
      _ = try AssimilateStage(context, inputs: inputs).run(destination: folder, provenance: origin)
    } catch MPIError.rankFailed(let failure) {
      if let error = failure.underlying as? ArchiveError, error.path == missing.path { return }
      throw MPIError.rankFailed(failure)
    }
  }

  /// A model's file with all members, or as one of two members' files: read, and written with every value changed.
  private func model(_ path: String) throws {
    let pair = corpus.appending(path: "pair-\(getpid()).nc").path
    for member in [nil, pair] {
      if let member {
        unlink(member)
        symlink(corpus.appending(path: "member.nc").path, member)
      }
      let found = Result {
        try ModelFiles(paths: [path] + (member.map { [$0] } ?? []), options: ModelFileOptions())
      }
      // As a member's file it is mostly none.
      guard let files = member == nil ? try found.get() : try? found.get() else { continue }
      try there(files)
    }
  }

  private func there(_ files: ModelFiles) throws {
    let layout = files.layout
    try promise(files.memberCount >= 2 && !layout.fields.isEmpty, "members and fields")
    for grid in layout.grids {
      try promise(grid.places.isEmpty || grid.places.count == grid.cells, "places")
      try promise(grid.dimensions.allSatisfy { $0.axis.map(layout.geometry.axes.indices.contains) ?? true }, "axes")
      try promise(grid.dimensions.allSatisfy { $0.coordinates.allSatisfy(\.isFinite) }, "coordinates")
    }
    guard layout.count <= 1 << 20, files.memberCount <= 64 else { return }
    let folder = corpus.appending(path: "models-\(getpid())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let writer = try ModelFilesWriter(files, folder: folder.path)
    var values = [Double](repeating: 0, count: layout.count)
    for member in 0..<files.memberCount {
      var span = values.mutableSpan
      try files.read(member: member, into: &span)
      for i in values.indices { values[i] += 1 }
      try writer.write(member: member, values.span)
    }
    try writer.publish()
    let again = try ModelFiles(paths: writer.names.map { folder.appending(path: $0).path }, options: ModelFileOptions())
    try promise(again.memberCount == files.memberCount && again.layout.count == layout.count, "the same written")
  }

  /// Every attribute and variable by every way to read them.
  private func everything(_ path: String) throws {
    let reader = try DatasetReader(path: path)
    for owner in [nil] + reader.variables.map({ Optional($0.name) }) {
      for name in try reader.attributeNames(of: owner) {
        _ = try? reader.text(name, of: owner)
        _ = try? reader.number(name, of: owner)
        _ = try? reader.integer(name, of: owner)
        _ = try? reader.unsigned(name, of: owner)
        if owner == nil { _ = try? reader.value(of: name) }
      }
    }
    for variable in reader.variables {
      _ = try? reader.values(variable.name, of: Double.self)
      _ = try? reader.values(variable.name, of: Float.self)
      _ = try? reader.values(variable.name, of: Int32.self)
      _ = try? reader.values(variable.name, of: Int64.self)
      _ = try? reader.texts(variable.name)
      if let values = try? reader.field(variable.name) {
        try promise(values.count == variable.shape.reduce(1, *), "size of \(variable.name)")
      }
      for start in [-1, 0, 1, Int.max] {
        let (starts, ones) = (variable.shape.map { _ in start }, variable.shape.map { _ in 1 })
        _ = try? reader.field(variable, start: starts, count: ones)
        _ = try? reader.field(variable, start: ones, count: starts)
      }
    }
    _ = try? ArrayFile.read(path)
  }

  private func configuration(_ path: String) throws {
    let configuration = try Configuration.load(path: path)
    let again = try Configuration(yaml: configuration.yaml, source: "again")
    try promise(again == configuration && again.digest == configuration.digest, "the same after writing and reading")
    try configuration.validate()
    // The same text as a value of the command line.
    var other = Configuration()
    let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    try? other.apply([ConfigurationOverride(option: "--set", key: "agents", value: text)])
  }
}
