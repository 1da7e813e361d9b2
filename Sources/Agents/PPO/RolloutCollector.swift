import DaunceConstraints
import DaunceEnsemble
import DaunceNumerics
import DaunceState

/// Rolls out agents and works out their rewards.
final class RolloutCollector {
  /// Means over one batch of rollouts, of every local member.
  struct Outcome {
    var reward: [Double]
    /// Deviation dE of every band in units of the tolerance: the mean for the direct form, the harmonic mean for the
    /// reciprocal ones, whose constraint is on the mean of 1/dE; `[member][band]`.
    var deviation: [[Double]]
  }

  private let bands: [Band]
  private let tolerance: Double
  private let ppo: PPOSettings
  private let runner: PolicyRunner
  private let tile: Activations
  private let valueTile: Activations
  private let anchors: Workspace<Double>
  private let actions: Workspace<Double>
  private let twins: Workspace<Double>
  private let scores: Workspace<PolicyHead.Score>
  /// Reward of every cell without penalty, and the penalty shared by all cells, of the step last lived through.
  let reward: Workspace<Float>
  private(set) var penalty: Float = 0

  init(agent: Agent, bands: [Band], tolerance: Double, ppo: PPOSettings, runner: PolicyRunner) {
    self.bands = bands
    self.tolerance = tolerance
    self.ppo = ppo
    self.runner = runner
    tile = Activations(network: agent.policy, vectors: runner.vectors)
    valueTile = Activations(network: agent.value, vectors: runner.vectors)
    anchors = Workspace(repeating: 0, count: runner.actionCount)
    actions = Workspace(repeating: 0, count: runner.actionCount)
    twins = Workspace(repeating: 0, count: runner.actionCount)
    scores = Workspace(repeating: .zero, count: runner.head.controls)
    reward = Workspace(repeating: 0, count: runner.vectors * Lanes.scalarCount)
  }

  /// Runs all agents for `steps` observation times; `record` is called after every member's step.
  func run(
    _ rollout: Rollout, agents: [Agent], steps: Int, tag: Int,
    record: (_ t: Int, _ step: Rollout.Step, _ tile: Activations) -> Void
  ) throws -> Outcome {
    var outcome = Outcome(
      reward: agents.map { _ in 0 }, deviation: agents.map { _ in bands.map { _ in 0 } })
    let n = runner.cells
    for t in 0..<steps {
      try rollout.advance { step in
        let m = step.member
        runner.evaluate(
          agents[m].policy, tile: tile, forecast: step.state, previous: step.previous, beforePrevious: step.beforePrevious,
          time: step.time, sequence: step.sequence)
        runner.anchors(anchors.start, forecast: step.state, sequence: step.sequence)
        runner.draw(
          actions.start, anchors: anchors.start, tile: tile, purpose: .rolloutNoise, member: m,
          cycle: tag << 20 + t, sequence: step.sequence)
        if ppo.reward == .crps {
          runner.draw(
            twins.start, anchors: anchors.start, tile: tile, purpose: .rolloutTwin, member: m,
            cycle: tag << 20 + t, sequence: step.sequence)
          runner.conserve(twins.start, base: step.state)
        }
        runner.apply(actions.start, to: step.state)
        computeReward(step)
        penalty = 0
        let state = Span(_unsafeStart: UnsafePointer(step.state), count: runner.layout.count)
        for (b, band) in bands.enumerated() {
          // Limited, so that one state far away does not wind the multiplier up.
          let deviation = min(band.deviation(of: state) / (tolerance * band.tolerance), 10)
          let multiplier = agents[m].multipliers[b]
          // Limited on both sides: the reciprocal forms have a pole in the middle of the band.
          penalty += Float(min(max(-10, multiplier.penalty(deviation: deviation, tolerance: 1)), 10))
          outcome.deviation[m][b] += multiplier.form.isReciprocal ? 1 / max(deviation, multiplier.floor) : deviation
        }
        for c in 0..<n { outcome.reward[m] += Double(reward.start[c]) }
        record(t, step, tile)
      }
    }
    let count = Double(steps * rollout.sequences)
    for m in agents.indices {
      outcome.reward[m] /= count * Double(n)
      for b in bands.indices {
        let mean = outcome.deviation[m][b] / count
        outcome.deviation[m][b] = agents[m].multipliers[b].form.isReciprocal ? 1 / mean : mean
      }
    }
    return outcome
  }

  /// Rolls out and remembers everything that learning needs.
  func collect(
    _ rollout: Rollout, into experiences: [RolloutBuffer], agents: [Agent], tag: Int
  ) throws -> Outcome {
    let outcome = try run(rollout, agents: agents, steps: ppo.horizon, tag: tag) { t, step, tile in
      let e = experiences[step.member]
      let index = t * e.sequences + step.sequence
      e.starts.start[index] = step.isStart
      if let inputs = tile.input.baseAddress {
        (e.inputs.start + index * e.inputVectors).update(from: inputs, count: e.inputVectors)
      }
      (e.actions.start + index * e.actionCount).update(from: actions.start, count: e.actionCount)
      (e.anchors.start + index * e.actionCount).update(from: anchors.start, count: e.actionCount)
      let n = runner.cells
      for v in 0..<runner.vectors {
        // By the same function as in the learner, so that the first ratio is 1.
        let density = runner.head.logDensity(
          tile, vector: v, actions: actions.start, anchors: anchors.start, scores: scores.start)
        UnsafeMutableRawPointer(e.logDensity.start + index * e.lanes + v * Lanes.scalarCount)
          .storeBytes(of: density, as: Lanes.self)
      }
      for c in 0..<n { e.rewards.start[index * e.lanes + c] = reward.start[c] + penalty }
    }
    for m in agents.indices { estimateAdvantages(experiences[m], value: agents[m].value) }
    return outcome
  }

  /// Reward of every cell (3.2), in units of the variables' climatological variance (or deviation, for the CRPS),
  /// summed over controls. Limited below, so that a blown-up sequence does not drown the others.
  private func computeReward(_ step: Rollout.Step) {
    let n = runner.cells
    for c in 0..<n { reward.start[c] = 0 }
    for (k, v) in runner.settings.controls.enumerated() {
      let (unit, offset) = (1 / runner.layout.fields[v].scale, runner.layout.offsets[v])
      for c in 0..<n {
        let x = step.state[offset + c]
        let error = (x - step.target[offset + c]) * unit
        switch ppo.reward {
        case .squaredError:
          reward.start[c] -= Float(min(error * error, 10))
        case .crps:
          reward.start[c] -= Float(min(abs(error) - abs(x - twins.start[k * n + c]) * unit, 10))
        }
      }
    }
  }

  private func estimateAdvantages(_ e: RolloutBuffer, value: Network) {
    let width = e.sequences * e.lanes
    for index in 0..<e.tiles {
      value.forward(valueTile, input: e.inputs.start + index * e.inputVectors)
      for v in 0..<runner.vectors {
        UnsafeMutableRawPointer(e.values.start + index * e.lanes + v * Lanes.scalarCount)
          .storeBytes(of: valueTile.output[v], as: Lanes.self)
      }
    }
    // The state after the last step is not looked at: its value is taken to be that of the step before.
    (e.values.start + e.steps * width).update(from: e.values.start + (e.steps - 1) * width, count: width)
    generalisedAdvantages(
      rewards: e.rewards.start, values: e.values.start, starts: e.starts.start, advantages: e.advantages.start,
      steps: e.steps, sequences: e.sequences, lanes: e.lanes, discount: Float(ppo.discount),
      lambda: Float(ppo.gaeLambda))
  }
}
