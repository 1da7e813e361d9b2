import DaunceAgents
import Foundation

/// How a training went, as an entry of scores.json and as one line.
struct TrainingSummary {
  private let outcome: TrainingOutcome
  /// Of PPO.
  private var iterations: Int { outcome.report.reward.count }

  init(_ outcome: TrainingOutcome) { self.outcome = outcome }

  var json: JSON {
    let report = outcome.report
    return .object([
      "seconds": .number(outcome.seconds),
      "samples": .integer(report.samples),
      "samples_per_second": .number(rate(report.seconds)),
      "samples_per_processor_second": .number(rate(report.processorSeconds)),
      "warm_start_loss": .array(report.warmStartLoss.map { .number($0) }),
      "ppo_iterations": .integer(iterations),
      "reward_first": .number(report.rewardFirst),
      "reward_last": .number(report.rewardLast),
      "reward": .array(report.reward.map { .number($0) }),
      "reviews": .array(report.reviews.map(entry)),
      "kept_steps": .object(report.keptSteps.mapValues { .integer($0) }),
      "teacher": report.teacher.map { .object(["error": .number($0.error), "crps": .number($0.crps)]) } ?? .number(nil),
      "multiplier": .array(report.multiplier.map { .number($0) }),
      "multiplier_last": .array(report.multiplierLast.map { .number($0) }),
    ])
  }

  /// A review, in units of the fields' scales.
  private func entry(_ review: Review) -> JSON {
    .object([
      "stage": .text(review.stage), "step": .integer(review.step), "loss": .number(review.loss),
      "error": .number(review.error), "crps": .number(review.crps), "in_bands": .array(review.inBands.map { .number($0) }),
      "samples_per_second": .number(review.samplesPerSecond),
    ])
  }

  /// PPO's samples in a second; nothing without PPO.
  private func rate(_ seconds: Double) -> Double? { seconds > 0 ? Double(outcome.report.samples) / seconds : nil }

  var line: String {
    var text = String(format: "training: %.0f s", outcome.seconds)
    if let first = outcome.report.rewardFirst, let last = outcome.report.rewardLast {
      text += String(format: ", reward per cell %.5f before and %.5f after %d iterations of PPO", first, last, iterations)
    }
    if let all = rate(outcome.report.seconds), let core = rate(outcome.report.processorSeconds) {
      text += String(format: ", %.0f samples a second, %.0f a processor second", all, core)
    }
    return text
  }
}
