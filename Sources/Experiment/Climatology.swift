import DaunceNumerics

/// Nature runs that are no truths: what is known of the model's states at the age of the truths before anything is
/// observed. Kept for the job, for every method starts from the same members.
final class Climatology {
  /// A member's nature run.
  private struct Run: Hashable {
    let seed: UInt64
    let member: Int
  }

  /// Elements of the states that are kept; more are simulated again.
  private static let capacity = 16 << 20

  private var states: [Run: [Double]] = [:]
  private var elements = 0

  /// The state of member `member` at the start of the truth with seed `seed`, simulated by `simulate` where it is not
  /// known.
  func state(seed: UInt64, member: Int, simulate: () -> [Double]) -> [Double] {
    let run = Run(seed: seed, member: member)
    if let state = states[run] { return state }
    let state = simulate()
    if elements + state.count <= Self.capacity {
      states[run] = state
      elements += state.count
    }
    return state
  }
}
