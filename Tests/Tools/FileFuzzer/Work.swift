import DaunceExperiment
import Foundation
import DaunceMPI

/// Reads inputs `first`, `first + step`, ... below `last` and tells a line about each. An input that takes longer than
/// `limit` seconds of processor time, or twenty times that by the clock (children may take longer), ends the process by
/// a signal.
func work(
  in folder: URL, seed: UInt64, isolatedShare: Int, first: Int, last: Int, step: Int, limit: Int
) throws {
  let mpi = try DaunceMPI.Environment()
  let corpus = folder.appending(path: "corpus")
  let readers = try Readers(mpi, corpus: corpus)
  let inputs = try Inputs(corpus: corpus, seed: seed, isolatedShare: isolatedShare)
  let path = folder.appending(path: "input-\(first % step)").path
  for index in stride(from: first, to: last, by: step) {
    let label = try inputs.write(index, to: path)
    say("\(index)\t\(label.kind)\t\(label.name)")
    var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: limit, tv_usec: 0))
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    alarm(UInt32(20 * limit))
    let start = ContinuousClock.now
    let (outcome, message) = readers.read(path, as: label.kind, thenAs: label.other)
    let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
    say("\t\(outcome)\t\(Int(milliseconds))\t\(message.replacing("\n", with: " | ").prefix(400))")
  }
  try mpi.finalize()
}

/// A line that is out before anything else happens.
private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// One run of the fuzzer over many inputs.
struct Run {
  let folder: URL
  let seed: UInt64
  let isolatedShare: Int
  /// What workers say before they crash, in the file `errors` of the folder.
  private let errors: FileHandle

