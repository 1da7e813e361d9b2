/// Generalised advantage estimation (Schulman et al. 2016) of many independent sequences at once.
///
/// `delta_t = r_t + gamma V_{t+1} - V_t`, `A_t = delta_t + gamma lambda A_{t+1}`; the last value bootstraps, no
/// sequence terminates.
///
/// - Parameters:
///   - rewards: `[step][lane]`.
///   - values: `[step + 1][lane]`.
///   - advantages: `[step][lane]`, overwritten.
///   - steps: number of steps.
///   - lanes: number of independent sequences, here cells.
func generalisedAdvantages(
  rewards: UnsafePointer<Float>, values: UnsafePointer<Float>, advantages: UnsafeMutablePointer<Float>,
  steps: Int, lanes: Int, discount: Float, lambda: Float
) {
  for t in stride(from: steps - 1, through: 0, by: -1) {
    let row = t * lanes
    for k in 0..<lanes {
      let delta = rewards[row + k] + discount * values[row + lanes + k] - values[row + k]
      let next = t + 1 < steps ? advantages[row + lanes + k] : 0
      advantages[row + k] = delta + discount * lambda * next
    }
  }
}

/// Advantages and returns of one sequence (`rewards: [T]`, `values: [T + 1]`).
public func generalisedAdvantages(
  rewards: [Float], values: [Float], discount: Float, lambda: Float
) -> (advantages: [Float], returns: [Float]) {
  precondition(values.count == rewards.count + 1)
  var advantages = [Float](repeating: 0, count: rewards.count)
  generalisedAdvantages(
    rewards: rewards, values: values, advantages: &advantages, steps: rewards.count, lanes: 1,
    discount: discount, lambda: lambda)
  return (advantages, zip(advantages, values).map { $0 + $1 })
}
