import Glibc
import Ensemble
import Randomness
import StateSpace

extension AgentTrainer {
  /// Maximum-likelihood start: the policy's law of the target, given the reference filter's states and then the
  /// agent's own closed-loop states. The likelihood is a proper score, so the spread that it learns is honest.
  public func warmStart(_ warm: WarmStartSettings) throws {
    guard warm.steps > 0 else { return }
    try fit(warm, isTeacherForced: true)
    for _ in 0..<warm.closedLoopRounds { try fit(warm, isTeacherForced: false) }
  }

  /// One Adam step per observation time, on all sequences of the rollout.
  private func fit(_ warm: WarmStartSettings, isTeacherForced: Bool) throws {
    let runner = makeRunner(sequences: warm.batch)
    let rollout = Rollout(
      data: data, runner: runner, seed: seed, tag: nextTag(), missingFraction: warm.missingFraction,
      episode: isTeacherForced ? 1 : .max)
    let n = runner.layout.grid.cells
    let anchors = Workspace(repeating: 0.0, count: runner.actionCount)
    let actions = Workspace(repeating: 0.0, count: runner.actionCount)
    let targets = Workspace(repeating: 0.0, count: runner.actionCount)
    let scores = Workspace(repeating: PolicyHead.Score.zero, count: runner.head.controls)
    let tile = Activations(network: agents[0].policy, vectors: runner.vectors)
    let sums = agents.map { GradientSums($0.policy) }
    var gradient = [Float](repeating: 0, count: agents[0].policy.parameters.count)
    var losses = [Double](repeating: 0, count: agents.count)
    let tag = nextTag()
    let stage = isTeacherForced ? "warm start" : "warm start, closed loop"
    onStep?(stage, 0, warm.steps)
    for m in agents.indices { agents[m].policyOptimiser = Adam(parameters: agents[m].policy.parameters.count) }
    for step in 0..<warm.steps {
      for sum in sums { sum.reset() }
      let lastTenth = step >= warm.steps - max(1, warm.steps / 10)
      try rollout.advance { moment in
        let m = moment.member
        runner.evaluate(
          agents[m].policy, tile: tile, forecast: moment.state, observation: moment.observation,
          previous: moment.previous, beforePrevious: moment.beforePrevious, time: moment.time,
          sequence: moment.sequence)
        runner.anchors(anchors.start, forecast: moment.state, sequence: moment.sequence)
        for (k, v) in settings.controls.enumerated() {
          (targets.start + k * n).update(from: moment.target + v * n, count: n)
        }
        let weight = 1 / Float(warm.batch * runner.actionCount)
        let loss = likelihoodSlopes(
          runner.head, tile, anchors: anchors.start, targets: targets.start, scores: scores.start, weight: weight)
        if lastTenth { losses[m] += loss }
        agents[m].policy.backward(tile, into: sums[m])
        if !isTeacherForced {
          runner.draw(
            actions.start, anchors: anchors.start, tile: tile, purpose: .rolloutNoise,
            member: distribution.local.lowerBound + m, cycle: tag << 20 + step, sequence: moment.sequence)
          for (k, v) in settings.controls.enumerated() {
            (moment.state + v * n).update(from: actions.start + k * n, count: n)
          }
        }
      }
      let rate = warm.learningRate * 0.5 * (1 + cos(Double.pi * Double(step) / Double(warm.steps)))
      for m in agents.indices {
        sums[m].write(to: &gradient)
        agents[m].improvePolicy(gradient: gradient, rate: rate, maximumNorm: 5)
      }
      onStep?(stage, step + 1, warm.steps)
    }
    let count = Double(max(1, warm.steps / 10))
    report.warmStartLoss.append(try averageOverMembers(losses.map { $0 / count }))
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
