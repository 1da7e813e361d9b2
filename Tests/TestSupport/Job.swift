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

/// Runs `executable` (a name in ``buildFolder``) as `ranks` ranks under mpirun, on any number of cores, as any user,
/// in `folder` (`nil`: here), and ends it after `timeout` seconds.
///
/// - Throws: when the process cannot be started; a job that fails is a result like any other.
public func mpirun(
  ranks: Int, executable: String, arguments: [String] = [], in folder: URL? = nil, timeout: Int = 60,
  environment: [String: String] = [:]
) throws -> JobResult {
  let settings = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_rmaps_base_oversubscribe": "1",
  ]
  let path = buildFolder.appendingPathComponent(executable).path
  return try launch(
    ["mpirun", "--oversubscribe", "-np", "\(ranks)", path] + arguments, in: folder, timeout: timeout,
    environment: settings.merging(environment) { $1 })
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
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
  return try launch(
    (interpreter.map { [$0] } ?? []) + [root.appending(path: script).path] + arguments, in: folder, timeout: timeout, environment: environment)
}

private func launch(
  _ command: [String], in workingFolder: URL?, timeout: Int, environment: [String: String]
) throws -> JobResult {
  // Output goes to files: a pipe that nobody empties would block the job.
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let (stdout, stderr) = (folder.appendingPathComponent("stdout"), folder.appendingPathComponent("stderr"))
  for file in [stdout, stderr] { try Data().write(to: file) }

  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  // Threads of a concurrency pool block signals, and children inherit that: the job would not hear `timeout`.
  process.arguments = ["--default-signal", "timeout", "-k", "5", "\(timeout)"] + command
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  if let workingFolder { process.currentDirectoryURL = workingFolder }
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = try FileHandle(forWritingTo: stdout)
  process.standardError = try FileHandle(forWritingTo: stderr)
  try process.run()
  process.waitUntilExit()
  let signal = process.terminationReason == .uncaughtSignal
  return JobResult(
    status: process.terminationStatus + (signal ? 128 : 0),
    stdout: String(decoding: try Data(contentsOf: stdout), as: UTF8.self),
    stderr: String(decoding: try Data(contentsOf: stderr), as: UTF8.self))
}
