import DaunceNumerics

/// Rows of numbers that every process can compute: element j of any member has mean 3 - j and a spread of 2^-j, so
/// deviations reach from 1 down to below 1e-4 of the mean.
public enum SyntheticEnsemble {
  /// The row of `member` (`[width]`).
  public static func row(of member: Int, width: Int) -> [Double] {
    let stream = RandomStream(seed: 20_251_121, purpose: .test, member: member)
    return (0..<width).map { 3 - Double($0) + Double(sign: .plus, exponent: -$0, significand: stream.normal(at: $0)) }
  }

  /// Rows of all members (`[member][width]`).
  public static func rows(members: Int, width: Int) -> [[Double]] {
    (0..<members).map { row(of: $0, width: width) }
  }
}
