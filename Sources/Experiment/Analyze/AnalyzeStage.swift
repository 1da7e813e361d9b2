public import DaunceArchive
import DaunceAssimilation
import DaunceEnsemble
public import DaunceMPI
import DaunceObservations
import DaunceSettings
import DaunceState
public import Foundation

/// One analysis of the ensemble in a model's files.
///
/// Every rank reads its members, applies h to them, and exchanges them for its part of the state; updates that; and
/// exchanges back.
public struct AnalyzeStage {
  /// What is read.
  public struct Inputs: Sendable {
    /// Files or patterns of files: one with a dimension of members, or one for each member.
    public var ensemble: [String]
    /// Files or patterns of files.
    public var observations: [String]

    /// Files or patterns of files.
    public init(ensemble: [String], observations: [String]) {
      self.ensemble = ensemble
      self.observations = observations
    }
  }

  let configuration: AnalysisConfiguration
  let inputs: Inputs
  let communicator: Communicator
  let progress: any ProgressReporter

  /// - Parameter inputs: what is read; nothing is opened yet.
  public init(
    _ configuration: AnalysisConfiguration, inputs: Inputs, communicator: Communicator,
    progress: any ProgressReporter = SilentProgress()
  ) {
    self.configuration = configuration
    self.inputs = inputs
    self.communicator = communicator
    self.progress = progress
  }

  /// What was found in the inputs.
  struct Problem {
    let files: ModelFiles
    let observations: MatchedObservations
    let localization: DistanceLocalization
    /// Numbers of the fields whose sums are kept.
    let conserved: [Int]
    /// Whole members of each rank.
    let owners: [Range<Int>]
    var layout: StateLayout { files.layout }
    var members: Int { files.memberCount }
  }

  /// Reads everything and says what would be done; changes nothing. Collective.
  public func check() throws -> String {
    let problem = try read()
    let transposition = Transposition(layout: problem.layout, owners: problem.owners, communicator: communicator)
    let part = transposition.partition.elements(of: 0).count * PartialEnsemble.stride(of: problem.members) * 8
    let observed = problem.observations.rows.count * problem.members * 8 * 3
    return AnalysisReport(problem, configuration: configuration).plan(memory: transposition.bytes + part + observed)
  }

  /// Makes the analysis and writes it to `folder`. Collective.
  ///
  /// - Parameter provenance: for observations.nc and increments.nc.
  /// - Returns: what was done, on rank 0 and elsewhere alike.
  public func run(folder: URL, provenance: Provenance) throws -> String {
    let problem = try read()
    let output = try OutputFolder(folder, provenance: provenance, communicator: communicator)
    let analysis = try AnalysisRun(self, problem, output: output)
    return try analysis.run()
  }

  private func read() throws -> Problem {
    try communicator.agree(on: configuration.digest, about: "the configuration")
    // Rank 0 first: what it has read without harm, the others open too.
    let first = try communicator.collectively { communicator.isRoot ? try readHere(isChecked: false) : nil }
    let problem = try communicator.collectively { try first ?? readHere(isChecked: true) }
    for table in problem.observations.tables where table.count == 0 { progress.note("\(table.source): no observation") }
    if configuration.filter.halfWidth == nil, configuration.filter.halfWidths.isEmpty, configuration.method != .etkf {
      progress.note("filter.half_width is none: every observation acts everywhere, undamped")
    }
    try communicator.agree(on: digest(of: problem), about: "what is in the files")
    return problem
  }

  private func readHere(isChecked: Bool) throws -> Problem {
    var options = ModelFileOptions()
    options.memberDimension = configuration.state.member
    options.fields = configuration.state.fields
    for name in configuration.state.periodic { options.periodic[name] = .some(nil) }
    for one in configuration.state.bounds { options.bounds[one.field] = .init(lower: one.lower, upper: one.upper) }
    let files = try ModelFiles(
      paths: try FilePatterns.expand(inputs.ensemble), options: options, isChecked: isChecked)
    var tables: [ObservationTable] = []
    for path in try FilePatterns.expand(inputs.observations) { tables.append(try ObservationReaders.read(path)) }
    let observations = try MatchedObservations(
      tables, layout: files.layout, settings: configuration.observations, members: files.memberCount)
    var owners: [Range<Int>] = []
    for rank in 0..<communicator.size {
      owners.append(try Distribution(members: files.memberCount, ranks: communicator.size, rank: rank).local)
    }
    return Problem(
      files: files, observations: observations, 
      localization: try AnalysisLocalization(
        configuration.filter, files.layout, observations, files: inputs.ensemble
      ).localization,
      conserved: try conserved(files.layout), owners: owners)
  }

  private func conserved(_ layout: StateLayout) throws -> [Int] {
    try configuration.state.conserve.map { name in
      guard let field = layout.fieldIndex(name) else {
        throw ExperimentError(
          .data, "key state.conserve", found: name,
          expected: "fields of the state (\(layout.fields.map(\.name).joined(separator: ", ")))")
      }
      return field
    }
  }

  /// Files need not be the same on every machine.
  private func digest(of problem: Problem) -> UInt64 {
    let observations = problem.observations
    var numbers = observations.values + observations.errorVariances + observations.flags.map { Double($0.rawValue) }
    for place in observations.places { for axis in 0..<3 { numbers.append(place.coordinates[axis]) } }
    var words = numbers.map(\.bitPattern)
    words += [UInt64(problem.layout.count), UInt64(problem.members)]
    return Digest.xxh64(words.withUnsafeBytes { Array($0) })
  }
}
