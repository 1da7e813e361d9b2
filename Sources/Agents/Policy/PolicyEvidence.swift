package import DaunceNetworks
import DaunceNumerics
package import DaunceState

/// What truths say of one agent's policy: their likelihood under its laws, and how sharply they tell its weights.
package final class PolicyEvidence {
  private let policy: Network
  private let head: PolicyHead
  private let controls: [Int]
  private let layout: StateLayout
  private let tile: Activations
  private let scores: Workspace<PolicyHead.Score>
  private let targets: Workspace<Double>
  private let information: WeightInformation
  /// Sum over all actions of the truth's log-density.
  package private(set) var logLikelihood = 0.0
  /// Actions so far.
  package private(set) var count = 0
  /// Every so many cells of a state count towards the information.
  private let every: Int

  /// - Parameter every: cells from one that counts towards the information to the next.
  package init(_ policy: Network, settings: AgentSettings, layout: StateLayout, every: Int = 1) {
    (self.policy, controls, self.layout, self.every) = (policy, settings.controls, layout, max(1, every))
    head = PolicyHead(settings: settings, layout: layout)
    tile = Activations(network: policy, vectors: head.vectors)
    scores = Workspace(repeating: .zero, count: head.controls)
    targets = Workspace(repeating: 0, count: head.controls * head.cells)
    information = WeightInformation(policy)
  }

  /// Takes a state of this agent that has just been evaluated.
  ///
  /// - Parameters:
  ///   - seen: tile with the policy's inputs.
  ///   - anchors: what its increments are added to (`[control][cell]`).
  ///   - truth: `[layout.count]`.
  package func take(_ seen: Activations, anchors: UnsafePointer<Double>, truth: UnsafePointer<Double>) {
    guard let input = seen.input.baseAddress else { return }
    for (k, v) in controls.enumerated() {
      (targets.start + k * head.cells).update(from: truth + layout.offsets[v], count: head.cells)
    }
    policy.forward(tile, input: input)
    logLikelihood += head.setLossSlopes(tile, input: input, actions: targets.start, anchors: anchors, scores: scores.start)
    count += head.controls * head.cells
    guard let slope = tile.outputSlope.baseAddress else { return }
    for v in stride(from: 0, to: head.vectors, by: every) {
      information.add(
        policy, input: input + v, slope: slope + v, stride: head.vectors,
        samples: min(Lanes.scalarCount, head.cells - v * Lanes.scalarCount))
    }
  }

  /// The law that policies are initialised from, with an output layer of another gain.
  package static func prior(of policy: Network, gain: Double) -> WeightPrior {
    WeightPrior(initialisationOf: policy.sizes, outputGain: Float(gain))
  }

  /// Gain of the output layer that policies are initialised with.
  package static var initialGain: Double { Double(Agent.policyOutputGain) }

  /// log p(w) of the law that policies are initialised from, and log q(w) of the normal law about where training has ended.
  ///
  /// - Parameters:
  ///   - cells: that the policy was trained on, each in every state.
  ///   - gain: of the prior's output layer.
  package func logDensities(trainedOn cells: Int, gain: Double) -> (prior: Double, proposal: Double) {
    let prior = Self.prior(of: policy, gain: gain)
    let factor = Double(cells) / Double(max(1, information.count))
    return (prior.logDensity(policy), information.logDensityAtCentre(prior: prior, factor: factor))
  }
}