  /// Makes a folder with the corpus in it, in memory if possible.
  init(seed: UInt64, isolatedShare: Int) throws {
    self.seed = seed
    self.isolatedShare = isolatedShare
    let shared = URL(filePath: "/dev/shm")
    let place =
      FileManager.default.isWritableFile(atPath: shared.path) ? shared : FileManager.default.temporaryDirectory
    folder = place.appending(path: "daunce-fuzz-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let log = folder.appending(path: "errors")
    try Data().write(to: log)
    errors = try FileHandle(forWritingTo: log)
    let corpus = folder.appending(path: "corpus").path
    guard try launch(["corpus", corpus], { _ in }) == .exit(0) else {
      throw CocoaError(.executableLoad)
    }
  }

  /// Whether every file of the corpus is what it should be, before it is damaged.
  static func checkCorpus(_ folder: URL, _ readers: Readers) throws {
    for seed in try Corpus.load(from: folder) {
      let path = folder.appending(path: "seeds/\(seed.name)").path
      let (outcome, message) = readers.read(path, as: seed.kind, thenAs: .record)
      // Agents are read only with their seal whole, several truths only with their seeds in 64 bits.
      let isRefused =
        seed.kind == .agent && seed.structure == nil
        || ["nature-series~classic.nc", "nature-series~offset64.nc"].contains(seed.name)
      guard outcome == (isRefused ? .refused : .read) else { throw Readers.Broken("\(seed.name): \(message)") }
    }
  }

  enum Ending: Equatable {
    case exit(Int32)
    case signal(Int32)
  }

  /// This program again; every line that it prints goes to `line`.
  private func launch(_ arguments: [String], _ line: (Substring) -> Void) throws -> Ending {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    // A crash is counted; what led to it is found out with --only.
    process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    let isRun = arguments.first == "work" && !CommandLine.arguments.contains("--only")
    if isRun { process.standardError = errors }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    var rest = ""
    while let data = try pipe.fileHandleForReading.read(upToCount: 1 << 16), !data.isEmpty {
      rest += String(decoding: data, as: UTF8.self)
      var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
      rest = String(lines.removeLast())
      for text in lines { line(text) }
    }
    process.waitUntilExit()
    return process.terminationReason == .exit
      ? .exit(process.terminationStatus) : .signal(process.terminationStatus)
  }

  /// Inputs 0..<count by as many processes as there are cores.
  ///
  /// - Returns: whether every input was read or refused.
  func go(count: Int) throws -> Bool {
    let jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)
    let start = ContinuousClock.now
    let results = Results()
    DispatchQueue.concurrentPerform(iterations: jobs) { job in
      var next = job
      while next < count {
        var report = Report()
        let numbers = [isolatedShare, next, count, jobs].map { "\($0)" }
        let ending = try? launch(["work", folder.path, "\(seed)"] + numbers) { report.take($0) }
        if ending == .exit(0) {
          next = count
        } else {
          let index = report.current ?? next
          let how =
            switch ending {
            case .signal(SIGPROF), .signal(SIGALRM): "hang"
            case .signal(let signal): "crash (signal \(signal))"
            case .exit(let code): "exit code \(code)"
            case nil: "no start"
            }
          report.fail(index, how)
          keep(index, job)
          next = index + jobs
        }
        results.add(report)
        for (index, _) in report.wrong { keep(index, nil) }
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print(results.table(seconds: seconds))
    let failures = results.failures
    for (index, text) in failures { print("input \(index): \(text)") }
    if failures.isEmpty {
      try FileManager.default.removeItem(at: folder)
    } else {
      print("kept in \(folder.path); again: FileFuzzer --only INDEX \(seed) \(isolatedShare)")
    }
    return failures.isEmpty
  }

  /// Keeps the input that a worker fell over.
  private func keep(_ index: Int, _ job: Int?) {
    let target = folder.appending(path: "failed-\(index)")
    if let job { try? FileManager.default.copyItem(at: folder.appending(path: "input-\(job)"), to: target) }
  }
}

/// What a worker's lines say.
struct Report {
  /// Input that is being read.
  var current: Int?
  private var name = ""
  var counts: [String: [String: Int]] = [:]
  var wrong: [(Int, String)] = []
  var slowest: (milliseconds: Int, index: Int) = (0, 0)
  var total = 0

  mutating func take(_ line: Substring) {
    let words = line.split(separator: "\t", omittingEmptySubsequences: false)
    if words.count == 3, let index = Int(words[0]) {
      current = index
      name = String(words[2])
    } else if words.count >= 4, words[0].isEmpty, let index = current {
      counts[form, default: [:]][String(words[1]), default: 0] += 1
      total += 1
      if let time = Int(words[2]), time > slowest.milliseconds { slowest = (time, index) }
      if words[1] == Outcome.wrong.rawValue { wrong.append((index, "\(name): \(words[3])")) }
    }
  }

  mutating func fail(_ index: Int, _ how: String) {
    counts[form, default: [:]][how, default: 0] += 1
    total += 1
    wrong.append((index, "\(name): \(how)"))
  }

  /// `agent, structure`; `observations, classic`.
  private var form: String {
    let kind = name.prefix { $0.isLetter }
    let form = name.split(separator: "~").dropFirst().first?.prefix { $0.isLetter || $0.isNumber }
    let how = name.split(separator: ", ").last ?? ""
    return "\(kind), \(form.map(String.init) ?? String(how))"
  }
}

/// All workers' reports.
final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private var reports: [Report] = []

  func add(_ report: Report) { lock.withLock { reports.append(report) } }

  var failures: [(Int, String)] { reports.flatMap(\.wrong).sorted { $0.0 < $1.0 } }

  /// Inputs by form and outcome.
  func table(seconds: Double) -> String {
    var counts: [String: [String: Int]] = [:]
    for report in reports {
      for (form, outcomes) in report.counts { counts[form, default: [:]].merge(outcomes, uniquingKeysWith: +) }
    }
    let lines = counts.sorted { $0.key < $1.key }.map { form, outcomes in
      let texts = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      return "\(form): \(texts.joined(separator: ", "))"
    }
    let slowest = reports.map(\.slowest).max { $0.milliseconds < $1.milliseconds } ?? (0, 0)
    let total = reports.reduce(0) { $0 + $1.total }
    let bad = failures.count
    return lines.joined(separator: "\n")
      + "\n\(total) inputs in \(Int(seconds)) s, \(bad) neither read nor refused; slowest \(slowest.milliseconds) ms "
      + "(input \(slowest.index))"
  }
}
