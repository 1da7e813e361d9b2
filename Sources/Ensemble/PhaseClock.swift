#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
public import DaunceMPI

/// Wall time of the parts of a cycle, for measurements.
///
/// Whoever runs or takes part in a cycle says what begins: `enter(.reduction)` ends the phase before. So every
/// nanosecond between the first `enter` and `stop` belongs to exactly one phase, and the parts add up to the whole.
/// An ensemble carries a clock only while it is measured (``DistributedEnsemble/clock``).
public final class PhaseClock {
  /// Part of a cycle.
  public enum Phase: Int, Sendable, CaseIterable {
    /// Carrying the members to the observation time.
    case forecast
    /// What a rank waits before a collective until all have come: differences in the ranks' work, and ranks that have
    /// no core at the moment.
    case waiting
    /// Bringing members or moments together over the ranks that are all there, and the vote whether a member failed.
    case reduction
    /// Turning the forecast into the analysis.
    case update
    /// Mean, spread, derived fields and energies of the analysis.
    case diagnosis
    /// Bringing the analysis to rank 0, and writing it.
    case output
  }

  /// Wall seconds of every phase since the last `reset`, in the order of `Phase.allCases`.
  public private(set) var seconds = [Double](repeating: 0, count: Phase.allCases.count)
  private var current: Phase?
  private var start = 0.0

  /// A clock that shows zero and stands.
  public init() {}

  /// Back to zero, standing.
  public func reset() {
    for phase in seconds.indices { seconds[phase] = 0 }
    current = nil
  }

  /// Ends the phase that runs and begins `phase`.
  public func enter(_ phase: Phase) {
    stop()
    current = phase
  }

  /// Ends the phase that runs and begins one that is collective: what it would wait for other ranks goes to `waiting`,
  /// by a barrier that would not be there without a clock. Collective.
  public func enter(collective phase: Phase, on communicator: Communicator) throws(MPIError) {
    enter(.waiting)
    try communicator.barrier(isCounted: false)
    enter(phase)
  }

  /// Ends the phase that runs.
  public func stop() {
    let now = Self.now
    if let current { seconds[current.rawValue] += now - start }
    start = now
    current = nil
  }

  /// Seconds of a clock that only moves forward.
  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
