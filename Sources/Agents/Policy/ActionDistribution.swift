import DaunceNetworks
import Glibc
import DaunceNumerics

/// How a policy's action for one variable is distributed, given the location `m` and scale `s` that its network puts
/// out.
///
/// Hard bounds (3.19, 3.20) hold by construction: nothing is clipped after sampling, except in `clipped`, which is
/// there to show what clipping does (remark 5), as `softplus` is (remark 6).
public enum ActionDistribution: Sendable, Hashable {
  /// Normal, for an unbounded variable.
  case normal
  /// Normal restricted to `[lower, inf)` and renormalised.
  case truncated(lower: Double)
  /// Normal draw moved up to `lower` where it falls below; its density is the unclipped normal's.
  case clipped(lower: Double)
  /// `lower + log(1 + exp(z))` with `z` normal around the value that maps to `m`, in units of `s`'s own scale.
  case softplus(lower: Double)

  /// The draw with upper-tail probability `1 - u`, for `u` uniform in (0, 1): increasing in `u`.
  public func sample(location m: Double, scale s: Double, uniform u: Double) -> Double {
    switch self {
    case .normal:
      return m - s * StandardNormal.upperQuantile(u)
    case .truncated(let lower):
      let q = StandardNormal.upperTail((lower - m) / s)
      // Where almost nothing is cut off, 1 - u is the upper tail; far out, Q stays positive and keeps its digits.
      return Self.raise(m + s * StandardNormal.upperQuantile(q * (1 - u)), to: lower)
    case .clipped(let lower):
      return Self.raise(m - s * StandardNormal.upperQuantile(u), to: lower)
    case .softplus(let lower):
      return lower + Self.softplus(Self.inverseSoftplus(m - lower, s) - StandardNormal.upperQuantile(u), s)
    }
  }

  /// Probability of an action up to `x`: the inverse of `sample`.
  public func cumulative(_ x: Double, location m: Double, scale s: Double) -> Double {
    switch self {
    case .normal:
      return StandardNormal.upperTail((m - x) / s)
    case .clipped(let lower):
      return x < lower ? 0 : StandardNormal.upperTail((m - x) / s)
    case .truncated(let lower):
      guard x > lower else { return 0 }
      return 1 - StandardNormal.upperTail((x - m) / s) / StandardNormal.upperTail((lower - m) / s)
    case .softplus(let lower):
      guard x > lower else { return 0 }
      return StandardNormal.upperTail(Self.inverseSoftplus(m - lower, s) - Self.inverseSoftplus(x - lower, s))
    }
  }

  /// Log-density of `x`.
  public func logDensity(_ x: Double, location m: Double, scale s: Double) -> Double {
    switch self {
    case .normal, .clipped:
      let z = (x - m) / s
      return -0.5 * z * z - log(s) - Self.halfLogTwoPi
    case .truncated(let lower):
      let z = (x - m) / s
      return -0.5 * z * z - log(s) - Self.halfLogTwoPi - StandardNormal.logUpperTail((lower - m) / s)
    case .softplus(let lower):
      let y = Self.inverseSoftplus(x - lower, s)
      let d = y - Self.inverseSoftplus(m - lower, s)
      // x = lower + s log(1 + e^y), so dx/dy = s / (1 + e^-y).
      return -0.5 * d * d - Self.halfLogTwoPi - log(s) + log1p(exp(-y))
    }
  }

  /// Derivatives of the log-density by location and by the logarithm of the scale.
  public func scoreFunction(
    _ x: Double, location m: Double, scale s: Double
  ) -> (location: Double, logScale: Double) {
    switch self {
    case .normal, .clipped:
      let z = (x - m) / s
      return (z / s, z * z - 1)
    case .truncated(let lower):
      let z = (x - m) / s
      let alpha = (lower - m) / s
      let mills = StandardNormal.inverseMills(alpha)
      // d log Q(alpha) = -mills dalpha, dalpha/dm = -1/s, dalpha/dlog s = -alpha.
      return ((z - mills) / s, z * z - 1 - mills * alpha)
    case .softplus(let lower):
      let r = max((x - lower) / s, Self.smallest)
      let t = max((m - lower) / s, Self.smallest)
      let d = Self.inverseSoftplus(x - lower, s) - Self.inverseSoftplus(m - lower, s)
      // g(t) = log(e^t - 1) has g'(t) = 1/(1 - e^-t); t = (m - lower)/s.
      let slopeT = -1 / expm1(-t)
      let slopeR = -1 / expm1(-r)
      let dLocation = m - lower > s * Self.smallest ? d * slopeT / s : 0
      let jacobian = -expm1(-r)  // 1 / (1 + e^-y)
      // d log density / d log s with r and t proportional to 1/s; the Jacobian term is -log(1 - e^-r).
      let dLogScale = d * (slopeR * r - slopeT * t) - 1 + exp(-r) * r / jacobian
      return (dLocation, dLogScale)
    }
  }

  /// Mean of the action.
  public func expectation(location m: Double, scale s: Double) -> Double {
    switch self {
    case .normal:
      return m
    case .truncated(let lower):
      return m + s * StandardNormal.inverseMills((lower - m) / s)
    case .clipped(let lower):
      let alpha = (lower - m) / s
      return lower + s * StandardNormal.density(alpha) - (lower - m) * StandardNormal.upperTail(alpha)
    case .softplus:
      // No closed form: the mean over the midpoints of 64 equal probabilities.
      var sum = 0.0
      for k in 0..<64 { sum += sample(location: m, scale: s, uniform: (Double(k) + 0.5) / 64) }
      return sum / 64
    }
  }

  /// Variance of the action (normal and truncated normal).
  public func variance(location m: Double, scale s: Double) -> Double {
    switch self {
    case .truncated(let lower):
      let alpha = (lower - m) / s
      let mills = StandardNormal.inverseMills(alpha)
      return s * s * (1 + alpha * mills - mills * mills)
    case .normal, .clipped, .softplus:
      return s * s
    }
  }

  /// Differential entropy (normal and truncated normal; the unclipped normal's for `clipped` and `softplus`).
  public func entropy(location m: Double, scale s: Double) -> Double {
    switch self {
    case .truncated(let lower):
      let alpha = (lower - m) / s
      return Self.halfLogTwoPi + 0.5 + log(s) + StandardNormal.logUpperTail(alpha)
        + 0.5 * alpha * StandardNormal.inverseMills(alpha)
    case .normal, .clipped, .softplus:
      return Self.halfLogTwoPi + 0.5 + log(s)
    }
  }

  /// `max(x, lower)`, but not-a-number stays: a broken policy must not look like one at its bound.
  private static func raise(_ x: Double, to lower: Double) -> Double { x < lower ? lower : x }

  static let halfLogTwoPi = 0.918938533204672741780330

  private static let smallest = 1e-9

  /// `s log(1 + e^y)`.
  private static func softplus(_ y: Double, _ s: Double) -> Double {
    s * (max(y, 0) + log1p(exp(-abs(y))))
  }

  /// The `y` with `s log(1 + e^y) = x`.
  private static func inverseSoftplus(_ x: Double, _ s: Double) -> Double {
    let r = max(x / s, smallest)
    return r + log(-expm1(-r))
  }
}
