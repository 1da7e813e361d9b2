#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A function of one number that an observation applies to what it sees.
public enum PointwiseFunction: String, Sendable, Hashable, CaseIterable {
  case identity
  case absolute
  case square
  case cube
  /// Natural; not a number for arguments that are not positive.
  case logarithm
  /// Natural, of the absolute value; minus infinity at 0.
  case logarithmAbsolute = "logarithm-absolute"
  case exponential
  case arctangent
  /// 1 above 0, 0 elsewhere.
  case threshold

  /// The function at `x`.
  public func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .identity: x
    case .absolute: abs(x)
    case .square: x * x
    case .cube: x * x * x
    case .logarithm: x > 0 ? log(x) : .nan
    case .logarithmAbsolute: log(abs(x))
    case .exponential: exp(x)
    case .arctangent: atan(x)
    case .threshold: x.isNaN ? .nan : x > 0 ? 1 : 0
    }
  }
}
