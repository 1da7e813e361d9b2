import Foundation
import TestSupport
import Testing

/// A real Slurm of one node with four CPUs on this machine, for all tests of a suite.
struct Slurm: Sendable {
  /// Where it can run: its daemons start jobs as any user, so they are root's.
  static var isPossible: Bool { geteuid() == 0 && isInstalled("slurmctld", "slurmd", "sbatch") }

  @TaskLocal static var current: Slurm?

  static let helper = "Tests/Jobs/ClusterTests/Helpers/slurm"

  let folder: URL

  private var environment: [String: String] {
    jobEnvironment.merging(["SLURM_CONF": folder.appending(path: "slurm.conf").path]) { $1 }
  }

  /// A command of Slurm's, or a script that calls some, in the folder of `place`.
  func run(_ command: [String], in place: Place, _ settings: [String: String] = [:]) throws -> JobResult {
    try TestSupport.run(command: command, in: place.folder, environment: environment.merging(settings) { $1 })
  }

  /// Submits a script and waits for its end; `sbatch --wait` asks only every few seconds.
  ///
  /// - Returns: the job's exit code, of the last task of an array.
  func submit(_ options: String..., in place: Place, _ settings: [String: String] = [:]) throws -> Int? {
    let sbatch = try run(["sbatch", "--parsable"] + options, in: place, settings)
    try #require(sbatch.status == 0, "\(sbatch.stderr)")
    let job = sbatch.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    let isOver = try place.wait { try run(["squeue", "--noheader", "--jobs", job], in: place).stdout.isEmpty }
    try #require(isOver)
    return try value("ExitCode", of: job, in: place)?.split(separator: ":").first.flatMap { Int($0) }
  }

  /// The value that `scontrol show job` gives for a key.
  func value(_ key: String, of job: String, in place: Place) throws -> String? {
    let text = try run(["scontrol", "show", "job", "--oneliner", job], in: place).stdout
    return text.split(separator: " ").first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
  }

  /// Sends a signal to a job's script, as Slurm itself does before a limit.
  func warn(_ job: String, _ signal: String, in place: Place) throws {
    let result = try run(["scancel", "--signal=\(signal)", "--batch", job], in: place)
    try #require(result.status == 0, "\(result.stderr)")
  }

  /// Waits until a job is back in the queue, where it would stay for two minutes, and lets it start soon. At once would
  /// be too early: nodes refuse what was allowed in the second in which they were told to end the job.
  func startsAgain(_ job: String, in place: Place) throws -> Bool {
    guard try reaches("PENDING", job, in: place) else { return false }
    return try place.wait { try run(["scontrol", "update", "JobId=\(job)", "StartTime=now+3"], in: place).status == 0 }
  }

  /// Waits until a job is in a state.
  func reaches(_ state: String, _ job: String, in place: Place) throws -> Bool {
    try place.wait { try value("JobState", of: job, in: place) == state }
  }
}

/// Starts Slurm before the first test of a suite and stops it after the last.
struct SlurmTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "slurm-\(UUID().uuidString)")
    defer {
      _ = try? run(script: Slurm.helper, arguments: ["stop", folder.path], timeout: 60)
      try? FileManager.default.removeItem(at: folder)
    }
    let start = try run(script: Slurm.helper, arguments: ["start", folder.path], timeout: 60)
    try #require(start.status == 0, "\(start.stderr)")
    try await Slurm.$current.withValue(Slurm(folder: folder)) { try await function() }
  }
}

extension Trait where Self == SlurmTrait {
  static var slurm: Self { SlurmTrait() }
}
