/// A program that stays alive and answers requests on its standard input and output, one line each (`WorkerProtocol`).
///
/// Lines that it writes before its answer and that do not begin with the word `ok` or `error` are ordinary output, such as
/// an interpreter's warnings. A worker that does not answer in time is ended; another one has to be started. One thread
/// uses one object.
package final class WorkerProcess {
  private let process: MemberProcess
  private let reader: AnswerReader
  private var request: (words: [String], begin: Double)?
  /// Whether it has closed a stream without which it cannot answer.
  private var isSilent = false

  /// Seconds that a worker has to end in once it has closed its standard input or output.
  private static let farewell = 1.0

  /// Starts a worker. The limits are those of a program, but `limits.seconds` holds for each request by itself.
  ///
  /// - Throws: an outcome whose ending is ``ProcessEnding/notStarted(_:)``.
  package init(_ command: ProcessCommand) throws(ProcessOutcome) {
    if command.outputFile != nil, command.outputFile == command.errorFile {
      throw ProcessOutcome(command, .notStarted("a worker's standard output and standard error need files of their own"))
    }
    process = try MemberProcess(command, input: .pipe)
    process.limit(nil)
    reader = AnswerReader(keeper: process.streams.keeper)
    process.streams.receiver = reader
    // An answer in time is one, whenever it is fetched.
    reader.whenAnswered = { [unowned process] in process.limit(nil) }
  }

  /// What was started.
  package var command: ProcessCommand { process.command }

  /// What it left behind; `nil` while it is there to be asked.
  package var outcome: ProcessOutcome? { process.outcome }

  /// Whether it is at work on a request.
  package var isBusy: Bool { request != nil }

  /// Sends a request and waits for the answer.
  ///
  /// - Parameter seconds: the longest time for it; `nil` for the limit of the command.
  /// - Returns: the words after `ok`.
  package func ask(_ words: [String], within seconds: Double? = nil) throws(WorkerError) -> [String] {
    try begin(words, within: seconds)
    while true {
      if let answer = try answer() { return answer }
      Self.serve([self], within: .infinity)
    }
  }

  /// Sends a request, whose answer is fetched by `answer()`: so several workers can be at work.
  ///
  /// - Throws: where the answer to another request has not been fetched yet.
  package func begin(_ words: [String], within seconds: Double? = nil) throws(WorkerError) {
    guard request == nil else { throw error(.busy, (words, secondsNow())) }
    request = (words, secondsNow())
    // What is there already is no answer to what it is asked now.
    process.streams.readOutput()
    reader.expect()
    guard outcome == nil else { return }
    process.limit(seconds ?? command.limits.seconds)
    process.streams.send(WorkerProtocol.line(words))
  }

  /// The words after `ok` of the answer to the request, with which it is done; `nil` if there is none so far.
  package func answer() throws(WorkerError) -> [String]? {
    guard let request else { return nil }
    if let answer = reader.answer {
      self.request = nil
      switch answer {
      case .success(let words): return words
      case .failure(let text): throw error(.refused(text), request)
      }
    }
    if let outcome {
      self.request = nil
      throw error(.ended(outcome), request)
    }
    return nil
  }

  /// Waits until something happens to any of these workers, or `seconds` have passed: then `answer()` may have one.
  package static func serve(_ workers: [WorkerProcess], within seconds: Double) {
    MemberProcess.serve(workers.map(\.process), within: seconds)
    for worker in workers { worker.noticeSilence() }
  }

  /// Closes its standard input, upon which it should end by itself, and ends it if it has not after `seconds`.
  package func stop(within seconds: Double = 5) -> ProcessOutcome {
    process.streams.closeInput()
    process.limit(seconds)
    return process.wait()
  }

  /// A worker that has closed its streams will never answer: it ends, or is ended.
  private func noticeSilence() {
    guard request != nil, outcome == nil, reader.answer == nil, !isSilent else { return }
    guard process.streams.output == nil || process.streams.input == nil else { return }
    isSilent = true
    process.limit(Self.farewell)
  }

  private func error(_ problem: WorkerError.Problem, _ request: (words: [String], begin: Double)) -> WorkerError {
    WorkerError(
      problem: problem, command: command, request: request.words, seconds: secondsNow() - request.begin,
      hasClosedStreams: isSilent)
  }
}

/// Why a worker did not do what it was asked.
package struct WorkerError: Error, Sendable, CustomStringConvertible {
  /// What happened.
  package enum Problem: Sendable {
    /// It answered `error` and this text; it is there to be asked again.
    case refused(String)
    /// It has ended, by itself or because it took too long.
    case ended(ProcessOutcome)
    /// It is at work on another request.
    case busy
  }

  package let problem: Problem
  /// The worker.
  package let command: ProcessCommand
  /// What it was asked.
  package let request: [String]
  /// Seconds since it was asked.
  package let seconds: Double
  /// Whether it had closed its standard input or output, by which it cannot answer.
  package let hasClosedStreams: Bool

  /// One line, and below it the last ones of the worker, if it has ended.
  package var description: String {
    let line = String(decoding: WorkerProtocol.line(request).dropLast(), as: UTF8.self)
    let asked = line.count <= 200 ? line : line.prefix(197) + "..."
    switch problem {
    case .refused(let text): return "\(command.text) in \(command.folder): error on request `\(asked)`: \(text)"
    case .busy: return "\(command.text) in \(command.folder): no time for request `\(asked)`: it is at work on another one"
    case .ended(let outcome):
      let silence = hasClosedStreams ? ", having closed its standard input or output" : ""
      return "no answer to request `\(asked)` for \(secondsText(seconds))\(silence): \(outcome)"
    }
  }
}
