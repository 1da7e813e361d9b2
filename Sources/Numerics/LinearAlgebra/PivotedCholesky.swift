internal import COpenBLAS

/// A rank-revealing square root `X` of a symmetric positive semidefinite matrix, `A = X X^T` up to a tolerance:
/// Cholesky with complete pivoting, so that directions without variance are left out instead of breaking the
/// factorisation.
public struct PivotedCholesky: Sendable {
  /// Order of the matrix.
  public let order: Int
  /// Number of columns of the root.
  public let rank: Int
  /// `X`, row-major `order` x `rank`, rows in the order of the matrix.
  public let root: [Double]

  /// - Parameters:
  ///   - matrix: row-major `order` x `order`; its lower triangle is read.
  ///   - tolerance: pivots below `tolerance` times the largest diagonal element end the factorisation.
  public init(_ matrix: Span<Double>, order: Int, tolerance: Double = 1e-14) {
    precondition(matrix.count >= order * order)
    self.order = order
    var a = (0..<order * order).map { matrix[$0] }
    let largest = (0..<order).reduce(0.0) { max($0, matrix[$1 * order + $1]) }
    guard order > 0, largest > 0, largest.isFinite else {
      rank = 0
      root = []
      return
    }
    var pivots = [Int32](repeating: 0, count: order)
    var found: Int32 = 0
    var work = [Double](repeating: 0, count: 2 * order)
    _ = LAPACKE_dpstrf_work(
      LAPACK_COL_MAJOR, 0x55, Int32(order), &a, Int32(order), &pivots, &found, tolerance * largest, &work)
    rank = Int(found)
    var x = [Double](repeating: 0, count: order * rank)
    for row in 0..<order {
      let target = Int(pivots[row]) - 1
      for column in 0..<min(row + 1, rank) { x[target * rank + column] = a[row * order + column] }
    }
    root = x
  }
}
