/// How a Lagrange multiplier follows the violation of its constraint.
public enum MultiplierForm: String, Sendable, Hashable, Codable, CaseIterable {
  /// No multiplier: the unconstrained agent.
  case none
  /// `lambda <- [lambda + alpha (dE - eps)]+` (3.7).
  case direct
  /// `lambda <- [lambda - alpha zeta]+` with `zeta = 1/dE - 1/eps` (3.8).
  case reciprocal
  /// `lambda <- [lambda - alpha zeta - beta lambda]+` (3.9).
  case regularised
  /// `lambda = [I + K_P (dE - eps) + K_D [rise of dE]+]+` with `I` as in (3.7): the ascent as a controller (Stooke et
  /// al. 2020), which answers a violation at once and damps oscillations.
  case pid
  /// `reciprocal` with the sign of the reward as (3.17) prints it, which pays for violations; there to show that it
  /// does.
  case printed

  /// Whether the constraint is on the mean of 1/dE (3.11) and not on that of dE (3.4).
  public var isReciprocal: Bool { self != .none && self != .direct && self != .pid }
}

/// One agent's Lagrange multiplier for one constraint `dE <= eps`, raised by projected ascent while the constraint is
/// violated and lowered while it holds (3.4-3.9).
///
/// The paper prints the reciprocal reward as `R - lambda zeta` (3.17); `zeta` is negative when the constraint is
/// violated, so that sign would reward violations. The penalty here has the sign that punishes them, but for the form
/// `printed`.
public struct Multiplier: Sendable, Hashable, Codable {
  /// The multiplier itself, never negative.
  public var value: Double
  /// How it follows the violation of its constraint.
  public let form: MultiplierForm
  /// Step size alpha.
  public let rate: Double
  /// Decay beta of the regularised form.
  public let regularisation: Double
  /// Smallest `dE` that the reciprocal forms divide by.
  public let floor: Double
  /// K_P and K_D of the form `pid`.
  public var proportional = 0.0
  public var derivative = 0.0
  /// I of the form `pid`, and its last `dE`.
  public var integral: Double
  public var lastDeviation: Double?

  /// A multiplier at its start; zero for the form `none`.
  ///
  /// - Parameters:
  ///   - initial: first value, not negative.
  ///   - rate: alpha.
  ///   - regularisation: beta.
  ///   - floor: smallest `dE` that is divided by, in the unit of `dE`.
  public init(
    initial: Double = 1, form: MultiplierForm, rate: Double, regularisation: Double = 0, floor: Double = 1e-6
  ) {
    value = form == .none ? 0 : initial
    integral = value
    self.form = form
    self.rate = rate
    self.regularisation = regularisation
    self.floor = floor
  }

  /// A multiplier that was saved with its value.
  public init(restored value: Double, form: MultiplierForm, rate: Double, regularisation: Double, floor: Double) {
    self.init(initial: value, form: form, rate: rate, regularisation: regularisation, floor: floor)
  }

  /// Value, integral and last deviation (negative for none), for checkpoints.
  var state: [Double] {
    get { [value, integral, lastDeviation ?? -1] }
    set { (value, integral, lastDeviation) = (newValue[0], newValue[1], newValue[2] < 0 ? nil : newValue[2]) }
  }

  /// `zeta = 1/dE - 1/eps`, with `dE` floored.
  public func reciprocal(_ deviation: Double, tolerance: Double) -> Double {
    1 / max(deviation, floor) - 1 / tolerance
  }

  /// The ascent step for a mean deviation `dE` and tolerance `eps`, in the same unit.
  public mutating func ascend(deviation: Double, tolerance: Double) {
    switch form {
    case .none: break
    case .direct: value = max(0, value + rate * (deviation - tolerance))
    case .pid:
      integral = max(0, integral + rate * (deviation - tolerance))
      let rise = max(0, deviation - (lastDeviation ?? deviation))
      value = max(0, integral + proportional * (deviation - tolerance) + derivative * rise)
      lastDeviation = deviation
    case .reciprocal, .printed: value = max(0, value - rate * reciprocal(deviation, tolerance: tolerance))
    case .regularised:
      value = max(
        0, value - rate * reciprocal(deviation, tolerance: tolerance) - regularisation * value)
    }
  }

  /// Derivative of `penalty` by `dE`.
  public func slope(deviation: Double) -> Double {
    let reciprocal = deviation > floor ? -1 / (deviation * deviation) : 0
    return switch form {
    case .none: 0
    case .direct, .pid: -value
    case .reciprocal, .regularised: value * reciprocal
    case .printed: -value * reciprocal
    }
  }

  /// What is averaged over states for the ascent: dE, or 1/dE for the reciprocal forms.
  func summand(_ deviation: Double) -> Double { form.isReciprocal ? 1 / max(deviation, floor) : deviation }

  /// The ascent step for a mean of `summand`, of deviations in units of the tolerance.
  mutating func ascend(mean: Double) { ascend(deviation: form.isReciprocal ? 1 / mean : mean, tolerance: 1) }

  /// What is added to the reward: `-lambda (dE - eps)` (direct, pid), `+lambda zeta` (reciprocal forms) or, as printed,
  /// `-lambda zeta`.
  public func penalty(deviation: Double, tolerance: Double) -> Double {
    switch form {
    case .none: 0
    case .direct, .pid: -value * (deviation - tolerance)
    case .reciprocal, .regularised: value * reciprocal(deviation, tolerance: tolerance)
    case .printed: -value * reciprocal(deviation, tolerance: tolerance)
    }
  }
}
