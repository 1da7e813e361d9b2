import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics
import DaunceState

extension AgentTrainer {
  /// Maximum-likelihood start: the policy's law of the target, given the reference filter's states and then the
  /// agent's own closed-loop states. The likelihood is a proper score, so the spread that it learns is honest.
  ///
  /// Agents that correct an analysis leave it as it is before they have learned anything, so their loop is closed from
  /// the first step on.
  public func warmStart(_ warm: WarmStartSettings) throws {
    guard warm.steps > 0 else { return }
    let first = settings.base == .analysis ? min(1, warm.closedLoopRounds) : 0
    for round in first...max(0, warm.closedLoopRounds) where Round.warm(round) >= firstRound {
      let correlation = try fit(warm, round: round)
      if isOrderOpen, round > 0 { settings.rankPersistence = min(max(0, correlation), 1) }
    }
    if isOrderOpen, settings.rankPersistence == nil { settings.rankPersistence = 0 }
  }

  /// One Adam step per observation time, on all sequences of the rollout. The first round is on the reference filter's
  /// own states, those after it are in closed loop.
  ///
  /// - Returns: the correlation of the target's place among the forecasts with that in the laws, over the last tenth of
  ///   the steps; see `RankCorrelation`.
  private func fit(_ warm: WarmStartSettings, round: Int) throws -> Double {
    let saved = takeSaved(round: Round.warm(round))
    var lesson = try WarmStartLesson(
      self, warm, isTeacherForced: round == 0, rolloutTag: try saved?.integer("rollout_tag") ?? nextTag(),
      noiseTag: try saved?.integer("noise_tag") ?? nextTag())
    let stage = lesson.isTeacherForced ? "warm start" : "warm start, closed loop"
    onStep?(stage, 0, warm.steps)
    var course = Course(
      stage, steps: warm.steps, agents: agents.count, isPreparation: lesson.isTeacherForced && warm.closedLoopRounds > 0,
      reviews: reviews)
    let samples = warm.batch * lesson.runner.cells * distribution.members
    if let saved {
      try course.restore(from: saved, parameters: agents[0].policy.parameters.count)
      try lesson.rollout.restore(from: saved)
      try lesson.progress.restore(from: saved)
    } else {
      for m in agents.indices { agents[m].policyOptimiser = Adam(parameters: agents[m].policy.parameters.count) }
      try review(&course, done: 0, agents: agents, samples: samples)
    }
    var gradient = [Float](repeating: 0, count: agents[0].policy.parameters.count)
    while lesson.progress.done < course.end {
      let t = lesson.progress.done
      try take(&lesson, course: &course)
      let rate = warm.learningRate * course.rate(at: t)
      for m in agents.indices {
        lesson.sums[m].write(to: &gradient)
        agents[m].improvePolicy(gradient: gradient, rate: rate, maximumNorm: 5)
      }
      lesson.progress.done = t + 1
      try review(&course, done: t + 1, agents: agents, samples: samples)
      onStep?(stage, t + 1, course.end)
      try onBoundary? {
        var snapshot = snapshot(round: Round.warm(round), step: t + 1)
        lesson.rollout.save(into: &snapshot)
        lesson.progress.save(into: &snapshot)
        course.save(into: &snapshot)
        snapshot.set("noise_tag", lesson.noiseTag)
        return snapshot
      }
    }
    keepBest(of: course)
    return try conclude(lesson.progress)
  }

