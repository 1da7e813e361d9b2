import DaunceAgents
import DaunceNetworks
import DaunceNumerics
import DaunceState
import Testing

private let layout = StateLayout(
  ring: 16, length: 1,
  fields: [
    Field(name: "q", longName: "unbounded", scale: 0.5),
    Field(name: "a", longName: "bounded", scale: 0.2, lowerBound: 1e-3),
  ])

private func settings(_ bounds: AgentSettings.Bounds = .truncated) -> AgentSettings {
  AgentSettings(
    base: .coarseStep, inputs: .member, target: .truth, draws: .independent, bounds: bounds, controls: [0, 1],
    observed: [.init(field: 1, of: layout, errorVariance: 0.01)], window: 3, hidden: [5])
}

private func ppo(_ reward: PPOSettings.Reward, entropy: Double = 0, clip: Double = 0.2) -> PPOSettings {
  PPOSettings(
    iterations: 1, horizon: 3, episode: 8, sequences: 2, epochs: 3, minibatches: 2, discount: 0.9, gaeLambda: 0.95,
    clip: clip, learningRate: 1e-2, valueLearningRate: 1e-2, entropy: entropy, maximumGradientNorm: 10, targetKL: 100,
    reward: reward)
}

/// An agent, and experience drawn with a policy slightly different from its own, so that probability ratios are not 1.
private func scene() -> (Agent, RolloutBuffer, PolicyHead) {
  let head = PolicyHead(settings: settings(), layout: layout)
  func network(_ sizes: [Int], _ cycle: Int) -> Network {
    Network(sizes: sizes, outputGain: 0.5, stream: RandomStream(seed: 3, purpose: .test, cycle: cycle))
  }
  let policy = network([6, 5, 4], 0)
  let value = network([6, 4, 1], 1)
  let agent = Agent(
    policy: policy, value: value, policyOptimiser: Adam(parameters: policy.parameters.count),
    valueOptimiser: Adam(parameters: value.parameters.count), multipliers: [])
  var old = policy
  for k in old.parameters.indices {
    old.parameters[k] += 0.03 * Float(RandomStream(seed: 4, purpose: .test).normal(at: k))
  }
  let e = RolloutBuffer(steps: 3, sequences: 2, lanes: 16, inputs: 6, actionCount: 32)
  let stream = RandomStream(seed: 5, purpose: .test)
  let tile = Activations(network: policy, vectors: 2)
  for index in 0..<e.tiles {
    for i in 0..<12 {
      for lane in 0..<8 { tile.input[i][lane] = Float(stream.normal(at: 1000 * index + 8 * i + lane)) }
      e.inputs.start[index * 12 + i] = tile.input[i]
    }
    old.forward(tile)
    for i in 0..<32 {
      let anchor = 0.1 + 0.05 * stream.normal(at: 50_000 + 1000 * index + i)
      e.anchors.start[index * 32 + i] = anchor
      let (m, s) = head.law(i / 16, anchor: anchor, outputs: head.outputs(tile, i / 16, i % 16))
      e.actions.start[index * 32 + i] = head.laws[i / 16].sample(
        location: m, scale: s, uniform: stream.uniform(at: 90_000 + 1000 * index + i))
    }
    for c in 0..<16 {
      e.logDensity.start[index * 16 + c] = Float(
        head.logDensity(
          tile, cell: c, actions: e.actions.start + index * 32, anchors: e.anchors.start + index * 32))
      e.advantages.start[index * 16 + c] = Float(stream.normal(at: 200_000 + 16 * index + c))
    }
  }
  return (agent, e, head)
}

extension GradientSums {
  /// The sums over lanes.
  fileprivate var totals: [Float] {
    var totals = [Float](repeating: 0, count: count)
    write(to: &totals)
    return totals
  }
}

private let returns: [Float] = (0..<96).map { Float(RandomStream(seed: 6, purpose: .test).normal(at: $0)) }

