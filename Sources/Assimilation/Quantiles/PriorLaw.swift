internal import DaunceNumerics

/// The law of one quantity in an ensemble, fitted to its members. By its distribution function F a value becomes a normal
/// score, z = Phi^-1(F(x)), and back.
package protocol PriorLaw: AnyObject {
  /// Whether the law ends at bounds.
  var knowsBounds: Bool { get }
  /// Fits the law.
  ///
  /// - Parameters:
  ///   - values: of the members, with spread and within the bounds (`[members]`).
  func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds)
  /// Phi^-1(F(x))
  func score(of value: Double) -> Double
  /// F^-1(Phi(z))
  func value(at score: Double) -> Double
  /// Where members come to be whose quantile in the posterior is theirs in the prior: F(x' | y) = F(x).
  ///
  /// - Parameters:
  ///   - scores: of the members (`[members]`).
  ///   - moved: x' (`[members]`).
  func assimilate(
    _ y: Double, error: ObservationError, scores: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>,
    members: Int, by posterior: ScorePosterior)
}

extension PriorLaw {
  /// It does.
  package var knowsBounds: Bool { true }

  package func assimilate(
    _ y: Double, error: ObservationError, scores: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>,
    members: Int, by posterior: ScorePosterior
  ) {
    take(y, error, scores, moved, members, posterior)
  }

  /// The update by the trapezoidal rule, for any law and any error.
  func take(
    _ y: Double, _ error: ObservationError, _ scores: UnsafePointer<Double>, _ moved: UnsafeMutablePointer<Double>,
    _ members: Int, _ posterior: ScorePosterior
  ) {
    posterior.take(self, y: y, error: error)
    for m in 0..<members { moved[m] = value(at: posterior.score(of: scores[m])) }
  }
}

/// What a quantity cannot be beyond; infinite where there is no bound.
package struct QuantityBounds: Hashable, Sendable {
  package var lower: Double
  package var upper: Double

  /// Between two values, or none.
  package init(lower: Double = -.infinity, upper: Double = .infinity) { (self.lower, self.upper) = (lower, upper) }

  /// The nearest admissible value.
  func clamp(_ x: Double) -> Double { x < lower ? lower : x > upper ? upper : x }
}

/// Laws by their names (DART's quantile-conserving filters have the same; Anderson 2022, 2023).
public enum PriorLawKind: String, Sendable, Hashable, CaseIterable {
  /// Normal: the ensemble adjustment Kalman filter.
  case normal
  /// As much probability between any two neighbouring members, normal tails.
  case rankHistogram = "rank-histogram"
  /// A mixture of normal kernels on the members.
  case kernelDensity = "kernel-density"
  /// Gamma, above a lower bound; normal where there is none.
  case gamma
  /// A normal law cut off at the bounds, with the members' mean and variance.
  case boundedNormal = "bounded-normal"

  /// A new one is its file and a line here.
  ///
  /// - Parameter kernels: of the kernel density.
  package func make(members: Int, kernels: KernelShape = KernelShape()) -> any PriorLaw {
    switch self {
    case .normal: NormalLaw()
    case .rankHistogram: RankHistogramLaw(members: members)
    case .kernelDensity: KernelDensityLaw(members: members, shape: kernels)
    case .gamma: BoundedGammaLaw()
    case .boundedNormal: BoundedNormalLaw()
    }
  }
}

/// Mean and variance of members.
func memberMoments(_ values: UnsafePointer<Double>, _ members: Int) -> (mean: Double, variance: Double) {
  var sum = 0.0
  for m in 0..<members { sum += values[m] }
  let mean = sum / Double(members)
  var squares = 0.0
  for m in 0..<members { squares += (values[m] - mean) * (values[m] - mean) }
  return (mean, squares / Double(max(1, members - 1)))
}

/// Normal scores by the smaller tail.
enum NormalScore {
  /// Scores that a law with ends keeps to: beyond them probabilities are below rounding.
  static let most = 8.0
  /// Scores whose tails are numbers.
  static let furthest = 35.0

  static func of(lower: Double, upper: Double) -> Double {
    if lower < upper { return lower > 0 ? -StandardNormal.upperQuantile(lower) : -.infinity }
    return upper > 0 ? StandardNormal.upperQuantile(upper) : .infinity
  }

  /// The same between the limits.
  static func limited(lower: Double, upper: Double) -> Double {
    min(max(of(lower: lower, upper: upper), -most), most)
  }
}
