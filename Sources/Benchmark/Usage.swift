#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this process has used so far, in seconds; differences mean something.
struct Usage {
  /// Of a clock on the wall that only moves forward.
  var wall: Double
  /// Of processors, in the program and in the system, to the nanosecond.
  var processor: Double
  /// Of processors, in the program alone. The system divides by samples, a few hundred a second.
  var user: Double

  static var now: Usage {
    var usage = rusage()
    getrusage(Self.ownProcess, &usage)
    return Usage(
      wall: seconds(CLOCK_MONOTONIC), processor: seconds(CLOCK_PROCESS_CPUTIME_ID),
      user: Double(usage.ru_utime.tv_sec) + 1e-6 * Double(usage.ru_utime.tv_usec))
  }

  /// Shortest wall seconds of many runs, so that a run that had to share its core does not count.
  static func fastest(of runs: Int = 50, _ body: () -> Void) -> Double {
    var least = Double.infinity
    for _ in 0..<runs {
      let start = now.wall
      body()
      least = min(least, now.wall - start)
    }
    return least
  }

  static func - (later: Usage, earlier: Usage) -> Usage {
    Usage(
      wall: later.wall - earlier.wall, processor: later.processor - earlier.processor, user: later.user - earlier.user)
  }

  #if canImport(Glibc)
    private static let ownProcess = __rusage_who_t(Int32(bitPattern: UInt32(RUSAGE_SELF.rawValue)))
  #else
    private static let ownProcess = RUSAGE_SELF
  #endif

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
