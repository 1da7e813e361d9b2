/// Generalised advantage estimation (Schulman et al. 2016) of many independent sequences at once.
///
/// `delta_t = r_t + gamma V_{t+1} - V_t`, `A_t = delta_t + gamma lambda A_{t+1}`; the last value bootstraps.
///
/// No sequence terminates, but some start again elsewhere. Rewards after a start are not credited to actions before it: the
/// step before bootstraps with its own value, the state that it led to not having been looked at.
///
/// - Parameters:
///   - rewards: `[step][sequence][lane]`.
///   - values: `[step + 1][sequence][lane]`.
///   - starts: whether a sequence started again before a step, `[step][sequence]`.
///   - advantages: `[step][sequence][lane]`, overwritten.
///   - lanes: values side by side in a sequence, here cells.
func generalisedAdvantages(
  rewards: UnsafePointer<Float>, values: UnsafePointer<Float>, starts: UnsafePointer<Bool>,
  advantages: UnsafeMutablePointer<Float>, steps: Int, sequences: Int, lanes: Int, discount: Float, lambda: Float
) {
  for t in stride(from: steps - 1, through: 0, by: -1) {
    for s in 0..<sequences {
      let row = (t * sequences + s) * lanes
      let isLast = t + 1 == steps
      let isCut = !isLast && starts[(t + 1) * sequences + s]
      let next = row + sequences * lanes
      for k in 0..<lanes {
        let nextValue = values[(isCut ? row : next) + k]
        let nextAdvantage = isLast || isCut ? 0 : advantages[next + k]
        let delta = rewards[row + k] + discount * nextValue - values[row + k]
        advantages[row + k] = delta + discount * lambda * nextAdvantage
      }
    }
  }
}

/// Advantages and returns of one sequence (`rewards: [T]`, `values: [T + 1]`), which starts again before the steps in
/// `starts`.
public func generalisedAdvantages(
  rewards: [Float], values: [Float], starts: Set<Int> = [], discount: Float, lambda: Float
) -> (advantages: [Float], returns: [Float]) {
  precondition(values.count == rewards.count + 1)
  var advantages = [Float](repeating: 0, count: rewards.count)
  generalisedAdvantages(
    rewards: rewards, values: values, starts: rewards.indices.map(starts.contains), advantages: &advantages,
    steps: rewards.count, sequences: 1, lanes: 1, discount: discount, lambda: lambda)
  return (advantages, zip(advantages, values).map { $0 + $1 })
}
