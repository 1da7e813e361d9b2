internal import COpenBLAS

/// The symmetric square root of a symmetric matrix, in memory that is kept.
public final class SymmetricRoot {
  /// Rows and columns.
  public let order: Int
  /// The matrix, then its root: row-major. Of the matrix the lower triangle counts.
  public var matrix: [Double]
  private var eigenvalues: [Double]
  private var work: [Double]
  private var integers: [Int32]
  private var vectors: [Double]

  /// Room for matrices of one order.
  public init(order: Int) {
    self.order = order
    matrix = [Double](repeating: 0, count: order * order)
    vectors = matrix
    eigenvalues = [Double](repeating: 0, count: order)
    work = [Double](repeating: 0, count: 1 + 6 * order + 2 * order * order)
    integers = [Int32](repeating: 0, count: 3 + 5 * order)
  }

  /// Puts the root in the matrix's place; eigenvalues below zero count as zero.
  public func take() {
    let n = order
    guard n > 0 else { return }
    // A row-major lower triangle is LAPACK's column-major upper one; its vectors come in rows.
    _ = matrix.withUnsafeMutableBufferPointer { a in
      LAPACKE_dsyevd_work(
        LAPACK_COL_MAJOR, 0x56, 0x55, Int32(n), a.baseAddress, Int32(n), &eigenvalues, &work, Int32(work.count),
        &integers, Int32(integers.count))
    }
    for k in 0..<n {
      // A fourth root on either side.
      let factor = max(0, eigenvalues[k]).squareRoot().squareRoot()
      for i in 0..<n { vectors[k * n + i] = factor * matrix[k * n + i] }
    }
    vectors.withUnsafeBufferPointer { v in
      matrix.withUnsafeMutableBufferPointer { a in
        cblas_dgemm(
          CblasRowMajor, CblasTrans, CblasNoTrans, blasint(n), blasint(n), blasint(n), 1, v.baseAddress, blasint(n),
          v.baseAddress, blasint(n), 0, a.baseAddress, blasint(n))
      }
    }
  }
}

/// The orthogonal matrix nearest to a square one: U V^T of its singular value decomposition U s V^T.
public final class PolarFactor {
  /// Rows and columns.
  public let order: Int
  /// The matrix, then its orthogonal factor: row-major.
  public var matrix: [Double]
  private var left, right, values, work: [Double]
  private var integers: [Int32]

  /// Room for matrices of one order.
  public init(order: Int) {
    self.order = order
    matrix = [Double](repeating: 0, count: order * order)
    (left, right) = (matrix, matrix)
    values = [Double](repeating: 0, count: order)
    work = [Double](repeating: 0, count: 7 * order + 4 * order * order)
    integers = [Int32](repeating: 0, count: 8 * order)
  }

  /// Puts the orthogonal factor in the matrix's place.
  public func take() {
    let n = order
    guard n > 0 else { return }
    // Column-major, the matrix is its own transpose, and so is what comes of it.
    _ = matrix.withUnsafeMutableBufferPointer { a in
      LAPACKE_dgesdd_work(
        LAPACK_COL_MAJOR, 0x41, Int32(n), Int32(n), a.baseAddress, Int32(n), &values, &left, Int32(n), &right,
        Int32(n), &work, Int32(work.count), &integers)
    }
    // (U V^T)^T = V U^T in row-major numbers.
    left.withUnsafeBufferPointer { u in
      right.withUnsafeBufferPointer { v in
        matrix.withUnsafeMutableBufferPointer { a in
          cblas_dgemm(
            CblasColMajor, CblasNoTrans, CblasNoTrans, blasint(n), blasint(n), blasint(n), 1, u.baseAddress, blasint(n),
            v.baseAddress, blasint(n), 0, a.baseAddress, blasint(n))
        }
      }
    }
  }
}