  /// One observation time of all sequences: sums up every agent's gradient, and lets its multipliers ascend.
  private func take(_ lesson: inout WarmStartLesson, course: inout Course) throws {
    let (runner, likelihood, batch) = (lesson.runner, lesson.likelihood, lesson.warm.batch)
    let t = lesson.progress.done
    for sum in lesson.sums { sum.reset() }
    for m in agents.indices { for b in bands.indices { lesson.meanDeviations[m][b] = 0 } }
    try lesson.rollout.advance { step in
      let m = step.member
      likelihood.evaluate(
        agents[m].policy, state: step.state, previous: step.previous, beforePrevious: step.beforePrevious,
        time: step.time, sequence: step.sequence, isNextMember: step.isNextMember)
      let loss = likelihood.takeLoss(target: step.target, weight: 1 / Float(batch * runner.actionCount))
      course.add(loss: loss * Double(batch), agent: m)
      try lesson.progress.add(
        loss, step, isLate: course.isInLastTenth(t), likelihood.tile, anchors: likelihood.anchors.start)
      if !lesson.isTeacherForced {
        runner.draw(
          lesson.actions.start, anchors: likelihood.anchors.start, tile: likelihood.tile, purpose: .rolloutNoise,
          member: m, cycle: lesson.noiseTag << 20 + t, sequence: step.sequence)
        runner.apply(lesson.actions.start, to: step.state)
      }
      if lesson.isPenalised {
        _ = likelihood.addPenalty(
          agents[m].multipliers, state: step.state, weight: 1 / Double(batch), deviations: &lesson.deviations)
        for b in bands.indices {
          lesson.meanDeviations[m][b] += agents[m].multipliers[b].summand(lesson.deviations[b])
        }
      }
      likelihood.backward(agents[m].policy, into: lesson.sums[m])
    }
    guard lesson.isPenalised else { return }
    for m in agents.indices {
      for b in bands.indices { agents[m].multipliers[b].ascend(mean: lesson.meanDeviations[m][b] / Double(batch)) }
    }
  }

  /// Reports a round's losses, and returns the rank correlation of targets with the members' laws.
  private func conclude(_ progress: WarmStartProgress) throws -> Double {
    let (curve, order) = (progress.curve, progress.order)
    report.warmStartLoss.append(try averageOverMembers(progress.lastTenth))
    report.history.warmStartSteps = curve.ends
    report.history.warmStartLoss.append(try gatherOverMembers(curve.ended(after: progress.done), width: curve.ends.count))
    let products = try averageOverMembers(order.products)
    let squares = try averageOverMembers(order.squares)
    return squares > 0 ? products / squares : 0
  }
}

/// What all steps of a round share.
private struct WarmStartLesson {
  let warm: WarmStartSettings
  /// On the reference filter's own states, not in closed loop.
  let isTeacherForced: Bool
  /// Whether multipliers act.
  let isPenalised: Bool
  let runner: PolicyRunner
  let rollout: Rollout
  let likelihood: TargetLikelihood
  let noiseTag: Int
  let actions: Workspace<Double>
  /// Gradients of the local members.
  let sums: [GradientSums]
  var progress: WarmStartProgress
  /// Of every band, of the state last looked at and on average (`[local member][band]`).
  var deviations: [Double]
  var meanDeviations: [[Double]]

  init(
    _ trainer: AgentTrainer, _ warm: WarmStartSettings, isTeacherForced: Bool, rolloutTag: Int, noiseTag: Int
  ) throws {
    (self.warm, self.isTeacherForced) = (warm, isTeacherForced)
    let (agents, bands) = (trainer.agents, trainer.bands)
    let runner = trainer.makeRunner(
      sequences: warm.batch, rankPersistence: isTeacherForced ? 0 : trainer.settings.rankPersistence ?? 0,
      gathersMembers: !isTeacherForced)
    self.runner = runner
    rollout = try Rollout(
      data: trainer.data, runner: runner, seed: trainer.seed, tag: rolloutTag, missingFraction: warm.missingFraction,
      episode: isTeacherForced ? 1 : .max)
    progress = WarmStartProgress(runner: runner, steps: warm.steps, agents: agents.count)
    self.noiseTag = noiseTag
    isPenalised = trainer.penalisesLikelihood && !isTeacherForced
    likelihood = TargetLikelihood(
      runner, agents[0].policy, bands: isPenalised ? bands : [], tolerance: trainer.tolerance)
    deviations = [Double](repeating: 0, count: bands.count)
    meanDeviations = agents.map { _ in bands.map { _ in 0 } }
    actions = Workspace(repeating: 0, count: runner.actionCount)
    sums = agents.map { GradientSums($0.policy) }
  }
}
