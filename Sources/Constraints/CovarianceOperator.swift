/// A covariance matrix P of states, known by its columns and products: what a projection in the metric of P^-1 needs
/// instead of P^-1.
public protocol CovarianceOperator: AnyObject {
  /// Order of the matrix.
  var order: Int { get }
  /// Standard deviation of element `i` or an upper bound of its order of magnitude: a scale for steps, zero for
  /// elements without variance.
  func scale(_ i: Int) -> Double
  /// Writes column `i` (`[order]`) and returns the range of elements outside which it is zero.
  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int>
  /// Writes `P v` (`[order]`).
  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>)
}

/// A covariance given as a full matrix.
public final class DenseCovariance: CovarianceOperator {
  /// Order of the matrix.
  public let order: Int
  /// Row-major `order` x `order`, symmetric.
  public let matrix: [Double]

  /// - Parameter matrix: row-major `order` x `order`, symmetric.
  public init(_ matrix: [Double], order: Int) {
    precondition(matrix.count == order * order)
    self.matrix = matrix
    self.order = order
  }

  /// Standard deviation of element `i`.
  public func scale(_ i: Int) -> Double { matrix[i * order + i].squareRoot() }

  /// Writes row `i`, which is column `i` (`[order]`); the range is everything.
  public func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    for j in 0..<order { column[j] = matrix[i * order + j] }
    return 0..<order
  }

  /// Writes `P v` (`[order]`), leaving out where `v` is zero.
  public func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    for i in 0..<order { product[i] = 0 }
    for i in 0..<order where v[i] != 0 {
      let weight = v[i]
      for j in 0..<order { product[j] += weight * matrix[i * order + j] }
    }
  }
}
