#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
public import DaunceState

/// Energy of the skeleton model, as a mean over the circle:
///
///     conserved:  E = < K^2 + (3/2) R^2 + Z^2 / (2 Qt (1 - Qt)) + (H a - S ln a) / (Gamma Qt) >
///     printed:    E = < K^2 + (3/8) R^2 + Z^2 / (2 Qt (1 - Qt)) + (S a - S ln a) / (Gamma Qt) >
///
/// The noise-free equations (4.3)-(4.6) conserve the first form. Its time derivative has the terms f (K + R + Z / Qt)
/// from the squares, with f = S - H a, and -f Q / Qt = -f (Z / Qt + K + R) from activity, which cancel; advection only
/// moves the squares around. The paper prints the second form: with 3/8 the heating of R is counted at a quarter of its
/// weight, and with S a the activity's derivative is S (a - 1) instead of H a - S, so neither cancels and that energy
/// drifts even without noise. It is offered because published bands are in terms of it.
public struct MJOEnergy: StateFunction {
  /// Which weights: those that the equations conserve, or those that the paper prints.
  public enum Form: String, Sendable, Hashable, CaseIterable {
    case conserved
    case printed
  }

  /// Which weights.
  public let form: Form
  /// That of the form.
  public var name: String { form.rawValue }
  /// S at every cell.
  private let source: [Double]

  /// - Parameters:
  ///   - source: S at every cell (`[cell]`).
  public init(_ form: Form, source: [Double]) {
    self.form = form
    self.source = source
  }

  private static let moistureWeight =
    1 / (2 * MJOConstants.moistureGradient * (1 - MJOConstants.moistureGradient))
  private static let activityWeight = 1 / (MJOConstants.growthRate * MJOConstants.moistureGradient)
  private var rossbyWeight: Double { form == .conserved ? 1.5 : 0.375 }

  /// The energy of a state (`[variable][cell]`).
  public func value(of state: Span<Double>) -> Double {
    let n = source.count
    let rossbyWeight = rossbyWeight
    let isConserved = form == .conserved
    var sum = 0.0
    for i in 0..<n {
      let (k, r, z, a) = (state[i], state[n + i], state[2 * n + i], state[3 * n + i])
      let s = source[i]
      let linear = isConserved ? MJOConstants.heatingRate : s
      sum += k * k + rossbyWeight * r * r + Self.moistureWeight * z * z
        + Self.activityWeight * (linear * a - s * log(a))
    }
    return sum / Double(n)
  }

  /// Its derivatives by the state (`[variable][cell]`).
  public func gradient(of state: Span<Double>, into gradient: inout MutableSpan<Double>) {
    let n = source.count
    let inverse = 1 / Double(n)
    let rossbyWeight = rossbyWeight
    let isConserved = form == .conserved
    for i in 0..<n {
      let s = source[i]
      let linear = isConserved ? MJOConstants.heatingRate : s
      gradient[i] = 2 * state[i] * inverse
      gradient[n + i] = 2 * rossbyWeight * state[n + i] * inverse
      gradient[2 * n + i] = 2 * Self.moistureWeight * state[2 * n + i] * inverse
      gradient[3 * n + i] = Self.activityWeight * (linear - s / state[3 * n + i]) * inverse
    }
  }
}
