import Glibc
package import Randomness

/// The clipped-surrogate update of one agent's policy and the regression of its value network (Schulman et al. 2017).
package final class Learner {
  private let ppo: PPOSettings
  private let head: PolicyHead
  private let policyTile: Activations
  private let valueTile: Activations
  /// Gradients that `accumulate` adds to.
  package private(set) var policyGradient: [Float]
  package private(set) var valueGradient: [Float]

  package init(ppo: PPOSettings, head: PolicyHead, agent: Agent) {
    self.ppo = ppo
    self.head = head
    policyTile = Activations(network: agent.policy, vectors: head.vectors)
    valueTile = Activations(network: agent.value, vectors: head.vectors)
    policyGradient = [Float](repeating: 0, count: agent.policy.parameters.count)
    valueGradient = [Float](repeating: 0, count: agent.value.parameters.count)
  }

  /// Several epochs over the experience in random order; stops early when the policy has moved too far.
  ///
  /// - Parameters:
  ///   - progress: part of the training that is over; the learning rate falls linearly to zero.
  ///   - valueOnly: leave the policy as it is.
  package func learn(
    _ agent: inout Agent, from e: Experience, stream: Stream, progress: Double, valueOnly: Bool = false
  ) {
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
          divergence += accumulate(agent, e, index, returns: returns, batch: batch.count).divergence
        }
        // The batch has been looked at with the present policy: if that has left the trust region, stop before going
        // further.
        if divergence / Double(batch.count) > 1.5 * ppo.targetKL { break epochs }
        if !valueOnly {
          agent.improvePolicy(
            gradient: policyGradient, rate: rate * ppo.learningRate, maximumNorm: ppo.maximumGradientNorm)
        }
        agent.improveValue(
          gradient: valueGradient, rate: rate * ppo.valueLearningRate, maximumNorm: ppo.maximumGradientNorm)
        start += size
      }
    }
  }

  /// Turns advantages into mean 0 and standard deviation 1 over the cells of all tiles; returns the value targets
  /// `A + V` from before.
  private func normalise(_ e: Experience) -> [Float] {
    let n = head.cells
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

  /// Adds one tile's gradients of both losses.
  ///
  /// - Parameter batch: tiles of the minibatch: losses are means over its cells.
  /// - Returns: the tile's share of the clipped surrogate (entropy bonus included) and of the value loss, and its
  ///   mean of `(r - 1) - log r`, an estimate of the divergence.
  package func accumulate(
    _ agent: Agent, _ e: Experience, _ index: Int, returns: [Float], batch: Int
  ) -> (policyLoss: Double, valueLoss: Double, divergence: Double) {
    let n = head.cells
    let inputs = e.inputs.start + index * e.inputVectors
    let weight = 1 / Double(batch * n)
    policyTile.values[0].baseAddress?.update(from: inputs, count: e.inputVectors)
    agent.policy.forward(policyTile)
    var (policyLoss, valueLoss, divergence) = (0.0, 0.0, 0.0)
    for c in 0..<n {
      let surrogate = clippedSurrogate(e, index: index, cell: c)
      policyLoss += surrogate.loss
      divergence += surrogate.divergence
      for k in 0..<head.controls { policyLoss += setPolicySlopes(e, index, k, c, surrogate.slope, weight: weight) }
    }
    agent.policy.backward(policyTile, gradient: &policyGradient)

    valueTile.values[0].baseAddress?.update(from: inputs, count: e.inputVectors)
    agent.value.forward(valueTile)
    for c in 0..<n {
      let (v, j) = (c / Lanes.scalarCount, c % Lanes.scalarCount)
      let error = valueTile.output[v][j] - returns[index * e.lanes + c]
      valueLoss += Double(0.5 * error * error)
      valueTile.outputSlope[v][j] = Float(weight) * error
    }
    agent.value.backward(valueTile, gradient: &valueGradient)
    return (policyLoss * weight, valueLoss * weight, divergence / Double(n))
  }

  /// The clipped surrogate loss of one cell, its derivative by the action's log-density, and `(r - 1) - log r`.
  private func clippedSurrogate(
    _ e: Experience, index: Int, cell c: Int
  ) -> (loss: Double, slope: Double, divergence: Double) {
    let density = head.logDensity(
      policyTile, cell: c, actions: e.actions.start + index * e.actionCount,
      anchors: e.anchors.start + index * e.actionCount)
    let lane = index * e.lanes + c
    let logRatio = min(max(density - Double(e.logDensity.start[lane]), -20), 20)
    let ratio = exp(logRatio)
    let advantage = Double(e.advantages.start[lane])
    // min(r A, clip(r) A) is flat where r has already left the trust region in the direction of the gain.
    let isFlat = advantage > 0 ? ratio > 1 + ppo.clip : ratio < 1 - ppo.clip
    let clipped = min(max(ratio, 1 - ppo.clip), 1 + ppo.clip)
    return (-min(ratio * advantage, clipped * advantage), isFlat ? 0 : -ratio * advantage, ratio - 1 - logRatio)
  }

  /// Sets the slopes of one control at one cell; returns its entropy bonus as a loss.
  private func setPolicySlopes(
    _ e: Experience, _ index: Int, _ k: Int, _ c: Int, _ slope: Double, weight: Double
  ) -> Double {
    let i = index * e.actionCount + k * head.cells + c
    let outputs = head.outputs(policyTile, k, c)
    let (m, s) = head.law(k, anchor: e.anchors.start[i], outputs: outputs)
    let score = head.laws[k].scoreFunction(e.actions.start[i], location: m, scale: s)
    // With the squared error as reward the log-scale is held. The entropy of a normal law grows by 1 with its
    // log-scale.
    let isHeld = ppo.reward == .squaredError
    let logScale = isHeld ? 0 : slope * score.logScale - ppo.entropy
    head.setSlopes(
      policyTile, k, c,
      head.slopes(
        k, anchor: e.anchors.start[i], outputs: outputs, location: weight * slope * score.location,
        logScale: weight * logScale))
    return isHeld ? 0 : -ppo.entropy * log(s)
  }
}
