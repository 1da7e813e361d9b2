import Glibc
import Randomness
import StateSpace

/// The clipped-surrogate update of one agent's policy and the regression of its value network (Schulman et al. 2017).
final class Learner {
  private let ppo: PPOSettings
  private let runner: PolicyRunner
  private let policyTile: Activations
  private let valueTile: Activations
  private var policyGradient: [Float]
  private var valueGradient: [Float]

  init(ppo: PPOSettings, runner: PolicyRunner, agent: Agent) {
    self.ppo = ppo
    self.runner = runner
    policyTile = Activations(network: agent.policy, vectors: runner.vectors)
    valueTile = Activations(network: agent.value, vectors: runner.vectors)
    policyGradient = [Float](repeating: 0, count: agent.policy.parameters.count)
    valueGradient = [Float](repeating: 0, count: agent.value.parameters.count)
  }

  /// Several epochs over the experience in random order; stops early when the policy has moved too far.
  ///
  /// - Parameter progress: part of the training that is over; the learning rate falls linearly to zero.
  func learn(_ agent: inout Agent, from e: Experience, stream: Stream, progress: Double) {
    let returns = normalise(e)
    var order = Array(0..<e.tiles)
    let size = max(1, e.tiles / max(1, ppo.minibatches))
    let rate = 1 - progress
    epochs: for epoch in 0..<ppo.epochs {
      for i in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(i, stream.integer(below: i + 1, at: epoch * order.count + i))
      }
      var start = 0
      while start < order.count {
        var divergence = 0.0
        let batch = order[start..<min(start + size, order.count)]
        for k in policyGradient.indices { policyGradient[k] = 0 }
        for k in valueGradient.indices { valueGradient[k] = 0 }
        for index in batch {
          divergence += accumulate(agent, e, index, returns: returns, batch: batch.count)
        }
        // The batch has been looked at with the present policy: if that has left the trust region, stop before going further.
        if divergence / Double(batch.count) > 1.5 * ppo.targetKL { break epochs }
        agent.improvePolicy(
          gradient: policyGradient, rate: rate * ppo.learningRate, maximumNorm: ppo.maximumGradientNorm)
        agent.improveValue(
          gradient: valueGradient, rate: rate * ppo.valueLearningRate, maximumNorm: ppo.maximumGradientNorm)
        start += size
      }
    }
  }

  /// Turns advantages into mean 0 and standard deviation 1 over the cells of all tiles; returns the value targets
  /// `A + V` from before.
  private func normalise(_ e: Experience) -> [Float] {
    let n = runner.layout.grid.cells
    var (sum, squares) = (0.0, 0.0)
    var returns = [Float](repeating: 0, count: e.tiles * e.lanes)
    for index in 0..<e.tiles {
      for c in 0..<n {
        let i = index * e.lanes + c
        let a = e.advantages.start[i]
        returns[i] = a + e.values.start[i]
        sum += Double(a)
        squares += Double(a * a)
      }
    }
    let count = Double(e.tiles * n)
    let mean = sum / count
    let deviation = max(squares / count - mean * mean, 1e-12).squareRoot()
    for i in 0..<e.advantages.count {
      e.advantages.start[i] = (e.advantages.start[i] - Float(mean)) / Float(deviation)
    }
    return returns
  }

  /// Adds one tile's gradients of both losses; returns its mean of `(r - 1) - log r`, an estimate of the divergence.
  private func accumulate(_ agent: Agent, _ e: Experience, _ index: Int, returns: [Float], batch: Int) -> Double {
    let n = runner.layout.grid.cells
    let inputs = e.inputs.start + index * e.inputVectors
    let weight = 1 / Double(batch * n)
    policyTile.values[0].baseAddress?.update(from: inputs, count: e.inputVectors)
    agent.policy.forward(policyTile)
    var divergence = 0.0
    for c in 0..<n {
      let lane = index * e.lanes + c
      let (loss, kl) = surrogate(e, index: index, cell: c, lane: lane)
      divergence += kl
      for k in runner.settings.controls.indices {
        let i = index * e.actionCount + k * n + c
        let anchor = e.anchors.start[i]
        let outputs = runner.outputs(policyTile, k, c)
        let (m, s) = runner.head.law(k, anchor: anchor, outputs: outputs)
        let score = runner.head.laws[k].scoreFunction(e.actions.start[i], location: m, scale: s)
        let held = ppo.reward == .squaredError
        // The entropy of a normal law grows by 1 with its log-scale.
        let logScale = held ? 0 : loss * score.logScale - ppo.entropy
        runner.setSlopes(
          policyTile, k, c,
          runner.head.slopes(
            k, anchor: anchor, outputs: outputs, location: weight * loss * score.location,
            logScale: weight * logScale))
      }
    }
    agent.policy.backward(policyTile, gradient: &policyGradient)

    valueTile.values[0].baseAddress?.update(from: inputs, count: e.inputVectors)
    agent.value.forward(valueTile)
    for c in 0..<n {
      let (v, j) = (c / Lanes.scalarCount, c % Lanes.scalarCount)
      valueTile.outputSlope[v][j] = Float(weight) * (valueTile.output[v][j] - returns[index * e.lanes + c])
    }
    agent.value.backward(valueTile, gradient: &valueGradient)
    return divergence * weight * Double(batch)
  }

  /// Derivative of the clipped surrogate loss by the action's log-density, and `(r - 1) - log r`.
  private func surrogate(_ e: Experience, index: Int, cell c: Int, lane: Int) -> (loss: Double, kl: Double) {
    let n = runner.layout.grid.cells
    var density = 0.0
    for k in runner.settings.controls.indices {
      let i = index * e.actionCount + k * n + c
      let (m, s) = runner.head.law(k, anchor: e.anchors.start[i], outputs: runner.outputs(policyTile, k, c))
      density += runner.head.laws[k].logDensity(e.actions.start[i], location: m, scale: s)
    }
    let logRatio = min(max(density - Double(e.logDensity.start[lane]), -20), 20)
    let ratio = exp(logRatio)
    let advantage = Double(e.advantages.start[lane])
    // min(r A, clip(r) A) is flat where r has already left the trust region in the direction of the gain.
    let isFlat = advantage > 0 ? ratio > 1 + ppo.clip : ratio < 1 - ppo.clip
    return (isFlat ? 0 : -ratio * advantage, ratio - 1 - logRatio)
  }
}
