import DaunceEnsemble
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
    let isTeacherForced = round == 0
    let saved = takeSaved(round: Round.warm(round))
    let runner = makeRunner(
      sequences: warm.batch, rankPersistence: isTeacherForced ? 0 : settings.rankPersistence ?? 0,
      gathersMembers: !isTeacherForced)
    let rollout = try Rollout(
      data: data, runner: runner, seed: seed, tag: try saved?.integer("rollout_tag") ?? nextTag(),
      missingFraction: warm.missingFraction, episode: isTeacherForced ? 1 : .max)
    var progress = WarmStartProgress(runner: runner, steps: warm.steps, agents: agents.count)
    let tag = try saved?.integer("noise_tag") ?? nextTag()
    let stage = isTeacherForced ? "warm start" : "warm start, closed loop"
    onStep?(stage, 0, warm.steps)
    var course = Course(
      stage, steps: warm.steps, agents: agents.count, isPreparation: isTeacherForced && warm.closedLoopRounds > 0, reviews: reviews)
    let samples = warm.batch * runner.cells * distribution.members
    if let saved {
      try course.restore(from: saved, parameters: agents[0].policy.parameters.count)
      try rollout.restore(from: saved)
      try progress.restore(from: saved)
    } else {
      for m in agents.indices { agents[m].policyOptimiser = Adam(parameters: agents[m].policy.parameters.count) }
    }
    if saved == nil { try review(&course, done: 0, agents: agents, samples: samples) }
    let isPenalised = penalisesLikelihood && !isTeacherForced
    let likelihood = TargetLikelihood(
      runner, agents[0].policy, bands: isPenalised ? bands : [], tolerance: tolerance)
    var deviations = [Double](repeating: 0, count: bands.count)
    var meanDeviations = agents.map { _ in deviations }
    let actions = Workspace<Double>(repeating: 0, count: runner.actionCount)
    let sums = agents.map { GradientSums($0.policy) }
    var gradient = [Float](repeating: 0, count: agents[0].policy.parameters.count)
    while progress.done < course.end {
      let t = progress.done
      for sum in sums { sum.reset() }
      for m in agents.indices { for b in bands.indices { meanDeviations[m][b] = 0 } }
      try rollout.advance { step in
        let m = step.member
        likelihood.evaluate(
          agents[m].policy, state: step.state, previous: step.previous, beforePrevious: step.beforePrevious,
          time: step.time, sequence: step.sequence, isNextMember: step.isNextMember)
        let loss = likelihood.takeLoss(target: step.target, weight: 1 / Float(warm.batch * runner.actionCount))
        course.add(loss: loss * Double(warm.batch), agent: m)
        progress.add(loss, step, isLate: course.isInLastTenth(t), likelihood.tile, anchors: likelihood.anchors.start)
        if !isTeacherForced {
          runner.draw(
            actions.start, anchors: likelihood.anchors.start, tile: likelihood.tile, purpose: .rolloutNoise,
            member: m, cycle: tag << 20 + t, sequence: step.sequence)
          runner.apply(actions.start, to: step.state)
        }
        if isPenalised {
          _ = likelihood.addPenalty(
            agents[m].multipliers, state: step.state, weight: 1 / Double(warm.batch), deviations: &deviations)
          for b in bands.indices { meanDeviations[m][b] += agents[m].multipliers[b].summand(deviations[b]) }
        }
        likelihood.backward(agents[m].policy, into: sums[m])
      }
      if isPenalised {
        for m in agents.indices {
          for b in bands.indices {
            agents[m].multipliers[b].ascend(mean: meanDeviations[m][b] / Double(warm.batch))
          }
        }
      }
      let rate = warm.learningRate * course.rate(at: t)
      for m in agents.indices {
        sums[m].write(to: &gradient)
        agents[m].improvePolicy(gradient: gradient, rate: rate, maximumNorm: 5)
      }
      progress.done = t + 1
      try review(&course, done: t + 1, agents: agents, samples: samples)
      onStep?(stage, t + 1, course.end)
      try onBoundary? {
        var snapshot = snapshot(round: Round.warm(round), step: t + 1)
        rollout.save(into: &snapshot)
        progress.save(into: &snapshot)
        course.save(into: &snapshot)
        snapshot.set("noise_tag", tag)
        return snapshot
      }
    }
    keepBest(of: course)
    return try conclude(progress)
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
