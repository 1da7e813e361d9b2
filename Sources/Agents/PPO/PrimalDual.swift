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
  /// `reciprocal` with the sign of the reward as (3.17) prints it, which pays for violations; there to show that it
  /// does.
  case printed

  /// Whether the constraint is on the mean of 1/dE (3.11) and not on that of dE (3.4).
  public var isReciprocal: Bool { self != .none && self != .direct }
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
    self.form = form
    self.rate = rate
    self.regularisation = regularisation
    self.floor = floor
  }

  /// A multiplier that was saved with its value.
  public init(restored value: Double, form: MultiplierForm, rate: Double, regularisation: Double, floor: Double) {
    self.init(initial: value, form: form, rate: rate, regularisation: regularisation, floor: floor)
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
    case .reciprocal, .printed: value = max(0, value - rate * reciprocal(deviation, tolerance: tolerance))
    case .regularised:
      value = max(
        0, value - rate * reciprocal(deviation, tolerance: tolerance) - regularisation * value)
    }
  }

  /// What is added to the reward: `-lambda (dE - eps)` (direct), `+lambda zeta` (reciprocal forms) or, as printed,
  /// `-lambda zeta`.
  public func penalty(deviation: Double, tolerance: Double) -> Double {
    switch form {
    case .none: 0
    case .direct: -value * (deviation - tolerance)
    case .reciprocal, .regularised: value * reciprocal(deviation, tolerance: tolerance)
    case .printed: -value * reciprocal(deviation, tolerance: tolerance)
    }
  }
}
