public import DaunceState

/// The error of one observation: what its likelihood is made of.
public struct ObservationError: Sendable, Hashable {
  /// Error variance, positive, over the share of the observation that acts.
  public var variance: Double
  /// How the error is distributed. What is made for normal errors takes any for a normal one of the same variance.
  public var law: ErrorLaw
  /// Observed value, which laws of positive quantities need.
  public var observed: Double
  /// Share of the observation that acts, its taper: an exponent of the likelihood.
  public var share: Double

  /// A normal error.
  public init(variance: Double) { self.init(variance: variance, law: .gaussian, observed: 0) }

  /// The error of an observation of which a share acts.
  ///
  /// - Parameter variance: of the whole observation.
  public init(variance: Double, law: ErrorLaw, observed: Double, share: Double = 1) {
    (self.variance, self.law, self.observed, self.share) = (variance / share, law, observed, share)
  }

  /// Whether Kalman's formulas hold for it.
  public var isNormal: Bool { law == .gaussian }

  /// log p(y | h), but for a constant.
  ///
  /// - Parameter departure: y - h, in the unit of y.
  public func logLikelihood(departure: Double) -> Double {
    guard !isNormal else { return -0.5 / variance * departure * departure }
    return share * law.logLikelihood(of: observed, departure: departure, variance: variance * share)
  }
}
