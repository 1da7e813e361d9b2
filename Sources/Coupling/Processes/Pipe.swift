import CLinux
import Glibc

/// An error number of the system.
struct Errno: Error {
  let code: Int32

  init(_ code: Int32) { self.code = code }
}

/// A pipe whose ends are closed in every program that is started, unless they are handed on.
struct Pipe {
  let reading: Int32
  let writing: Int32

  /// A new pipe.
  init() throws(Errno) {
    var ends: [Int32] = [-1, -1]
    guard daunce_pipe(&ends, O_CLOEXEC) == 0 else { throw Errno(errno) }
    (reading, writing) = (ends[0], ends[1])
  }

  /// Reading from this end, or writing to it, never waits; the program at the other end does not notice.
  static func doNotWait(_ end: Int32) { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }

  /// Writes to a pipe whose reader may be gone, which would end this process by SIGPIPE: the signal is held back from this
  /// thread meanwhile, and what the process does with it elsewhere stays as it is.
  ///
  /// - Returns: what `write` does; the error number is in `errno`.
  static func write(_ bytes: UnsafeRawBufferPointer, to end: Int32) -> Int {
    var (broken, before, pending) = (sigset_t(), sigset_t(), sigset_t())
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &broken, &before)
    sigpending(&pending)
    let wasPending = sigismember(&pending, SIGPIPE) == 1
    let count = Glibc.write(end, bytes.baseAddress, bytes.count)
    let code = errno
    if count < 0, code == EPIPE, !wasPending {
      var now = timespec()
      sigtimedwait(&broken, nil, &now)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    errno = code
    return count
  }
}
