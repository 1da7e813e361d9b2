import Agents
import Foundation

/// How a training went, as an entry of scores.json and as one line.
struct TrainingSummary {
  private let outcome: TrainingOutcome
  private let iterations: Int

  init(_ outcome: TrainingOutcome, iterations: Int) {
    self.outcome = outcome
    self.iterations = iterations
  }

  var json: JSON {
    let report = outcome.report
    return .object([
      "seconds": .number(outcome.seconds),
      "warm_start_loss": .array(report.warmStartLoss.map { .number($0) }),
      "ppo_iterations": .integer(iterations),
      "reward_first": .number(report.rewardFirst),
      "reward_last": .number(report.rewardLast),
      "reward": .array(report.reward.map { .number($0) }),
      "multiplier": .array(report.multiplier.map { .number($0) }),
      "multiplier_last": .array(report.multiplierLast.map { .number($0) }),
    ])
  }

  var line: String {
    var text = String(format: "training: %.0f s", outcome.seconds)
    if let first = outcome.report.rewardFirst, let last = outcome.report.rewardLast {
      text += String(format: ", reward per cell %.5f before and %.5f after %d iterations of PPO", first, last, iterations)
    }
    return text
  }
}
