package import DaunceNetworks
package import DaunceNumerics

/// The clipped-surrogate update of one agent's policy and the regression of its value network (Schulman et al. 2017).
package final class PPOLearner {
  private let ppo: PPOSettings
  private let head: PolicyHead
  private let policyTile: Activations
  private let valueTile: Activations
  /// What `accumulate` adds to.
  package let policySums: GradientSums
  package let valueSums: GradientSums
  private let scores: Workspace<PolicyHead.Score>
  /// The sums' totals, when a minibatch is complete.
  private var policyGradient: [Float]
  private var valueGradient: [Float]

  package init(ppo: PPOSettings, head: PolicyHead, agent: Agent) {
    self.ppo = ppo
    self.head = head
    policyTile = Activations(network: agent.policy, vectors: head.vectors)
    valueTile = Activations(network: agent.value, vectors: head.vectors)
    policySums = GradientSums(agent.policy)
    valueSums = GradientSums(agent.value)
    scores = Workspace(repeating: .zero, count: head.controls)
    policyGradient = [Float](repeating: 0, count: agent.policy.parameters.count)
    valueGradient = [Float](repeating: 0, count: agent.value.parameters.count)
  }

  /// Several epochs over the experience in random order; stops early when the policy has moved too far.
  ///
  /// - Parameters:
  ///   - progress: part of the training that is over; the learning rate falls linearly to zero.
  ///   - valueOnly: leave the policy as it is.
  package func learn(
    _ agent: inout Agent, from e: RolloutBuffer, stream: RandomStream, progress: Double, valueOnly: Bool = false
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
        policySums.reset()
        valueSums.reset()
        for index in batch {
          divergence += accumulate(agent, e, index, returns: returns, batch: batch.count).divergence
        }
        // The batch has been looked at with the present policy: if that has left the trust region, stop before going
        // further.
        if divergence / Double(batch.count) > 1.5 * ppo.targetKL { break epochs }
        if !valueOnly {
          policySums.write(to: &policyGradient)
          agent.improvePolicy(
            gradient: policyGradient, rate: rate * ppo.learningRate, maximumNorm: ppo.maximumGradientNorm)
        }
        valueSums.write(to: &valueGradient)
        agent.improveValue(
          gradient: valueGradient, rate: rate * ppo.valueLearningRate, maximumNorm: ppo.maximumGradientNorm)
        start += size
      }
    }
  }

  /// Turns advantages into mean 0 and standard deviation 1 over the cells of all tiles; returns the value targets
  /// `A + V` from before.
  private func normalise(_ e: RolloutBuffer) -> [Float] {
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
    _ agent: Agent, _ e: RolloutBuffer, _ index: Int, returns: [Float], batch: Int
  ) -> (policyLoss: Double, valueLoss: Double, divergence: Double) {
    let inputs = UnsafePointer(e.inputs.start + index * e.inputVectors)
    let weight = 1 / Float(batch * head.cells)
    agent.policy.forward(policyTile, input: inputs)
    head.scaleOutputs(policyTile, input: inputs)
    var (policyLoss, valueLoss, divergence) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for v in 0..<head.vectors {
      let surrogate = clippedSurrogate(e, index: index, vector: v, weight: weight)
      policyLoss += surrogate.loss
      divergence += surrogate.divergence
    }
    head.scaleSlopes(policyTile, input: inputs)
    agent.policy.backward(policyTile, input: inputs, into: policySums)

    agent.value.forward(valueTile, input: inputs)
    returns.withUnsafeBytes { returns in
      for v in 0..<head.vectors {
        let offset = (index * e.lanes + v * Lanes.scalarCount) * MemoryLayout<Float>.stride
        let target = returns.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
        let error = (valueTile.output[v] - target) * head.presence(v)
        valueLoss += 0.5 * error * error
        valueTile.outputSlope[v] = weight * error
      }
    }
    agent.value.backward(valueTile, input: inputs, into: valueSums)
    return (
      Double(policyLoss.sum() * weight), Double(valueLoss.sum() * weight),
      Double(divergence.sum()) / Double(head.cells)
    )
  }

  /// The clipped surrogate loss of eight cells, and `(r - 1) - log r`; sets the slopes by the policy's outputs.
  @inline(__always)
  private func clippedSurrogate(
    _ e: RolloutBuffer, index: Int, vector v: Int, weight: Float
  ) -> (loss: Lanes, divergence: Lanes) {
    let density = head.logDensity(
      policyTile, vector: v, actions: e.actions.start + index * e.actionCount,
      anchors: e.anchors.start + index * e.actionCount, scores: scores.start)
    let row = index * e.lanes + v * Lanes.scalarCount
    let old = UnsafeRawPointer(e.logDensity.start + row).loadUnaligned(as: Lanes.self)
    let advantage = UnsafeRawPointer(e.advantages.start + row).loadUnaligned(as: Lanes.self)
    let present = head.presence(v)
    let logRatio = atMost(20, atLeast(-20, density - old))
    let ratio = exponential(logRatio)
    let (least, most) = (Float(1 - ppo.clip), Float(1 + ppo.clip))
    // min(r A, clip(r) A) is flat where r has already left the trust region in the direction of the gain.
    let isFlat = ((advantage .> 0) .& (ratio .> most)) .| ((advantage .<= 0) .& (ratio .< least))
    let clipped = atMost(most, atLeast(least, ratio))
    let (gain, clippedGain) = (ratio * advantage, clipped * advantage)
    var loss = -gain.replacing(with: clippedGain, where: clippedGain .< gain)
    let slope = (-gain).replacing(with: 0, where: isFlat) * present * weight
    // With the squared error as reward the log-scale is held. The entropy of a normal law grows by 1 with its
    // log-scale.
    let isHeld = ppo.reward == .squaredError
    let entropy = Float(ppo.entropy)
    for k in 0..<head.controls {
      let score = scores.start[k]
      head.setSlopes(
        policyTile, k, vector: v, score: score, location: slope * score.location,
        logScale: isHeld ? .zero : slope * score.logScale - weight * entropy * present)
      if !isHeld { loss -= entropy * (score.relativeLogScale + head.logUnits[k]) }
    }
    return (loss * present, (ratio - 1 - logRatio) * present)
  }
}
