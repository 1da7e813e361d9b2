internal import COpenBLAS

/// The few dense operations that the program needs, over BLAS and LAPACK: flat row-major arrays, one thread.
public enum LinearAlgebra {
  /// Keeps BLAS to one thread. Every rank is a thread of its own, and sums keep their order.
  public static func useOneThread() {
    openblas_set_num_threads(1)
  }

  /// Runs `body` with one thread, and leaves BLAS to whoever else uses it in this process as it was.
  public static func withOneThread<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let before = openblas_get_num_threads()
    guard before != 1 else { return try body() }
    openblas_set_num_threads(1)
    defer { openblas_set_num_threads(before) }
    return try body()
  }

  /// Threads that BLAS would use.
  public static var threads: Int { Int(openblas_get_num_threads()) }

  /// `y = alpha A x + beta y` for a row-major `A` of `rows` x `columns`.
  public static func multiply(
    _ a: Span<Double>, rows: Int, columns: Int, by x: Span<Double>, into y: inout MutableSpan<Double>,
    alpha: Double = 1, beta: Double = 0
  ) {
    precondition(a.count >= rows * columns && x.count >= columns && y.count >= rows)
    guard rows > 0, columns > 0 else { return }
    a.withUnsafeBufferPointer { a in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
          cblas_dgemv(
            CblasRowMajor, CblasNoTrans, blasint(rows), blasint(columns), alpha, a.baseAddress, blasint(columns),
            x.baseAddress, 1, beta, y.baseAddress, 1)
        }
      }
    }
  }

  /// `y = alpha A^T x + beta y` for a row-major `A` of `rows` x `columns`.
  public static func multiplyTransposed(
    _ a: Span<Double>, rows: Int, columns: Int, by x: Span<Double>, into y: inout MutableSpan<Double>,
    alpha: Double = 1, beta: Double = 0
  ) {
    precondition(a.count >= rows * columns && x.count >= rows && y.count >= columns)
    guard rows > 0, columns > 0 else { return }
    a.withUnsafeBufferPointer { a in
      x.withUnsafeBufferPointer { x in
        y.withUnsafeMutableBufferPointer { y in
          cblas_dgemv(
            CblasRowMajor, CblasTrans, blasint(rows), blasint(columns), alpha, a.baseAddress, blasint(columns),
            x.baseAddress, 1, beta, y.baseAddress, 1)
        }
      }
    }
  }

  /// Adds the outer products of the rows of `A` (`rows` x `columns`, row-major) to the lower triangle of the symmetric `C`
  /// (`columns` x `columns`).
  public static func addOuterProducts(
    _ a: Span<Double>, rows: Int, columns: Int, to c: inout MutableSpan<Double>
  ) {
    precondition(a.count >= rows * columns && c.count >= columns * columns)
    guard rows > 0, columns > 0 else { return }
    a.withUnsafeBufferPointer { a in
      c.withUnsafeMutableBufferPointer { c in
        cblas_dsyrk(
          CblasRowMajor, CblasLower, CblasTrans, blasint(columns), blasint(rows), 1, a.baseAddress, blasint(columns), 1,
          c.baseAddress, blasint(columns))
      }
    }
  }

  /// `C = A B` for row-major `A` (`rows` x `inner`) and `B` (`inner` x `columns`).
  public static func multiply(
    _ a: Span<Double>, _ b: Span<Double>, rows: Int, inner: Int, columns: Int, into c: inout MutableSpan<Double>
  ) {
    precondition(a.count >= rows * inner && b.count >= inner * columns && c.count >= rows * columns)
    guard rows > 0, inner > 0, columns > 0 else { return }
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeMutableBufferPointer { c in
          cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(columns), blasint(inner), 1,
            a.baseAddress, blasint(inner), b.baseAddress, blasint(columns), 0, c.baseAddress, blasint(columns))
        }
      }
    }
  }
}
