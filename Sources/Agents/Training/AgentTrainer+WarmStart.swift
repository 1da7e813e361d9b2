import Glibc
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
    for round in first...max(0, warm.closedLoopRounds) where round >= firstRound {
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
    let saved = takeSaved(round: round)
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
    if let saved {
      try rollout.restore(from: saved)
      try progress.restore(from: saved)
    } else {
      for m in agents.indices { agents[m].policyOptimiser = Adam(parameters: agents[m].policy.parameters.count) }
    }
    let scratch = Scratch(runner, agents[0])
    let sums = agents.map { GradientSums($0.policy) }
    var gradient = [Float](repeating: 0, count: agents[0].policy.parameters.count)
    for t in progress.done..<max(progress.done, warm.steps) {
      for sum in sums { sum.reset() }
      try rollout.advance { step in
        let m = step.member
        let loss = likelihood(step, scratch, runner, weight: 1 / Float(warm.batch * runner.actionCount))
        progress.add(loss, step, scratch.tile, anchors: scratch.anchors.start)
        if let input = scratch.tile.input.baseAddress { runner.head.scaleSlopes(scratch.tile, input: input) }
        agents[m].policy.backward(scratch.tile, into: sums[m])
        if !isTeacherForced {
          runner.draw(
            scratch.actions.start, anchors: scratch.anchors.start, tile: scratch.tile, purpose: .rolloutNoise,
            member: m, cycle: tag << 20 + t, sequence: step.sequence)
          runner.apply(scratch.actions.start, to: step.state)
        }
      }
      let rate = warm.learningRate * 0.5 * (1 + cos(Double.pi * Double(t) / Double(warm.steps)))
      for m in agents.indices {
        sums[m].write(to: &gradient)
        agents[m].improvePolicy(gradient: gradient, rate: rate, maximumNorm: 5)
      }
      progress.done = t + 1
      onStep?(stage, t + 1, warm.steps)
      try onBoundary? {
        var snapshot = snapshot(round: round, step: t + 1)
        rollout.save(into: &snapshot)
        progress.save(into: &snapshot)
        snapshot.set("noise_tag", tag)
        return snapshot
      }
    }
    return try conclude(progress)
  }

  /// Reports a round's losses, and returns the rank correlation of targets with the members' laws.
  private func conclude(_ progress: WarmStartProgress) throws -> Double {
    let (curve, order) = (progress.curve, progress.order)
    report.warmStartLoss.append(try averageOverMembers(progress.lastTenth))
    report.history.warmStartSteps = curve.ends
    report.history.warmStartLoss.append(try gatherOverMembers(curve.means, width: curve.ends.count))
    let products = try averageOverMembers(order.products)
    let squares = try averageOverMembers(order.squares)
    return squares > 0 ? products / squares : 0
  }

  /// What one state's likelihood is worked out in.
  private struct Scratch {
    let anchors, actions, targets: Workspace<Double>
    let scores: Workspace<PolicyHead.Score>
    let tile: Activations

    init(_ runner: PolicyRunner, _ agent: Agent) {
      anchors = Workspace(repeating: 0, count: runner.actionCount)
      actions = Workspace(repeating: 0, count: runner.actionCount)
      targets = Workspace(repeating: 0, count: runner.actionCount)
      scores = Workspace(repeating: PolicyHead.Score.zero, count: runner.head.controls)
      tile = Activations(network: agent.policy, vectors: runner.vectors)
    }
  }

  /// Evaluates a member's policy at a state and leaves the slopes of its target's likelihood in the tile; returns the
  /// loss.
  private func likelihood(
    _ step: Rollout.Step, _ scratch: Scratch, _ runner: PolicyRunner, weight: Float
  ) -> Double {
    let n = runner.cells
    runner.evaluate(
      agents[step.member].policy, tile: scratch.tile, forecast: step.state, previous: step.previous,
      beforePrevious: step.beforePrevious, time: step.time, sequence: step.sequence)
    runner.anchors(scratch.anchors.start, forecast: step.state, sequence: step.sequence)
    for (k, v) in settings.controls.enumerated() {
      (scratch.targets.start + k * n).update(from: step.target + runner.layout.offsets[v], count: n)
    }
    return likelihoodSlopes(
      runner.head, scratch.tile, anchors: scratch.anchors.start, targets: scratch.targets.start,
      scores: scratch.scores.start, weight: weight)
  }

  /// Writes the slopes of the weighted negative log-likelihood of the target into the tile; returns the loss.
  private func likelihoodSlopes(
    _ head: PolicyHead, _ tile: Activations, anchors: UnsafePointer<Double>, targets: UnsafePointer<Double>,
    scores: UnsafeMutablePointer<PolicyHead.Score>, weight: Float
  ) -> Double {
    var loss = 0.0
    for v in 0..<head.vectors {
      let present = head.presence(v)
      // The target stands where the action would.
      let density = head.logDensity(tile, vector: v, actions: targets, anchors: anchors, scores: scores)
      loss -= Double((density * present).sum())
      for k in 0..<head.controls {
        head.setSlopes(
          tile, k, vector: v, score: scores[k], location: -weight * present * scores[k].location,
          logScale: -weight * present * scores[k].logScale)
      }
    }
    return loss * Double(weight)
  }
}
