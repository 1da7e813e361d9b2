import Foundation
import DaunceNumerics
import Testing

/// B B^T of a fixed matrix B (`order` x `rank`): positive semidefinite of that rank.
private func gram(order: Int, rank: Int) -> [Double] {
  let b = (0..<order * rank).map { sin(Double($0 * $0 + 1)) }
  return (0..<order * order).map { e in
    (0..<rank).reduce(0) { $0 + b[e / order * rank + $1] * b[e % order * rank + $1] }
  }
}

@Suite struct CholeskyTests {
  @Test(arguments: [1, 2, 7, 40]) func solvesWhatItFactored(order: Int) throws {
    var a = gram(order: order, rank: order)
    for i in 0..<order { a[i * order + i] += 1 }
    let x = (0..<order).map { Double($0) - 2.5 }
    var b = (0..<order).map { i in (0..<order).reduce(0) { $0 + a[i * order + $1] * x[$1] } }
    let cholesky = Cholesky()
    try cholesky.factor(a.span, order: order)
    var span = b.mutableSpan
    cholesky.solve(&span)
    for i in 0..<order { #expect(abs(b[i] - x[i]) < 1e-9) }
  }

  @Test func readsTheLowerTriangleOnly() throws {
    let a = [4.0, .nan, 2, 3]
    let cholesky = Cholesky(capacity: 2)
    try cholesky.factor(a.span, order: 2)
    var b = [8.0, 7]
    var span = b.mutableSpan
    cholesky.solve(&span)
    #expect(abs(b[0] - 1.25) < 1e-14 && abs(b[1] - 1.5) < 1e-14)
  }

  @Test func namesThePivotThatFails() {
    let a = [1.0, 0, 0, 0, 1, 0, 0, 0, -2]
    #expect(throws: NotPositiveDefinite(order: 3, pivot: 2)) { try Cholesky().factor(a.span, order: 3) }
    #expect(throws: NotPositiveDefinite.self) { try Cholesky().factor([Double.nan].span, order: 1) }
  }

  @Test(arguments: [0, 1, 3, 12]) func revealsTheRank(rank: Int) {
    let order = 12
    let a = gram(order: order, rank: rank)
    let factor = PivotedCholesky(a.span, order: order)
    #expect(factor.rank == rank)
    for i in 0..<order {
      for j in 0..<order {
        let product = (0..<factor.rank).reduce(0) {
          $0 + factor.root[i * factor.rank + $1] * factor.root[j * factor.rank + $1]
        }
        #expect(abs(product - a[i * order + j]) < 1e-10)
      }
    }
  }

  @Test func multiplies() {
    LinearAlgebra.useOneThread()
    let a = [1.0, 2, 3, 4, 5, 6]
    var y = [1.0, 1]
    var rows = y.mutableSpan
    LinearAlgebra.multiply(a.span, rows: 2, columns: 3, by: [1.0, 0, -1].span, into: &rows, alpha: 2, beta: 10)
    #expect(y == [6, 6])
    var z = [0.0, 0, 0]
    var columns = z.mutableSpan
    LinearAlgebra.multiplyTransposed(a.span, rows: 2, columns: 3, by: [1.0, -1].span, into: &columns)
    #expect(z == [-3, -3, -3])
    var c = [Double](repeating: 7, count: 4)
    var product = c.mutableSpan
    LinearAlgebra.multiply(a.span, [1.0, 0, 0, 1, 1, 1].span, rows: 2, inner: 3, columns: 2, into: &product)
    #expect(c == [4, 5, 10, 11])
  }
}
