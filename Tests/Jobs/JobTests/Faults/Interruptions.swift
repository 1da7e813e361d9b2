import Foundation
import TestSupport
import Testing

/// A small experiment in a folder of its own that is interrupted and gone on with, and what it would have written if it
/// had been left alone.
struct InterruptedRun {
  let workshop: Workshop
  let place: String
  let arguments: [String]

  /// Less than the workshop's configuration: it is run many times.
  static let configuration = """
    members: 4
    methods: [rl, rl-unconstrained, constrained-eakf]
    initial: {spread: 0.1, climatology_runs: 4}
    constraints: {band_quantiles: [0.3, 0.7], band_margin: 0}
    truths: {training: 2, training_cycles: 16, test: 2, cycles: 10, spinup_cycles: 2}
    agents:
      warm_start: {steps: 12, batch: 4}
      ppo: {iterations: 3, horizon: 4, sequences: 2}
    """

  init(_ workshop: Workshop, _ place: String, command: [String] = ["run"], configuration: String = configuration) throws {
    self.workshop = workshop
    self.place = try workshop.makePlace(place)
    try workshop.write(configuration, to: "\(place)/tiny.yaml")
    arguments = command + ["--config", "tiny.yaml", "--output", "out", "--checkpoint-every", "3"]
  }

  var folder: URL { workshop.folder.appending(path: place) }

  /// The uninterrupted run, done once for all tests.
  static func reference(_ workshop: Workshop) throws -> [String: Data] {
    try references.withLock { known in
      if let files = known[workshop.folder] { return files }
      let run = try InterruptedRun(workshop, "uninterrupted")
      let result = try run.job(ranks: 2)
      try #require(result.status == 0, "\(result.stderr)")
      let files = try run.files()
      known[workshop.folder] = files
      return files
    }
  }

  private static let references = Lock<[URL: [String: Data]]>([:])

  func start(ranks: Int, resumes: Bool = false) throws -> RunningJob {
    let job = try RunningJob(
      ranks: ranks, executable: "daunce-mpi", arguments: arguments + (resumes ? ["--resume"] : []), in: folder)
    _ = job.launcher
    return job
  }

  func job(ranks: Int, resumes: Bool = false, more: [String] = []) throws -> JobResult {
    try workshop.job(ranks, arguments + (resumes ? ["--resume"] : []) + more, in: place)
  }

  /// Everything that was written, the scores without times.
  func files() throws -> [String: Data] {
    var files = try workshop.contents("\(place)/out")
    for name in ["scores.json", "training.json"] {
      guard let text = files[name], let scores = try JSONSerialization.jsonObject(with: text) as? [String: Any]
      else { continue }
      files[name] = try JSONSerialization.data(withJSONObject: withoutSeconds(scores), options: .sortedKeys)
    }
    return files
  }

  /// Numbers of the checkpoints that have a manifest.
  var checkpoints: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/out/checkpoints")) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("manifest-"), name.hasSuffix(".json") else { return nil }
      return Int(name.dropFirst(9).dropLast(5))
    }.sorted()
  }

  /// Waits until a checkpoint of at least this number is there, or the job has ended.
  func waitForCheckpoint(_ number: Int, of job: RunningJob) {
    while job.isRunning, checkpoints.last ?? 0 < number { usleep(2_000) }
  }

  /// Starts the job and stops it as soon as it has written so many checkpoints more, again and again, on other numbers of ranks, until
  /// it is done: how often that was.
  func interruptions(every checkpoints: Int) throws -> Int {
    for count in 0..<30 {
      let job = try start(ranks: [2, 1, 3][count % 3], resumes: count > 0)
      waitForCheckpoint((self.checkpoints.last ?? 0) + checkpoints, of: job)
      job.signalLauncher(SIGUSR1)
      let result = try job.wait()
      if result.status == 0 { return count }
      try #require(result.status == 75, "\(result.stderr)")
    }
    return 30
  }
}

/// A value for one thread at a time.
final class Lock<Value>: @unchecked Sendable {
  private var value: Value
  private let lock = NSLock()

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