@Test(arguments: [0.0, 0.3], [0.2, 50])
func gradientsOfThePPOLossesMatchFiniteDifferences(entropy: Double, clip: Double) {
  let (agent, e, head) = scene()
  let learner = PPOLearner(ppo: ppo(.crps, entropy: entropy, clip: clip), head: head, agent: agent)
  func losses(_ agent: Agent) -> (policy: Double, value: Double) {
    let probe = PPOLearner(ppo: ppo(.crps, entropy: entropy, clip: clip), head: head, agent: agent)
    var sums = (policy: 0.0, value: 0.0)
    for index in 0..<e.tiles {
      let part = probe.accumulate(agent, e, index, returns: returns, batch: e.tiles)
      sums.policy += part.policyLoss
      sums.value += part.valueLoss
    }
    return sums
  }
  for index in 0..<e.tiles { _ = learner.accumulate(agent, e, index, returns: returns, batch: e.tiles) }
  let (policyGradient, valueGradient) = (learner.policySums.totals, learner.valueSums.totals)
  let h: Float = 2e-3
  let policyScale = policyGradient.map(abs).max() ?? 0
  // The clipped surrogate has kinks where a ratio crosses its limits: differences of a few parameters straddle one.
  let allowed = clip < 1 ? agent.policy.parameters.count / 10 : 0
  var misses = 0
  for k in agent.policy.parameters.indices {
    var (up, down) = (agent, agent)
    up.policy.parameters[k] += h
    down.policy.parameters[k] -= h
    let difference = Float((losses(up).policy - losses(down).policy) / Double(2 * h))
    if abs(difference - policyGradient[k]) > 1e-2 * policyScale { misses += 1 }
  }
  #expect(policyScale > 1e-2)
  #expect(misses <= allowed)
  let valueScale = valueGradient.map(abs).max() ?? 0
  for k in agent.value.parameters.indices {
    var (up, down) = (agent, agent)
    up.value.parameters[k] += h
    down.value.parameters[k] -= h
    let difference = Float((losses(up).value - losses(down).value) / Double(2 * h))
    #expect(abs(difference - valueGradient[k]) < 3e-3 * valueScale, "parameter \(k)")
  }
}

