package import DaunceNumerics
import DaunceSettings
package import DaunceState
import Glibc

extension ErrorLaw {
  init(_ law: NetworkSettings.Law) {
    switch law {
    case .gaussian: self = .gaussian
    case .lognormal: self = .lognormal
    case .laplace: self = .laplace
    }
  }

  /// An observed value of `truth`.
  ///
  /// - Parameters:
  ///   - variance: of the error.
  ///   - index: address of the random number.
  package func observe(_ truth: Double, variance: Double, _ stream: RandomStream, at index: Int) -> Double {
    switch self {
    case .gaussian: return truth + variance.squareRoot() * stream.normal(at: index)
    case .lognormal:
      // Mean `truth` and the given variance: s^2 = log(1 + variance / truth^2), mu = log(truth) - s^2 / 2.
      let s2 = log1p(variance / (truth * truth))
      return exp(log(truth) - 0.5 * s2 + s2.squareRoot() * stream.normal(at: index))
    case .laplace:
      let u = stream.uniform(at: index) - 0.5
      let size = -(variance / 2).squareRoot() * log1p(-2 * abs(u))
      return truth + (u < 0 ? -size : size)
    }
  }
}
