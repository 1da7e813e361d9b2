public import Foundation

/// A process, and all those that it starts, while they run: for tests that interfere with them.
public final class RunningJob {
  private let process = Process()
  private let folder: URL
  /// In the environment of all of the job's processes, as `DAUNCE_TEST_JOB`, so that they can be found.
  public let mark: String

  /// Starts `executable` (a name in ``buildFolder``, or a path) as `ranks` ranks; see `mpirun`.
  public convenience init(
    ranks: Int, executable: String, arguments: [String] = [], in folder: URL? = nil, timeout: Int = 60,
    environment: [String: String] = [:]
  ) throws {
    let path = executable.hasPrefix("/") ? executable : buildFolder.appendingPathComponent(executable).path
    try self.init(
      ["mpirun", "-np", "\(ranks)", path] + arguments, in: folder, timeout: timeout,
      environment: mpirunSettings.merging(environment) { $1 })
  }

  init(_ command: [String], in workingFolder: URL?, timeout: Int, environment: [String: String]) throws {
    // Output goes to files: a pipe that nobody empties would block the job.
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    mark = environment["DAUNCE_TEST_JOB"] ?? UUID().uuidString
    for file in [stdout, stderr] { try Data().write(to: file) }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Threads of a concurrency pool block signals, and children inherit that: the job would not hear `timeout`.
    process.arguments = ["--default-signal", Self.timeout, "-k", "5", "\(timeout)"] + command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      .merging(["DAUNCE_TEST_JOB": mark]) { $1 }
    if let workingFolder { process.currentDirectoryURL = workingFolder }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: stdout)
    process.standardError = try FileHandle(forWritingTo: stderr)
    try process.run()
  }

  /// The program `timeout`, which is needed even if the job is not to find it.
  private static let timeout: String = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.map { "\($0)/timeout" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "timeout"
  }()

  deinit { try? FileManager.default.removeItem(at: folder) }

  private var stdout: URL { folder.appendingPathComponent("stdout") }
  private var stderr: URL { folder.appendingPathComponent("stderr") }

  /// Whether it has not ended yet.
  public var isRunning: Bool { process.isRunning }

  /// Waits until it ends.
  public func wait() throws -> JobResult {
    process.waitUntilExit()
    let signal = process.terminationReason == .uncaughtSignal
    return JobResult(
      status: process.terminationStatus + (signal ? 128 : 0),
      stdout: try text(of: stdout), stderr: try text(of: stderr))
  }

  /// PRRTE's mpirun writes a zero byte into the streams of a job that has failed.
  private func text(of file: URL) throws -> String {
    String(decoding: try Data(contentsOf: file).filter { $0 != 0 }, as: UTF8.self)
  }

  /// What mpirun calls itself: it may be a link, and Open MPI 5's becomes PRRTE's.
  private static let launchers: Set = ["mpirun", "mpirun.openmpi", "orterun", "prterun", "prte"]

  /// Number of mpirun's process, for which the first look waits; `nil` if the job has ended before it was seen. To look
  /// takes longer than a small job may last, so look first and signal later.
  public private(set) lazy var launcher: Int? = {
    while isRunning {
      let found = processes(marked: mark).first { Self.launchers.contains(name(of: $0)) }
      if let found { return found }
    }
    return nil
  }()

  /// Sends a signal to mpirun itself.
  ///
  /// - Returns: whether it was there to receive it.
  @discardableResult
  public func signalLauncher(_ signal: Int32) -> Bool {
    isRunning && launcher.map { kill(pid_t($0), signal) == 0 } ?? false
  }

  /// Sends a signal to one rank.
  ///
  /// - Returns: whether it was there to receive it.
  @discardableResult
  public func signalRank(_ rank: Int, _ signal: Int32) -> Bool {
    let variable = Data("\0OMPI_COMM_WORLD_RANK=\(rank)\0".utf8)
    let found = processes(marked: mark).first { process in
      FileManager.default.contents(atPath: "/proc/\(process)/environ")?.range(of: variable) != nil
    }
    return found.map { kill(pid_t($0), signal) == 0 } ?? false
  }

  /// Kills mpirun and all ranks at once, but nothing that ranks have started.
  ///
  /// - Parameter program: name of the ranks' executable.
  public func killAll(_ program: String) {
    for process in processes(marked: mark) where Self.launchers.contains(name(of: process)) || name(of: process) == program {
      kill(pid_t(process), SIGKILL)
    }
  }

  private func name(of process: Int) -> String {
    let text = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// Numbers of the processes that run with `DAUNCE_TEST_JOB=mark` in their environment.
public func processes(marked mark: String) -> [Int] {
  let variable = Data("DAUNCE_TEST_JOB=\(mark)".utf8)
  let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int($0) } ?? []
  return all.filter { process in
    FileManager.default.contents(atPath: "/proc/\(process)/environ")?.range(of: variable) != nil && isRunning(process)
  }
}

/// The same after a job has ended, which takes its last processes a moment.
public func processesLeft(marked mark: String) -> [Int] {
  var found: [Int] = []
  for _ in 0..<20 {
    found = processes(marked: mark)
    if found.isEmpty { break }
    usleep(100_000)
  }
  return found
}
