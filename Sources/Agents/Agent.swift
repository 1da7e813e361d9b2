import Glibc
import Randomness
import StateSpace

/// One ensemble member's agent: its own policy, value function, optimisers and Lagrange multipliers. Nothing in it is shared
/// with other agents.
public struct Agent: Sendable, Hashable {
  /// Inputs to, for every control, a location increment and a log-scale: `[2 controls]` outputs a cell.
  public var policy: Network
  /// Inputs to the value of the cell's state.
  public var value: Network
  public var policyOptimiser: Adam
  public var valueOptimiser: Adam
  /// One for each constrained band.
  public var multipliers: [Multiplier]

  /// An untrained agent of ensemble member `member`.
  init(inputs: Int, settings: AgentSettings, multipliers: [Multiplier], seed: UInt64, member: Int) {
    let sizes = [inputs] + settings.hidden + [2 * settings.controls.count]
    policy = Network(
      sizes: sizes, outputGain: 0.01,
      stream: Stream(seed: seed, purpose: .networkInitialisation, member: member, cycle: 0))
    value = Network(
      sizes: [inputs, 16, 1], outputGain: 1,
      stream: Stream(seed: seed, purpose: .networkInitialisation, member: member, cycle: 1))
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

/// Turns a policy network's output into the laws of the actions.
struct PolicyHead: Sendable {
  /// Law of every control.
  let laws: [ActionLaw]
  /// Scale of every control, in the variable's unit.
  let scales: [Double]

  /// Bounds of the log-scale, relative to the variable's scale.
  static let logScaleRange: ClosedRange<Double> = -5...1
  /// Log-scale of an untrained policy, relative to the variable's scale.
  static let initialLogScale = -2.0

  init(settings: AgentSettings, layout: StateLayout) {
    scales = settings.controls.map { layout.variables[$0].scale }
    laws = settings.controls.map { v in
      guard let lower = layout.variables[v].lowerBound else { return .normal }
      switch settings.bounds {
      case .truncated: return .truncated(lower: lower)
      case .clip: return .clipped(lower: lower)
      case .softplus: return .softplus(lower: lower)
      }
    }
  }

  /// Location and scale of control `k`'s law around `anchor`, from the two raw outputs.
  func law(_ k: Int, anchor: Double, outputs: (Float, Float)) -> (location: Double, scale: Double) {
    let s = scales[k]
    let logScale = Double(outputs.1) + Self.initialLogScale
    let range = Self.logScaleRange
    // Six scales below the bound nothing but the bound's own neighbourhood is left of a truncated law.
    let location = anchor + s * Double(outputs.0)
    let scale = s * exp(min(max(logScale, range.lowerBound), range.upperBound))
    if case .truncated(let lower) = laws[k] { return (max(location, lower - 6 * scale), scale) }
    return (location, scale)
  }

  /// Turns derivatives by location and log-scale into derivatives by the raw outputs; where an output is at its limit, only a
  /// slope (of a loss to be descended) that leads back inside counts.
  func slopes(
    _ k: Int, anchor: Double, outputs: (Float, Float), location: Double, logScale: Double
  ) -> (Float, Float) {
    let s = scales[k]
    let raw = Double(outputs.1) + Self.initialLogScale
    let range = Self.logScaleRange
    let atLower = raw <= range.lowerBound && logScale > 0
    let atUpper = raw >= range.upperBound && logScale < 0
    var dLocation = s * location
    if case .truncated(let lower) = laws[k] {
      let scale = s * exp(min(max(raw, range.lowerBound), range.upperBound))
      if anchor + s * Double(outputs.0) < lower - 6 * scale, location > 0 { dLocation = 0 }
    }
    return (Float(dLocation), atLower || atUpper ? 0 : Float(logScale))
  }
}
