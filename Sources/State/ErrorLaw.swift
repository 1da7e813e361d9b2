#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How an observation's error is distributed around what is observed.
public enum ErrorLaw: String, Sendable, Hashable, CaseIterable {
  /// Normal with mean 0.
  case gaussian
  /// Lognormal with the truth as mean: positive and unbiased.
  case lognormal
  /// Laplace's double exponential with mean 0.
  case laplace

  /// log p(y | h), but for a constant that does not depend on h.
  ///
  /// A lognormal y has the mean h and the variance r: log y is normal with the variance s^2 = log(1 + r / h^2) around
  /// log h - s^2 / 2, and nothing that is not positive can be its mean.
  ///
  /// - Parameters:
  ///   - y: observed.
  ///   - departure: y - h, in the unit of y.
  ///   - variance: of the error, positive.
  /// - Returns: minus infinity where y is impossible.
  public func logLikelihood(of y: Double, departure: Double, variance: Double) -> Double {
    switch self {
    case .gaussian: return -0.5 / variance * departure * departure
    case .laplace: return -(2 / variance).squareRoot() * abs(departure)
    case .lognormal:
      let mean = y - departure
      guard y > 0, mean > 0 else { return -.infinity }
      let s2 = log1p(variance / (mean * mean))
      let distance = log(y) - log(mean) + 0.5 * s2
      return -0.5 * (distance * distance / s2 + log(s2))
    }
  }
}
