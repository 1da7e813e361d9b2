internal import COpenBLAS
import Glibc

/// The factor `L` of a symmetric positive definite matrix `A = L L^T`, in memory that is kept from one factorisation to
/// the next.
public final class Cholesky {
  /// Order of the factored matrix.
  public private(set) var order: Int
  /// Row-major `order` x `order`; the part above the diagonal is not used.
  private var factor: [Double]

  /// Room for matrices of up to `capacity` x `capacity`; grows when a larger one comes.
  public init(capacity: Int = 0) {
    order = 0
    factor = [Double](repeating: 0, count: capacity * capacity)
  }

  /// Factors the lower triangle of a row-major `order` x `order` matrix.
  ///
  /// - Throws: `NotPositiveDefinite` with the first pivot that is not positive (or not a number).
  public func factor(_ matrix: Span<Double>, order: Int) throws(NotPositiveDefinite) {
    precondition(matrix.count >= order * order)
    self.order = order
    if factor.count < order * order { factor = [Double](repeating: 0, count: order * order) }
    for i in 0..<order * order { factor[i] = matrix[i] }
    guard order > 0 else { return }
    // A row-major lower triangle is LAPACK's column-major upper one.
    let info = factor.withUnsafeMutableBufferPointer {
      LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 0x55, Int32(order), $0.baseAddress, Int32(order))
    }
    if info != 0 { throw NotPositiveDefinite(order: order, pivot: Int(abs(info)) - 1) }
    for i in 0..<order where !(factor[i * order + i] > 0) { throw NotPositiveDefinite(order: order, pivot: i) }
  }

  /// Logarithm of the factored matrix's determinant.
  public var logDeterminant: Double { (0..<order).reduce(0) { $0 + 2 * log(factor[$1 * order + $1]) } }

  /// Replaces `b` (`[order]`) by `A^-1 b`.
  public func solve(_ b: inout MutableSpan<Double>) {
    precondition(b.count >= order)
    guard order > 0 else { return }
    let n = blasint(order)
    factor.withUnsafeBufferPointer { l in
      b.withUnsafeMutableBufferPointer { b in
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, l.baseAddress, n, b.baseAddress, 1)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, l.baseAddress, n, b.baseAddress, 1)
      }
    }
  }

  /// Replaces `b` (`[order]`) by `L^-T b`: standard normal numbers get the covariance `A^-1`.
  public func solveTransposed(_ b: inout MutableSpan<Double>) {
    precondition(b.count >= order)
    guard order > 0 else { return }
    let n = blasint(order)
    factor.withUnsafeBufferPointer { l in
      b.withUnsafeMutableBufferPointer { b in
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, l.baseAddress, n, b.baseAddress, 1)
      }
    }
  }
}

/// A matrix that should have been symmetric positive definite is not.
public struct NotPositiveDefinite: Error, Sendable, Hashable, CustomStringConvertible {
  /// Order of the matrix.
  public let order: Int
  /// Row, from 0, of the first pivot that is not positive.
  public let pivot: Int

  /// A matrix of `order` rows whose pivot `pivot`, from 0, is not positive.
  public init(order: Int, pivot: Int) {
    self.order = order
    self.pivot = pivot
  }

  /// What was found and what was expected.
  public var description: String {
    "matrix of order \(order): pivot \(pivot) is not positive, expected a positive definite matrix"
  }
}
