import Glibc
import Synchronization

/// Requests to stop, as signals: SIGUSR1, by which schedulers warn of a time limit (mpirun passes it on), and SIGTERM.
enum Signals {
  private static let wasAsked = Atomic(false)

  /// From here on a request is only noted: whoever runs the cycles looks at `isAskedToStop`.
  static func watch() {
    // The first use of the flag is here and not in the handler, which may do nothing but store.
    wasAsked.store(false, ordering: .relaxed)
    for number in [SIGUSR1, SIGTERM] {
      signal(number) { _ in Signals.wasAsked.store(true, ordering: .relaxed) }
    }
  }

  /// From here on SIGTERM ends the process again: by it mpirun ends ranks that wait for another one to speak.
  static func obeyTermination() { signal(SIGTERM, SIG_DFL) }

  /// Whether this process has been asked to stop.
  static var isAskedToStop: Bool { wasAsked.load(ordering: .relaxed) }
}
