import Glibc

/// How a program ended.
package enum ProcessEnding: Sendable, Hashable, CustomStringConvertible {
  /// By itself, with this code.
  case exited(Int32)
  /// By a signal that was not ours.
  case killed(Int32)
  /// By us, after so many seconds.
  case timedOut(Double)
  /// By us, because nobody wanted it any more.
  case cancelled
  /// It has never run; the system's reason.
  case notStarted(String)

  /// For messages: `exit code 3`, `signal 11 (Segmentation fault)`.
  package var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .killed(let signal):
      "signal \(signal) (\(Self.name(of: signal)))"
        + (signal == SIGKILL ? ", which the system sends when memory is exhausted" : "")
    case .timedOut(let seconds): "ended at its time limit, after \(secondsText(seconds))"
    case .cancelled: "ended on request"
    case .notStarted(let reason): "could not be started: \(reason)"
    }
  }

  private static func name(of signal: Int32) -> String { strsignal(signal).map { String(cString: $0) } ?? "unknown" }
}

/// What a program left behind; as an error where it had to succeed.
package struct ProcessOutcome: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was run, and where.
  package let command: ProcessCommand
  /// How it ended.
  package let ending: ProcessEnding
  /// Seconds from its start to its end; 0 if it has never run.
  package let seconds: Double
  /// The last lines of its standard output: at most 10, and 2000 characters.
  package let lastOutput: String
  /// The last lines of its standard error.
  package let lastErrors: String
  /// Why its output is not whole in its files, such as a full disk; `nil` if it is but for what the limit leaves out.
  package let fileProblem: String?

  init(
    _ command: ProcessCommand, _ ending: ProcessEnding, seconds: Double = 0, lastOutput: String = "",
    lastErrors: String = "", fileProblem: String? = nil
  ) {
    self.command = command
    self.ending = ending
    self.seconds = seconds
    self.lastOutput = lastOutput
    self.lastErrors = lastErrors
    self.fileProblem = fileProblem
  }

  /// Whether it ended by itself with code 0.
  package var isSuccess: Bool { ending == .exited(0) }

  /// Whether it was ended at its start by a signal that asks a job to stop. mpirun sends these to a rank and to all that is in
  /// the rank's process group, in which a program is until it has one of its own: it was not meant.
  var isCaughtAtStart: Bool {
    guard case .killed(let signal) = ending, seconds < 0.1 else { return false }
    return [SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP].contains(signal)
  }

  /// The last lines that tell why: of its standard error, or of its output where it has written no errors.
  package var lastLines: String { lastErrors.isEmpty ? lastOutput : lastErrors }

  /// One line, and below it the last ones of the program: `model --days 3 in /data/member-7: exit code 3 after 0.2 s`.
  package var description: String {
    var text = "\(command.text) in \(command.folder): \(ending)"
    switch ending {
    case .exited, .killed, .cancelled: text += " after \(secondsText(seconds))"
    case .timedOut, .notStarted: break
    }
    if let fileProblem { text += "; its output is not whole: \(fileProblem)" }
    if !lastLines.isEmpty { text += "; its last lines:\n\(lastLines)" }
    return text
  }
}

/// The system's words for an error number.
func systemText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// `0.12 s`, `12.3 s`, `1234 s`.
func secondsText(_ seconds: Double) -> String {
  let scale: Double = seconds < 1 ? 1000 : seconds < 100 ? 10 : 1
  let rounded = (seconds * scale).rounded() / scale
  return rounded == rounded.rounded() ? "\(Int(rounded)) s" : "\(rounded) s"
}

/// Seconds on a clock that nobody sets.
func secondsNow() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
}
