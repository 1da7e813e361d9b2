public import Foundation

/// What a process left behind.
public struct JobResult: Sendable {
  /// Exit code; 128 + signal if it was killed; 124 if `timeout` ended it.
  public let status: Int32
  public let stdout: String
  public let stderr: String
}

/// Folder of the executables built together with the running test bundle.
public var buildFolder: URL {
  let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  return URL(fileURLWithPath: link ?? CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
}

/// The project's folder.
public var sourceFolder: URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
}

/// What lets mpirun start any number of ranks on any number of cores, as any user and in a container. The second line of
/// each kind is for Open MPI 5, whose mpirun is PRRTE's.
public let mpirunSettings = [
  "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
  "PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
  "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
  "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe", "PRTE_MCA_hwloc_default_binding_policy": "none",
  "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
  "OMPI_MCA_smsc": "^cma",
]

/// Runs `executable` (a name in ``buildFolder``) as `ranks` ranks under mpirun, on any number of cores, as any user,
/// in `folder` (`nil`: here), and ends it after `timeout` seconds.
///
/// - Throws: when the process cannot be started; a job that fails is a result like any other.
public func mpirun(
  ranks: Int, executable: String, arguments: [String] = [], in folder: URL? = nil, timeout: Int = 60,
  environment: [String: String] = [:]
) throws -> JobResult {
  try RunningJob(
    ranks: ranks, executable: executable, arguments: arguments, in: folder, timeout: timeout, environment: environment
  ).wait()
}

/// Runs `executable` (a name in ``buildFolder``) without mpirun and ends it after `timeout` seconds.
///
/// - Throws: when the process cannot be started; one that fails is a result like any other.
public func run(
  executable: String, arguments: [String] = [], in folder: URL? = nil, timeout: Int = 60,
  environment: [String: String] = [:]
) throws -> JobResult {
  let path = buildFolder.appendingPathComponent(executable).path
  return try launch([path] + arguments, in: folder, timeout: timeout, environment: environment)
}

/// Runs a script of the project, which is given by its path in the source folder, and ends it after `timeout` seconds.
/// `interpreter` runs scripts that cannot be started by themselves.
///
/// - Throws: when the process cannot be started; one that fails is a result like any other.
public func run(
  script: String, arguments: [String] = [], in folder: URL? = nil, timeout: Int = 180,
  environment: [String: String] = [:], interpreter: String? = nil
) throws -> JobResult {
  try launch(
    (interpreter.map { [$0] } ?? []) + [sourceFolder.appending(path: script).path] + arguments, in: folder,
    timeout: timeout, environment: environment)
}

/// Runs a command of this machine, which is found in PATH, and ends it after `timeout` seconds.
///
/// - Throws: when the process cannot be started; one that fails is a result like any other.
public func run(
  command: [String], in folder: URL? = nil, timeout: Int = 60, environment: [String: String] = [:]
) throws -> JobResult {
  try launch(command, in: folder, timeout: timeout, environment: environment)
}

/// Whether PATH has all of these programs.
public func isInstalled(_ programs: String...) -> Bool {
  let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  return programs.allSatisfy { program in
    folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }
}

private func launch(
  _ command: [String], in folder: URL?, timeout: Int, environment: [String: String]
) throws -> JobResult {
  try RunningJob(command, in: folder, timeout: timeout, environment: environment).wait()
}
