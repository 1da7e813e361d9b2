import DaunceConstraints
import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// Rolls out agents and works out their rewards.
final class RolloutCollector {
  /// Means over one batch of rollouts, of every local member.
  struct Outcome {
    /// Reward of a cell and step; with the reward `ensembleCRPS`, whose mean over members is nothing, minus their part of
    /// the score.
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
  /// Reward of every cell without penalty, of the step last lived through: `[local member][sequence][lane]`.
  private let rewards: Workspace<Float>
  /// The penalty that all cells share, `[local member][sequence]`.
  private let penalties: Workspace<Float>
  private let lanes: Int
  /// Where members are rewarded together.
  private let ensemble: EnsembleReward?

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
    lanes = runner.vectors * Lanes.scalarCount
    penalties = Workspace(repeating: 0, count: runner.distribution.local.count * runner.sequences)
    rewards = Workspace(repeating: 0, count: penalties.count * lanes)
    ensemble = ppo.reward == .ensembleCRPS ? EnsembleReward(runner, window: ppo.rewardWindow) : nil
  }

  /// What a member got for a step in one sequence.
  struct Credit {
    let member, sequence: Int
    /// Of every cell, without penalty (`[cell]`).
    let rewards: UnsafePointer<Float>
    let penalty: Float
  }

  /// Runs all agents for `steps` observation times. Collective where members are rewarded together.
  ///
  /// - Parameters:
  ///   - record: called after every member's step.
  ///   - credit: called with every member's reward when all members have taken the step.
  func run(
    _ rollout: Rollout, agents: [Agent], steps: Int, tag: Int,
    record: (_ t: Int, _ step: Rollout.Step, _ tile: Activations) -> Void = { _, _, _ in },
    credit: (_ t: Int, Credit) -> Void = { _, _ in }
  ) throws -> Outcome {
    var outcome = Outcome(
      reward: agents.map { _ in 0 }, deviation: agents.map { _ in bands.map { _ in 0 } })
    let n = runner.cells
    for t in 0..<steps {
      try rollout.advance { step in
        let m = step.member
        runner.evaluate(
          agents[m].policy, tile: tile, forecast: step.state, previous: step.previous, beforePrevious: step.beforePrevious,
          time: step.time, sequence: step.sequence, isNextMember: step.isNextMember)
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
        let place = m * rollout.sequences + step.sequence
        if ensemble == nil { computeReward(step, into: rewards.start + place * lanes) }
        penalties.start[place] = penalise(step, agents[m], deviation: &outcome.deviation[m])
        record(t, step, tile)
      }
      if let ensemble { try ensemble.assess(rollout, into: rewards.start, lanes: lanes) }
      for m in agents.indices {
        for s in 0..<rollout.sequences {
          let place = m * rollout.sequences + s
          let own = rewards.start + place * lanes
          if let ensemble {
            outcome.reward[m] += ensemble.levels.start[place]
          } else {
            for c in 0..<n { outcome.reward[m] += Double(own[c]) }
          }
          credit(t, Credit(member: m, sequence: s, rewards: own, penalty: penalties.start[place]))
        }
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

  /// What the multipliers add to every cell's reward of a step, whose deviations are added to `deviation` (`[band]`).
  private func penalise(_ step: Rollout.Step, _ agent: Agent, deviation sums: inout [Double]) -> Float {
    var penalty: Float = 0
    let state = Span(_unsafeStart: UnsafePointer(step.state), count: runner.layout.count)
    for (b, band) in bands.enumerated() {
      // Limited, so that one state far away does not wind the multiplier up.
      let deviation = min(band.deviation(of: state) / (tolerance * band.tolerance), 10)
      let multiplier = agent.multipliers[b]
      // Limited on both sides: the reciprocal forms have a pole in the middle of the band.
      penalty += Float(min(max(-10, multiplier.penalty(deviation: deviation, tolerance: 1)), 10))
      sums[b] += multiplier.form.isReciprocal ? 1 / max(deviation, multiplier.floor) : deviation
    }
    return penalty
  }

  /// Rolls out and remembers everything that learning needs.
  func collect(
    _ rollout: Rollout, into experiences: [RolloutBuffer], agents: [Agent], tag: Int
  ) throws -> Outcome {
    let n = runner.cells
    let outcome = try run(rollout, agents: agents, steps: ppo.horizon, tag: tag) { t, step, tile in
      let e = experiences[step.member]
      let index = t * e.sequences + step.sequence
      e.starts.start[index] = step.isStart
      if let inputs = tile.input.baseAddress {
        (e.inputs.start + index * e.inputVectors).update(from: inputs, count: e.inputVectors)
      }
      (e.actions.start + index * e.actionCount).update(from: actions.start, count: e.actionCount)
      (e.anchors.start + index * e.actionCount).update(from: anchors.start, count: e.actionCount)
      for v in 0..<runner.vectors {
        // By the same function as in the learner, so that the first ratio is 1.
        let density = runner.head.logDensity(
          tile, vector: v, actions: actions.start, anchors: anchors.start, scores: scores.start)
        UnsafeMutableRawPointer(e.logDensity.start + index * e.lanes + v * Lanes.scalarCount)
          .storeBytes(of: density, as: Lanes.self)
      }
    } credit: { t, credit in
      let e = experiences[credit.member]
      let row = e.rewards.start + (t * e.sequences + credit.sequence) * e.lanes
      for c in 0..<n { row[c] = credit.rewards[c] + credit.penalty }
    }
    for m in agents.indices { estimateAdvantages(experiences[m], value: agents[m].value) }
    return outcome
  }

  /// Reward of every cell (3.2), in units of the variables' climatological variance (or deviation, for the CRPS),
  /// summed over controls. Limited below, so that a blown-up sequence does not drown the others.
  private func computeReward(_ step: Rollout.Step, into reward: UnsafeMutablePointer<Float>) {
    let n = runner.cells
    for c in 0..<n { reward[c] = 0 }
    for (k, v) in runner.settings.controls.enumerated() {
      let (unit, offset) = (1 / runner.layout.fields[v].scale, runner.layout.offsets[v])
      for c in 0..<n {
        let x = step.state[offset + c]
        let error = (x - step.target[offset + c]) * unit
        switch ppo.reward {
        case .squaredError:
          reward[c] -= Float(min(error * error, 10))
        case .crps:
          reward[c] -= Float(min(abs(error) - abs(x - twins.start[k * n + c]) * unit, 10))
        case .ensembleCRPS:
          break
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
