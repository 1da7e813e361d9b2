public import DaunceNetworks
import DaunceNumerics
import DaunceState

/// One ensemble member's agent: its own policy, value function, optimisers and Lagrange multipliers. Nothing in it is
/// shared with other agents.
public struct Agent: Sendable, Hashable {
  /// Inputs to, for every control, a location increment and a log-scale: `[2 controls]` outputs a cell.
  public var policy: Network
  /// Inputs to the value of the cell's state.
  public var value: Network
  /// Steps of the policy's parameters.
  public var policyOptimiser: Adam
  /// Steps of the value network's parameters.
  public var valueOptimiser: Adam
  /// One for each constrained band.
  public var multipliers: [Multiplier]

  /// Gain of an untrained policy's outputs: it starts near its base.
  static let policyOutputGain: Float = 0.01

  /// An untrained agent of ensemble member `member`.
  init(inputs: Int, settings: AgentSettings, multipliers: [Multiplier], seed: UInt64, member: Int) {
    let sizes = [inputs] + settings.hidden + [2 * settings.controls.count]
    policy = Network(
      sizes: sizes, outputGain: Self.policyOutputGain,
      stream: RandomStream(seed: seed, purpose: .networkInitialisation, member: member, cycle: 0))
    value = Network(
      sizes: [inputs, 16, 1], outputGain: 1,
      stream: RandomStream(seed: seed, purpose: .networkInitialisation, member: member, cycle: 1))
    policyOptimiser = Adam(parameters: policy.parameters.count)
    valueOptimiser = Adam(parameters: value.parameters.count)
    self.multipliers = multipliers
  }

  /// An agent put together from saved parts.
  public init(policy: Network, value: Network, policyOptimiser: Adam, valueOptimiser: Adam, multipliers: [Multiplier]) {
    self.policy = policy
    self.value = value
    self.policyOptimiser = policyOptimiser
    self.valueOptimiser = valueOptimiser
    self.multipliers = multipliers
  }

  /// Moves the policy one Adam step against `gradient`.
  mutating func improvePolicy(gradient: [Float], rate: Double, maximumNorm: Double) {
    policyOptimiser.descend(
      &policy.parameters, gradient: gradient, rate: Float(rate), maximumNorm: Float(maximumNorm))
  }

  /// Moves the value network one Adam step against `gradient`.
  mutating func improveValue(gradient: [Float], rate: Double, maximumNorm: Double) {
    valueOptimiser.descend(
      &value.parameters, gradient: gradient, rate: Float(rate), maximumNorm: Float(maximumNorm))
  }
}
