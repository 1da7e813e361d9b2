import DaunceNetworks
import Dispatch
import DaunceMPI

extension AgentTrainer {
  /// What a look at some agents finds: error and CRPS over the fields' scales, share of member-cycles in each band.
  public typealias Finding = (error: Double, crps: Double, inBands: [Double])

  /// Looks at the agents if it is time, reports, and lets the stage decide whether it goes on. Collective.
  ///
  /// - Parameters:
  ///   - done: steps of the stage.
  ///   - agents: of the local members as they are now.
  ///   - samples: actions learned from in a step.
  func review(_ course: inout Course, done: Int, agents: [Agent], samples: Int) throws {
    guard let onReview, course.isDue(done) else { return }
    let now = DispatchTime.now().uptimeNanoseconds
    var review = Review(stage: course.stage, step: done)
    if done > 0 {
      review.loss = try averageOverMembers(course.meanLosses)
      let steps = Double(done - (report.reviews.last { $0.stage == course.stage }?.step ?? 0))
      let seconds = try communicator.allreduce(Double(now - lastReview) * 1e-9, .max)
      review.samplesPerSecond = steps * Double(samples) / seconds
    }
    course.forgetLosses()
    let finding = try onReview(TrainedPolicies(settings: settings, agents: agents))
    (review.error, review.crps, review.inBands) = (finding?.error, finding?.crps, finding?.inBands ?? [])
    course.take(finding?.crps, loss: review.loss, done: done, policies: agents.map(\.policy.parameters))
    report.reviews.append(review)
    onReport?(review)
    lastReview = DispatchTime.now().uptimeNanoseconds
  }

  /// Brings the best agents of a stage back where those at its end are worse, and says what has become of the stage.
  func keepBest(of course: Course) {
    if course.end < course.steps {
      onRemark?("\(course.stage): over after \(course.end) of \(course.steps) steps, as it no longer got better")
    }
    guard let better = course.better else { return }
    for m in agents.indices { agents[m].policy.parameters = better.policies[m] }
    report.keptSteps[course.stage] = better.step
    onRemark?("\(course.stage): the agents of step \(better.step) are kept, those at the end did worse")
  }
}

/// Agents in the middle of their training.
public struct TrainedPolicies {
  /// What they are.
  public let settings: AgentSettings
  /// Of the local members.
  public let agents: [Agent]
}
