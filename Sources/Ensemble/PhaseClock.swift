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
    /// Bringing members or moments together over the ranks, the wait for other ranks included.
    case reduction
    /// Turning the forecast into the analysis.
    case update
    /// Gathering, summarising and recording the analysis.
    case output
  }

  /// Wall seconds of every phase since the last `reset`, in the order of `Phase.allCases`.
  public private(set) var seconds = [Double](repeating: 0, count: Phase.allCases.count)
  private var current: Phase?
  private var start = ContinuousClock.now

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

  /// Ends the phase that runs.
  public func stop() {
    let now = ContinuousClock.now
    if let current { seconds[current.rawValue] += (now - start) / .seconds(1) }
    start = now
    current = nil
  }
}
