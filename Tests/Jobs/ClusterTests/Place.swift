import Foundation
import TestSupport
import Testing

/// A temporary folder for jobs, with a configuration that takes a second; to be removed at the end of a test.
struct Place: Sendable {
  let folder: URL

  static let configuration = """
    members: 3
    model: {cells: 16}
    methods: [rl, eakf, constrained-eakf]
    initial: {spread: 0.1, climatology_runs: 4}
    constraints: {band_quantiles: [0.3, 0.7], band_margin: 0}
    truths: {training: 2, training_cycles: 40, test: 2, cycles: 20, spinup_cycles: 5}
    agents:
      warm_start: {steps: 60, batch: 8}
      ppo: {iterations: 2, horizon: 4, sequences: 2}
    """

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(Self.configuration.utf8).write(to: folder.appending(path: "small.yaml"))
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// A file's text; empty where there is none.
  func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
  }

  /// All NetCDF files below a folder: path and contents. What a clock has measured is in the JSON files alone.
  func data(_ name: String) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for file in try FileManager.default.subpathsOfDirectory(atPath: path(name)) where file.hasSuffix(".nc") {
      files[file] = try Data(contentsOf: folder.appending(path: name).appending(path: file))
    }
    return files
  }

  /// Names of NetCDF files below a folder that are not as they were, or there on one side alone.
  func differences(_ name: String, from before: [String: Data]) throws -> [String] {
    let now = try data(name)
    return Set(now.keys).union(before.keys).filter { now[$0] != before[$0] }.sorted()
  }

  /// The program without scripts, scheduler or mpirun. Give it the words that scripts would: files remember them.
  func direct(_ words: String) throws -> JobResult {
    try run(executable: "daunce-mpi", arguments: words.split(separator: " ").map(String.init), in: folder, timeout: 120)
  }

  /// Waits until something is so, for a minute at most.
  func wait(until condition: () throws -> Bool) throws -> Bool {
    for _ in 0..<600 {
      if try condition() { return true }
      Thread.sleep(forTimeInterval: 0.1)
    }
    return false
  }
}

/// What jobs need to know of this build and of this machine: any user, any number of cores.
let jobEnvironment = [
  "DAUNCE_ROOT": sourceFolder.path, "DAUNCE_PROGRAM": buildFolder.appending(path: "daunce-mpi").path,
  "OMPI_MCA_hwloc_base_binding_policy": "none", "PRTE_MCA_hwloc_default_binding_policy": "none",
  "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_smsc": "^cma",
]

/// All tests of scripts and hosts, one after the other: they share two cores.
@Suite(.serialized) struct ClusterTests {}