@Test func theSquaredErrorRewardLeavesTheScaleAlone() {
  let (agent, e, head) = scene()
  let learner = PPOLearner(ppo: ppo(.squaredError), head: head, agent: agent)
  for index in 0..<e.tiles { _ = learner.accumulate(agent, e, index, returns: returns, batch: e.tiles) }
  let policyGradient = learner.policySums.totals
  // The last layer's weights come by output, 5 inputs each, then 4 biases; outputs 1 and 3 are log-scales.
  let start = 6 * 5 + 5
  for output in [1, 3] {
    for i in 0..<5 { #expect(policyGradient[start + 5 * output + i] == 0) }
    #expect(policyGradient[start + 20 + output] == 0)
  }
  #expect(policyGradient[start] != 0)
}

@Test func learningRaisesTheProbabilityOfGoodActions() {
  let (start, e, head) = scene()
  var agent = start
  func agreement(_ agent: Agent) -> Double {
    let tile = Activations(network: agent.policy, vectors: 2)
    var sum = 0.0
    for index in 0..<e.tiles {
      for i in 0..<12 { tile.input[i] = e.inputs.start[index * 12 + i] }
      agent.policy.forward(tile)
      for c in 0..<16 {
        let density = head.logDensity(
          tile, cell: c, actions: e.actions.start + index * 32, anchors: e.anchors.start + index * 32)
        sum += density * Double(e.advantages.start[index * 16 + c])
      }
    }
    return sum
  }
  let learner = PPOLearner(ppo: ppo(.crps), head: head, agent: agent)
  learner.learn(&agent, from: e, stream: RandomStream(seed: 8, purpose: .test), progress: 0)
  // The advantages are normalised by now, for both alike.
  #expect(agreement(agent) > agreement(start))
  #expect(agent.policyOptimiser.step == 6 && agent.policy != start.policy && agent.value != start.value)
}

@Test func aSaturatedPolicyIsOnlyPushedBackInside() {
  let head = PolicyHead(settings: settings(), layout: layout)
  // Far below the lower bound: a slope that asks for a still lower location is dropped.
  let outputs: (Float, Float) = (-50, 0)
  let (m, s) = head.law(1, anchor: 0.1, outputs: outputs)
  #expect(m == 1e-3 - 6 * s)
  #expect(head.slopes(1, anchor: 0.1, outputs: outputs, location: 1, logScale: 0).0 == 0)
  #expect(head.slopes(1, anchor: 0.1, outputs: outputs, location: -1, logScale: 0).0 < 0)
  // Log-scale beyond its range.
  #expect(head.slopes(0, anchor: 0, outputs: (0, 9), location: 0, logScale: -1).1 == 0)
  #expect(head.slopes(0, anchor: 0, outputs: (0, 9), location: 0, logScale: 1).1 == 1)
  #expect(head.slopes(0, anchor: 0, outputs: (0, -9), location: 0, logScale: 1).1 == 0)
}

/// Eight cells at once against one by one, with every law, at the limits too, and with cells that fill no whole vector.
@Test(arguments: [AgentSettings.Bounds.truncated, .clip, .softplus])
func lawsOfEightCellsAreThoseOfSingleCells(bounds: AgentSettings.Bounds) {
  let narrow = StateLayout(ring: 13, length: 1, fields: layout.fields)
  let head = PolicyHead(settings: settings(bounds), layout: narrow)
  let network = Network(sizes: [1, 4], outputGain: 1, stream: RandomStream(seed: 1, purpose: .test))
  let tile = Activations(network: network, vectors: 2)
  let stream = RandomStream(seed: 12, purpose: .test)
  var (actions, anchors) = ([Double](), [Double]())
  for i in 0..<26 {
    anchors.append(0.01 + 0.2 * stream.uniform(at: i))
    actions.append(max(1.1e-3, anchors[i] + 0.1 * stream.normal(at: 100 + i)))
    // Raw locations from far below to above the bound, raw log-scales beyond both limits.
    let (k, c) = (i / 13, i % 13)
    tile.output[4 * k + c / 8][c % 8] = Float(2 * stream.normal(at: 200 + i))
    tile.output[4 * k + 2 + c / 8][c % 8] = Float(2.5 * stream.normal(at: 300 + i))
  }
  let scores = UnsafeMutablePointer<PolicyHead.Score>.allocate(capacity: 2)
  defer { scores.deallocate() }
  for v in 0..<2 {
    let densities = head.logDensity(tile, vector: v, actions: actions, anchors: anchors, scores: scores)
    for k in 0..<2 {
      head.setSlopes(tile, k, vector: v, score: scores[k], location: -scores[k].location, logScale: -scores[k].logScale)
    }
    for c in 8 * v..<min(13, 8 * v + 8) {
      #expect(head.presence(v)[c % 8] == 1)
      let density = head.logDensity(tile, cell: c, actions: actions, anchors: anchors)
      #expect(agrees(Double(densities[c % 8]), density, 3e-6), "cell \(c)")
      for k in 0..<2 {
        let (i, outputs) = (13 * k + c, head.outputs(tile, k, c))
        let (m, s) = head.law(k, anchor: anchors[i], outputs: outputs)
        let score = head.laws[k].scoreFunction(actions[i], location: m, scale: s)
        let slopes = head.slopes(
          k, anchor: anchors[i], outputs: outputs, location: -score.location, logScale: -score.logScale)
        let found = (tile.outputSlope[4 * k + v][c % 8], tile.outputSlope[4 * k + 2 + v][c % 8])
        #expect(agrees(Double(found.0), Double(slopes.0), 1e-5), "location of control \(k), cell \(c)")
        #expect(agrees(Double(found.1), Double(slopes.1), 1e-5), "log-scale of control \(k), cell \(c)")
      }
    }
  }
  #expect(head.presence(1)[5] == 0)
}
