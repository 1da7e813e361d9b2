internal import DaunceNumerics

/// Random orthogonal matrices that leave the ensemble mean alone (Sakov & Oke 2008, appendix).
enum RandomRotation {
  /// Row-major `members` x `members`, orthogonal, with the vector of ones as an eigenvector of eigenvalue 1: in a basis
  /// whose first vector is that one, a random rotation of the others (Gram-Schmidt of normal numbers).
  static func matrix(members n: Int, seed: UInt64, cycle: Int) -> [Double] {
    let stream = RandomStream(seed: seed, purpose: .rotation, cycle: cycle)
    var basis = orthogonal(n) { i, j in i == 0 ? 1 : stream.normal(at: i * n + j) }
    let mean = Array(basis[..<n])
    // A second one with the same first vector: between the two lies a rotation that keeps it.
    let other = orthogonal(n) { i, j in i == 0 ? mean[j] : stream.normal(at: (n + i) * n + j) }
    var result = [Double](repeating: 0, count: n * n)
    for k in 0..<n {
      for i in 0..<n { for j in 0..<n { result[i * n + j] += basis[k * n + i] * other[k * n + j] } }
    }
    basis = []
    return result
  }

  /// Orthonormal rows from the given ones, twice through for accuracy.
  private static func orthogonal(_ n: Int, _ entry: (Int, Int) -> Double) -> [Double] {
    var rows = (0..<n).map { i in (0..<n).map { entry(i, $0) } }
    for i in 0..<n {
      for _ in 0..<2 {
        for k in 0..<i {
          let overlap = zip(rows[i], rows[k]).reduce(0) { $0 + $1.0 * $1.1 }
          for j in 0..<n { rows[i][j] -= overlap * rows[k][j] }
        }
      }
      let norm = rows[i].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for j in 0..<n { rows[i][j] /= norm }
    }
    return rows.flatMap { $0 }
  }
}
