import Foundation
import TestSupport
import Testing

/// A temporary folder with what several tests need: a small configuration, simulated files, trained agents. Made before
/// the first test, removed after the last.
struct Workshop: Sendable {
  let folder: URL

  /// As little as trains and scores at all; a narrow band gives the constraints much to do.
  static let configuration = """
    methods: [rl, rl-unconstrained, constrained-eakf, eakf]
    initial: {spread: 0.1, climatology_runs: 4}
    constraints: {band_quantiles: [0.3, 0.7], band_margin: 0}
    truths: {training: 2, training_cycles: 40, test: 2, cycles: 20, spinup_cycles: 5}
    agents:
      warm_start: {steps: 60, batch: 8}
      ppo: {iterations: 2, horizon: 4, sequences: 2}
    """

  /// Simulates and trains in the folder `made`.
  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try write(Self.configuration, to: "small.yaml")
    for stage in ["simulate", "train"] {
      let result = try daunce(2, stage, "--config", "small.yaml", "--output", "made", "--quiet")
      try #require(result.status == 0, "\(stage): \(result.stderr)")
    }
  }

  func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: folder.appending(path: path)) }

  /// The program as `ranks` ranks, started in this folder or one in it.
  func daunce(_ ranks: Int, _ arguments: String..., in subfolder: String? = nil) throws -> JobResult {
    try job(ranks, arguments, in: subfolder)
  }

  func job(
    _ ranks: Int, _ arguments: [String], in subfolder: String? = nil, environment: [String: String] = [:]
  ) throws -> JobResult {
    try mpirun(
      ranks: ranks, executable: "daunce-mpi", arguments: arguments,
      in: subfolder.map { folder.appending(path: $0) } ?? folder, environment: environment)
  }

  /// The program with other words on rank 0 than on the others, none of which may mean anything to a shell. mpirun has
  /// a notation for that, `:` between two programs, but Debian's Open MPI 5.0.7 crashes on it whatever the programs are.
  func job(ranks: Int, first: [String], others: [String]) throws -> JobResult {
    let choice = """
      if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then exec "$0" \(first.joined(separator: " ")); fi
      exec "$0" \(others.joined(separator: " "))
      """
    let program = buildFolder.appending(path: "daunce-mpi").path
    return try mpirun(ranks: ranks, executable: "/bin/sh", arguments: ["-c", choice, program], in: folder)
  }

  /// A file as other people's programs would have written it; see ForeignWriter.
  func foreign(_ kind: String, _ source: String, _ target: String, _ variant: String) throws {
    let result = try run(executable: "ForeignWriter", arguments: [kind, source, target, variant], in: folder)
    try #require(result.status == 0, "\(variant): \(result.stdout)\(result.stderr)")
  }

  /// A folder inside with the configuration in it, for a job that is to be compared with one elsewhere.
  func makePlace(_ name: String) throws -> String {
    try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
    try write(Self.configuration, to: "\(name)/small.yaml")
    return name
  }

  /// All files below a folder: path and contents.
  func contents(_ name: String) throws -> [String: Data] {
    let root = folder.appending(path: name)
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
      var isFolder: ObjCBool = false
      let url = root.appending(path: path)
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { files[path] = try Data(contentsOf: url) }
    }
    return files
  }
}

/// The suite of whole jobs, one after the other: each has two cores to share among up to ten ranks.
@Suite(.serialized, .workshop) struct JobTests {
  /// The workshop of this run of the tests.
  @TaskLocal static var current: Workshop?

  static func workshop() throws -> Workshop { try #require(current) }
}

/// Makes the workshop around all tests of a suite.
struct WorkshopTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let workshop = try Workshop()
    defer { try? FileManager.default.removeItem(at: workshop.folder) }
    try await JobTests.$current.withValue(workshop) { try await function() }
  }
}

extension Trait where Self == WorkshopTrait {
  static var workshop: Self { WorkshopTrait() }
}

/// The scores without what a clock has measured.
func withoutSeconds(_ object: [String: Any]) -> NSDictionary {
  var kept: [String: Any] = [:]
  let measured: Set = ["seconds", "seconds_per_cycle", "samples_per_second", "samples_per_processor_second"]
  for (key, value) in object where !measured.contains(key) {
    let entries = (value as? [[String: Any]])?.map { withoutSeconds($0) }
    kept[key] = (value as? [String: Any]).map { withoutSeconds($0) } ?? entries ?? value
  }
  return kept as NSDictionary
}

/// Names of the files whose contents differ, and of those that only one side has.
func differences(_ a: [String: Data], _ b: [String: Data]) -> [String] {
  Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
}
