import DaunceAgents
import DaunceConstraints
import DaunceState
import Foundation

/// Watches a training on truths that are held back, and tells how agents do beside their teacher.
final class TrainingWatch {
  private let context: ExperimentContext
  private let truths: HeldBackTruths
  private let band: Band?
  private let bands: [Band]
  private let tellsAll: Bool
  /// Of the filter that agents learn from; `nil` where it fails.
  let teacher: HeldBackTruths.Skill?

  /// Simulates the truths and runs the teacher over them; `nil` if no training is to be watched. Collective.
  ///
  /// - Parameters:
  ///   - band: that a constrained teacher holds.
  ///   - bands: of which it is told how many members are in them.
  init?(_ context: ExperimentContext, band: Band?, bands: [Band], tellsAll: Bool) throws {
    let (review, method) = (context.configuration.review, context.configuration.agents.filter)
    guard review.truths > 0 else { return nil }
    (self.context, self.band, self.bands, self.tellsAll) = (context, band, bands, tellsAll)
    let truths = try HeldBackTruths(context, count: review.truths, cycles: review.cycles, bands: bands)
    self.truths = truths
    teacher = try truths.skill { try .filter(method, context: context, seed: $0, band: band) }
  }

  /// Looks at a trainer's agents from now on.
  func attend(_ trainer: AgentTrainer) {
    let review = context.configuration.agents.review
    trainer.reviews = ReviewSettings(times: review.times, patience: review.patience)
    trainer.onReview = { [self] trained in
      let agents = TrainedAgents(settings: trained.settings, agents: trained.agents)
      let skill = try truths.skill {
        try .agents(agents, name: "agents", context: context, seed: $0, band: band)
      }
      return skill.map { ($0.error, $0.crps, $0.inBands) }
    }
    trainer.report.teacher = teacher.map { TrainingReport.Teacher(error: $0.error, crps: $0.crps) }
    trainer.onRemark = { [self] remark in
      if tellsAll { context.progress.note(remark) }
    }
    trainer.onReport = { [self] review in
      if tellsAll { context.progress.note(text(of: review)) }
    }
  }

  /// One line: what the step's agents score, and what their teacher does.
  private func text(of review: Review) -> String {
    var parts: [String] = []
    if let loss = review.loss {
      parts.append(review.stage == "PPO" ? String(format: "reward %.5f", -loss) : String(format: "loss %.4f", loss))
    }
    if let error = review.error, let crps = review.crps {
      let other = teacher.map { String(format: " (%@: %.4f, %.4f)", context.configuration.agents.filter.rawValue, $0.error, $0.crps) }
      parts.append(String(format: "held back: error %.4f, CRPS %.4f%@", error, crps, other ?? ""))
    } else {
      parts.append("held back: the agents failed")
    }
    for (band, share) in zip(bands, review.inBands) {
      parts.append(String(format: "%@ in band %.1f %%", band.function.name, 100 * share))
    }
    if let rate = review.samplesPerSecond { parts.append(String(format: "%.3g samples/s", rate)) }
    return "\(review.stage), step \(review.step): " + parts.joined(separator: ", ")
  }
}
