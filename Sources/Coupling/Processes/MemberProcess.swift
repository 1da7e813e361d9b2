import CLinux
import Glibc

/// A program that runs, from its start to its end, with all processes that it starts.
///
/// It is in a process group of its own, which ends with it: what it has left in the background does not stay behind, and
/// nothing of it outlives this process. Its output is read here, so somebody has to wait for it, see `wait()` and
/// ``serve(_:within:)``. One thread uses one object.
package final class MemberProcess {
  /// What is at its standard input.
  package enum Input {
    /// Nothing: its end.
    case nothing
    /// What is sent by `send`.
    case pipe
  }

  /// Where it is on its way to the end.
  private enum Phase {
    case running
    /// Asked to end, until a time when it is ended.
    case asked(until: Double)
    /// Ended by SIGKILL.
    case ended
  }

  /// What is run.
  package let command: ProcessCommand
  /// Number of its process and of its group.
  package let number: Int32
  /// What it left behind; `nil` while it runs.
  package private(set) var outcome: ProcessOutcome?

  private let mark: String
  private let begin: Double
  private var phase = Phase.running
  /// Why it was asked to end.
  private var cause: ProcessEnding?
  /// When its time begins and ends.
  private var timer: (begin: Double, end: Double)?
  /// Whether the program itself has ended, and when to look again whether all that it has started has.
  private(set) var hasEnded = false
  private var look = (time: 0.0, pause: 0.01)

  /// Readable when the program has ended; `nil` where the kernel has no such thing, and in the end.
  private(set) var descriptor: Int32?
  /// Its standard streams.
  let streams: ProgramStreams

  /// Starts `command`.
  ///
  /// - Throws: an outcome whose ending is ``ProcessEnding/notStarted(_:)``.
  package init(_ command: ProcessCommand, input kind: Input = .nothing) throws(ProcessOutcome) {
    streams = try ProgramStreams(of: command, hasInput: kind == .pipe)
    begin = secondsNow()
    mark = ProcessGuardian.mark + "\(UInt64(begin * 1e9))"
    let variables = command.environment.filter { $0.key != MarkedProcesses.name }.map { "\($0)=\($1)" }
    do throws(Errno) {
      try ProcessGuardian.prepare()
      number = try ProcessStart(
        path: command.executable(), words: command.words,
        environment: ["\(MarkedProcesses.name)=\(mark)"] + variables, folder: command.folder,
        input: streams.theirs.input, output: streams.theirs.output, errors: streams.theirs.errors
      ).start()
    } catch {
      throw ProcessOutcome(command, .notStarted(command.reason(error.code)))
    }
    self.command = command
    ProcessGuardian.watch(number)
    // The limit is set from here, right after the start, and not by a shell before it: an error of the start remains the
    // program's own. What the program has taken in between counts too, since the limit is one for the sum.
    if let memory = command.limits.memory { _ = daunce_limit_memory(number, UInt(max(0, memory))) }
    if let other = command.limits.coresOf { _ = daunce_share_cores(number, other) }
    let descriptor = daunce_process_descriptor(number)
    self.descriptor = descriptor < 0 ? nil : descriptor
    streams.closeTheirs()
    if let seconds = command.limits.seconds { limit(seconds) }
  }

  deinit {
    guard outcome == nil else { return }
    end()
    finish()
  }

  // MARK: For whoever waits

  /// Waits for its end.
  package func wait() -> ProcessOutcome {
    while true {
      if let outcome { return outcome }
      Self.serve([self], within: .infinity)
    }
  }

  /// Asks it and all that it has started to end, and ends them when the time of grace is over; it has ended when
  /// `outcome` says so.
  package func stop() { stop(.cancelled, at: secondsNow()) }

  /// Has it ended `seconds` from now, without saying anything by then; `nil`: when it likes.
  func limit(_ seconds: Double?) {
    let now = secondsNow()
    timer = seconds.map { (now, now + $0) }
  }

  /// When something is to be done even if nothing happens.
  var nextTime: Double {
    switch phase {
    case .running: timer?.end ?? .infinity
    case .asked(let end): hasEnded ? min(look.time, end) : end
    case .ended: .infinity
    }
  }

  // MARK: What happens

  /// Does what is to be done now: `isEnded` once the program itself has ended.
  func advance(isEnded: Bool) {
    if isEnded {
      hasEnded = true
      give(back: &descriptor)
    }
    let now = secondsNow()
    switch phase {
    case .running:
      if hasEnded { finish() } else if let timer, now >= timer.end { stop(.timedOut(now - timer.begin), at: now) }
    case .asked(let time):
      if hasEnded, now >= look.time || now >= time {
        if MarkedProcesses.numbers(mark).isEmpty { return finish() }
        look = (now + look.pause, min(2 * look.pause, 0.2))
      }
      if now >= time { end() }
      if now >= time, hasEnded { finish() }
    case .ended:
      if hasEnded { finish() }
    }
  }

  private func stop(_ cause: ProcessEnding, at now: Double) {
    guard outcome == nil, case .running = phase else { return }
    self.cause = cause
    phase = .asked(until: now + max(0, command.limits.grace))
    kill(-number, SIGTERM)
    // One that has been halted hears nothing.
    kill(-number, SIGCONT)
  }

  private func end() {
    phase = .ended
    kill(-number, SIGKILL)
    MarkedProcesses.kill(mark)
  }

  /// The program has ended or does so now: all that it has left is ended, read and given back.
  private func finish() {
    // As long as nobody has waited for it, its number is no other group's.
    kill(-number, SIGKILL)
    ProcessGuardian.forget(number)
    var status: Int32 = 0
    var found = waitpid(number, &status, 0)
    while found < 0, errno == EINTR { found = waitpid(number, &status, 0) }
    streams.finish()
    give(back: &descriptor)
    let signal = status & 0x7F
    // Where children are nobody's to wait for (SIGCHLD ignored), how it ended is not to be known.
    let ending: ProcessEnding =
      found < 0 ? .exited(-1) : signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal)
    outcome = ProcessOutcome(
      command, cause ?? ending, seconds: secondsNow() - begin, lastOutput: streams.lastOutput,
      lastErrors: streams.lastErrors, fileProblem: streams.failure.map(systemText))
  }
}
