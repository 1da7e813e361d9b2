import Glibc
import DaunceEnsemble

/// What a stage of a training has come to on truths that it does not learn from; the same on every rank.
public struct Review: Sendable, Hashable, Codable {
  /// Name of the stage.
  public var stage: String
  /// Steps of the stage done.
  public var step: Int
  /// Mean loss of the steps since the review before (minus the reward in PPO); none before the first step.
  public var loss: Double?
  /// Error of the ensemble mean and CRPS, over the fields' scales; none where the agents failed.
  public var error: Double?
  public var crps: Double?
  /// Share of member-cycles in each band.
  public var inBands: [Double] = []
  /// Actions learned from in a wall second, since the review before.
  public var samplesPerSecond: Double?

  /// A review of a stage at a step, with nothing found yet.
  public init(stage: String, step: Int) { (self.stage, self.step) = (stage, step) }
}

/// When a training is looked at, and how long it goes on without getting better.
public struct ReviewSettings: Sendable, Hashable {
  /// Reviews of a stage, evenly spread.
  public var times: Int
  /// Reviews in a row that are no better than the best before, after which a stage comes to its end; 0: never.
  public var patience: Int

  /// Both; see the properties.
  public init(times: Int, patience: Int) { (self.times, self.patience) = (times, patience) }
}

/// The course of one stage: how far it has come, its step size, its reviews, and the best agents of them.
///
/// A stage that no longer gets better is brought to its end in a tenth of its steps, over which the step size falls to
/// zero; one of constant step size ends at once. At the end the agents of the best review come back if those at the end
/// are worse by more than a hundredth; or by more than a tenth where the loss has fallen since, which is a mean over many
/// more states than a review. A stage that only prepares for the next is looked at and otherwise left alone: its
/// aim is another than what agents score by themselves.
package struct Course {
  /// Steps of the stage if nothing ends it earlier.
  package let steps: Int
  /// Steps after which it ends.
  package private(set) var end: Int
  package let stage: String
  let hasConstantRate: Bool
  let isPreparation: Bool
  private let reviews: ReviewSettings?
  /// Since when the step size falls, and from what share of the first.
  private var coolingFrom: (step: Int, share: Double)?
  private var best: (crps: Double, step: Int, loss: Double, policies: [[Float]])?
  private var reviewsSinceBest = 0
  private var leastLoss = Double.infinity
  private var last = Double.infinity
  private var lastLoss = Double.infinity
  /// Sums and numbers of the losses since the last review, of every local agent.
  private var losses: [(sum: Double, count: Int)]

  /// How much better is better, as a share.
  private static let least = 0.002
  /// How much worse the end has to be than the best for the best to come back.
  private static let tolerance = 0.01
  /// The same where the loss is better at the end.
  private static let toleranceOfLoss = 0.1

  package init(
    _ stage: String, steps: Int, agents: Int = 1, hasConstantRate: Bool = false, isPreparation: Bool = false,
    reviews: ReviewSettings?
  ) {
    (self.stage, self.steps, end) = (stage, steps, steps)
    losses = [(sum: Double, count: Int)](repeating: (0, 0), count: agents)
    (self.hasConstantRate, self.isPreparation, self.reviews) = (hasConstantRate, isPreparation, reviews)
  }

  /// Step size at step `t`, as a share of the first: half a cosine, and a straight line where the stage ends early.
  package func rate(at t: Int) -> Double {
    guard let coolingFrom else { return cosine(t) }
    return coolingFrom.share * Double(end - t) / Double(end - coolingFrom.step)
  }

  private func cosine(_ t: Int) -> Double { 0.5 * (1 + cos(Double.pi * Double(t) / Double(steps))) }

  /// Whether step `t` belongs to the last tenth.
  package func isInLastTenth(_ t: Int) -> Bool { t >= end - max(1, steps / 10) }

  package mutating func add(loss: Double, agent: Int) {
    losses[agent] = (losses[agent].sum + loss, losses[agent].count + 1)
  }

  /// Whether the agents are to be looked at after `done` steps.
  package func isDue(_ done: Int) -> Bool {
    guard let reviews else { return false }
    return done == 0 || done >= end || done * reviews.times / steps > (done - 1) * reviews.times / steps
  }

  /// Every local agent's mean loss since they were forgotten.
  package var meanLosses: [Double] { losses.map { $0.sum / Double(max(1, $0.count)) } }

  package mutating func forgetLosses() { for m in losses.indices { losses[m] = (0, 0) } }

  /// Takes in what the agents of a moment score, and decides whether the stage comes to its end. While the loss still
  /// falls it goes on: agents in closed loop may get worse before they get better.
  ///
  /// - Parameter loss: mean over all agents since the last review.
  package mutating func take(_ crps: Double?, loss: Double? = nil, done: Int, policies: [[Float]]) {
    last = crps ?? .infinity
    lastLoss = loss ?? .infinity
    if let loss, loss < leastLoss - Self.least {
      leastLoss = loss
      reviewsSinceBest = -1
    }
    if last < (best?.crps ?? .infinity) * (1 - Self.least) {
      best = (last, done, lastLoss, policies)
      reviewsSinceBest = 0
      return
    }
    reviewsSinceBest += 1
    guard let reviews, !isPreparation, reviews.patience > 0, reviewsSinceBest >= reviews.patience, coolingFrom == nil,
      best != nil
    else { return }
    coolingFrom = (done, cosine(done))
    end = hasConstantRate ? done : min(end, done + max(1, steps / 10))
  }

  /// The policies of the best review, if they are to come back.
  package var better: (step: Int, policies: [[Float]])? {
    guard !isPreparation, let best else { return nil }
    let tolerance = lastLoss < best.loss - Self.least ? Self.toleranceOfLoss : Self.tolerance
    guard best.crps < last * (1 - tolerance) else { return nil }
    return (best.step, best.policies)
  }

  // MARK: Checkpoints

  func save(into snapshot: inout Snapshot) {
    snapshot.set("course_end", end)
    snapshot.set("course_since_best", reviewsSinceBest)
    snapshot.set(
      "course_numbers",
      [
        last, Double(coolingFrom?.step ?? -1), coolingFrom?.share ?? 0, best?.crps ?? .infinity,
        Double(best?.step ?? 0), leastLoss, best?.loss ?? .infinity, lastLoss,
      ])
    snapshot.set("course_losses", members: losses.map { [$0.sum, Double($0.count)] })
    if let best { snapshot.set("course_best", members: best.policies) }
  }

  mutating func restore(from snapshot: Snapshot, parameters: Int) throws {
    end = try snapshot.integer("course_end")
    reviewsSinceBest = try snapshot.integer("course_since_best")
    let numbers: [Double] = try snapshot.values("course_numbers", count: 8)
    (leastLoss, lastLoss) = (numbers[5], numbers[7])
    last = numbers[0]
    coolingFrom = numbers[1] >= 0 ? (Int(numbers[1]), numbers[2]) : nil
    losses = try snapshot.memberValues("course_losses", count: 2).map { ($0[0], Int($0[1])) }
    guard snapshot.members["course_best"] != nil else { return }
    best = (numbers[3], Int(numbers[4]), numbers[6], try snapshot.memberValues("course_best", count: parameters))
  }
}
