/// Eigenvalues and vectors of four small symmetric matrices side by side, by cyclic Jacobi rotations (Golub & Van Loan,
/// section 8.5): accurate for small eigenvalues too, and without branches that depend on one of the four.
struct LaneEigen {
  typealias Lanes = SIMD4<Double>

  /// `[n][n]`; eigenvalues on the diagonal after `decompose`.
  var matrix: [Lanes] = []
  /// Eigenvectors as columns (`[n][n]`).
  private(set) var vectors: [Lanes] = []
  private(set) var order = 0

  /// Makes room for matrices of order `n`, all zero.
  mutating func reset(order n: Int) {
    order = n
    if matrix.count < n * n {
      matrix = [Lanes](repeating: .zero, count: n * n)
      vectors = matrix
    }
    matrix.withUnsafeMutableBufferPointer { $0.prefix(n * n).update(repeating: .zero) }
  }

  /// Replaces `matrix` by its eigenvalues and fills `vectors`.
  mutating func decompose() {
    let n = order
    matrix.withUnsafeMutableBufferPointer { a in
      vectors.withUnsafeMutableBufferPointer { u in
        for i in 0..<n { for j in 0..<n { u[i &* n &+ j] = i == j ? Lanes(repeating: 1) : .zero } }
        for _ in 0..<40 where Self.sweepIsNeeded(a, n) {
          for i in 0..<n - 1 { for j in i + 1..<n { Self.rotate(a, u, n, i, j) } }
        }
      }
    }
  }

  /// Whether anything off the diagonal is above rounding, in any lane.
  private static func sweepIsNeeded(_ a: UnsafeMutableBufferPointer<Lanes>, _ n: Int) -> Bool {
    var (off, diagonal) = (Lanes.zero, Lanes.zero)
    for i in 0..<n {
      diagonal += a[i &* n &+ i] * a[i &* n &+ i]
      for j in i + 1..<n { off += a[i &* n &+ j] * a[i &* n &+ j] }
    }
    return any(off .> 1e-32 * diagonal)
  }

  @inline(__always)
  private static func rotate(
    _ a: UnsafeMutableBufferPointer<Lanes>, _ u: UnsafeMutableBufferPointer<Lanes>, _ n: Int, _ i: Int, _ j: Int
  ) {
    let (aii, ajj, aij) = (a[i &* n &+ i], a[j &* n &+ j], a[i &* n &+ j])
    let isZero = aij .== 0
    let theta = (ajj - aii) / (2 * aij.replacing(with: 1, where: isZero))
    let root = (theta * theta + 1).squareRoot()
    var t = 1 / (theta + root.replacing(with: -root, where: theta .< 0))
    t.replace(with: 0, where: isZero)
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    for k in 0..<n where k != i && k != j {
      let (aki, akj) = (a[k &* n &+ i], a[k &* n &+ j])
      let (x, y) = (c * aki - s * akj, s * aki + c * akj)
      a[k &* n &+ i] = x
      a[i &* n &+ k] = x
      a[k &* n &+ j] = y
      a[j &* n &+ k] = y
    }
    a[i &* n &+ i] = aii - t * aij
    a[j &* n &+ j] = ajj + t * aij
    a[i &* n &+ j] = .zero
    a[j &* n &+ i] = .zero
    for k in 0..<n {
      let (uki, ukj) = (u[k &* n &+ i], u[k &* n &+ j])
      u[k &* n &+ i] = c * uki - s * ukj
      u[k &* n &+ j] = s * uki + c * ukj
    }
  }
}
