import Glibc

extension MemberProcess {
  /// Seconds between two looks at a program whose end the kernel has no descriptor for.
  private static let pauseOfGlances = 0.005

  /// Waits until something happens to any of these programs that run, or `seconds` have passed, and does what is to be
  /// done: reads output, keeps time limits, notices ends. No signal is needed for that, and nothing spins.
  package static func serve(_ processes: [MemberProcess], within seconds: Double) {
    let running = processes.filter { $0.outcome == nil }
    var polled: [pollfd] = []
    polled.reserveCapacity(4 * running.count)
    func add(_ descriptor: Int32?, _ events: Int32) {
      if let descriptor { polled.append(pollfd(fd: descriptor, events: Int16(events), revents: 0)) }
    }
    var time = secondsNow() + seconds
    for process in running {
      time = min(time, process.nextTime)
      if process.needsGlances { time = min(time, secondsNow() + pauseOfGlances) }
      add(process.descriptor, POLLIN)
      add(process.streams.output, POLLIN)
      add(process.streams.errors, POLLIN)
      add(process.streams.isSending ? process.streams.input : nil, POLLOUT)
    }
    let count = wait(&polled, until: time)

    var next = 0
    /// Whether something happened to what was added in the same order before.
    func isReady(_ descriptor: Int32?) -> Bool {
      guard descriptor != nil else { return false }
      next += 1
      return count > 0 && polled[next - 1].revents != 0
    }
    for process in running {
      var isEnded = isReady(process.descriptor)
      let (hasOutput, hasErrors) = (isReady(process.streams.output), isReady(process.streams.errors))
      let takesInput = isReady(process.streams.isSending ? process.streams.input : nil)
      if hasOutput { process.streams.readOutput() }
      if hasErrors { process.streams.readErrors() }
      if takesInput { process.streams.write() }
      if process.needsGlances { isEnded = process.glance() }
      process.advance(isEnded: isEnded)
    }
  }

  /// Whether it still runs and nothing tells of its end.
  private var needsGlances: Bool { descriptor == nil && !hasEnded }

  /// Whether it has ended, which stays to be waited for.
  private func glance() -> Bool {
    var what = siginfo_t()
    let status = waitid(P_PID, id_t(number), &what, WEXITED | WNOHANG | WNOWAIT)
    return status != 0 ? errno == ECHILD : what.si_signo == SIGCHLD
  }

  /// Waits for nothing but time.
  static func pause(_ seconds: Double) {
    var nothing: [pollfd] = []
    _ = wait(&nothing, until: secondsNow() + seconds)
  }

  /// Waits until `time` at most, a millisecond longer at most; for a signal's sake less.
  private static func wait(_ polled: inout [pollfd], until time: Double) -> Int32 {
    let milliseconds = max(0, (time - secondsNow()) * 1000).rounded(.up)
    // -1 is for ever.
    let limit = milliseconds.isFinite ? Int32(min(milliseconds, 3_600_000)) : -1
    return poll(&polled, nfds_t(polled.count), limit)
  }
}
