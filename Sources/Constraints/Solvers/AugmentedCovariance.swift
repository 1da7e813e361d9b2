internal import DaunceNumerics

/// A covariance to which curvature has been added at some elements: (P^-1 + diag w)^-1, and the minimiser of
/// `1/2 (x - xu)^T P^-1 (x - xu) + 1/2 sum w_i (x_i - anchor_i)^2`.
///
/// A spring of strength w that pulls an element to its anchor is an observation of it with error variance 1 / w, so
/// both come from the Kalman update with T the elements that have springs, without an inverse of P:
///
///     G = P_TT + diag(1 / w),   P' = P - P_T G^-1 P_T^T,   xu' = xu + P_T G^-1 (anchor_T - xu_T)
final class AugmentedCovariance: CovarianceOperator {
  /// Most springs: the factorisation costs the cube of their number.
  private static let limit = 512

  let order: Int
  private var base: (any CovarianceOperator)?
  /// Elements with springs, ascending.
  private var elements: [Int] = []
  private var matrix: [Double] = []
  private let factor: Cholesky
  private var weights: [Double] = []
  /// Columns of P that have been needed (`[row][element]`), and the row of each element, -1 for none.
  private var columns: [Double] = []
  private var row: [Int]
  private var rows = 0

  init(order: Int) {
    self.order = order
    row = [Int](repeating: -1, count: order)
    let springs = min(order, Self.limit, Workspaces.rows(of: order))
    factor = Cholesky(capacity: springs)
    elements.reserveCapacity(order)
    weights.reserveCapacity(springs)
    matrix = [Double](repeating: 0, count: springs * springs)
    columns.reserveCapacity(springs * order)
  }

  /// Takes `base` as P, without springs.
  func start(_ base: any CovarianceOperator) {
    self.base = base
    elements.removeAll(keepingCapacity: true)
    for i in row.indices { row[i] = -1 }
    rows = 0
  }

  /// Takes the springs off; columns of P that are known stay.
  func removeSprings() {
    elements.removeAll(keepingCapacity: true)
  }

  /// Puts springs on the elements where they matter.
  ///
  /// - Parameters:
  ///   - strength: w (`[element]`); set to zero where a spring is left out.
  ///   - anchor: where the springs pull (`[element]`).
  ///   - minimiser: xu on entry, xu' on return (`[element]`).
  ///   - scale: standard deviations (`[element]`): a spring weaker than a hundredth of an element's own 1 / P_ii is
  ///     left out.
  func setSprings(_ strength: inout [Double], anchor: [Double], minimiser: inout [Double], scale: [Double]) {
    var threshold = 0.01
    repeat {
      elements.removeAll(keepingCapacity: true)
      for i in 0..<order where strength[i] * scale[i] * scale[i] > threshold { elements.append(i) }
      threshold *= 4
    } while elements.count > Self.limit
    let k = elements.count
    var next = 0
    for i in 0..<order {
      if next < k, elements[next] == i {
        next += 1
      } else {
        strength[i] = 0
      }
    }
    guard k > 0 else { return }
    for i in elements where row[i] < 0 { fetch(i) }
    if matrix.count < k * k { matrix = [Double](repeating: 0, count: k * k) }
    for (t, i) in elements.enumerated() {
      for u in 0...t { matrix[t * k + u] = columns[row[i] * order + elements[u]] }
      matrix[t * k + t] += 1 / strength[i]
    }
    do throws(NotPositiveDefinite) {
      let matrix = self.matrix
      try factor.factor(matrix.span, order: k)
    } catch {
      // Rounding of a singular P: go on without springs.
      elements.removeAll(keepingCapacity: true)
      for i in 0..<order { strength[i] = 0 }
      return
    }
    reserveWeights()
    for (t, i) in elements.enumerated() { weights[t] = anchor[i] - minimiser[i] }
    minimiser.withMutableSpan { addSolution(sign: 1, to: &$0) }
  }

  func scale(_ i: Int) -> Double { base?.scale(i) ?? 0 }

  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    guard let base else { return 0..<0 }
    let range = base.column(i, into: &column)
    guard !elements.isEmpty else { return range }
    for j in 0..<order where !range.contains(j) { column[j] = 0 }
    correct(&column)
    return 0..<order
  }

  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    base?.multiply(v, into: &product)
    if !elements.isEmpty { correct(&product) }
  }

  /// Turns `P v` into `P' v`.
  private func correct(_ product: inout MutableSpan<Double>) {
    reserveWeights()
    for (t, i) in elements.enumerated() { weights[t] = product[i] }
    addSolution(sign: -1, to: &product)
  }

  private func reserveWeights() {
    guard weights.count != elements.count else { return }
    weights.removeAll(keepingCapacity: true)
    weights.append(contentsOf: repeatElement(0, count: elements.count))
  }

  /// Adds `sign P_T G^-1 weights`.
  private func addSolution(sign: Double, to target: inout MutableSpan<Double>) {
    weights.withMutableSpan { factor.solve(&$0) }
    let n = order
    target.withUnsafeMutableBufferPointer { target in
      columns.withUnsafeBufferPointer { columns in
        for (t, i) in elements.enumerated() {
          let (start, weight) = (row[i] * n, sign * weights[t])
          if weight == 0 { continue }
          for j in 0..<n { target[j] += weight * columns[start &+ j] }
        }
      }
    }
  }

  private func fetch(_ i: Int) {
    row[i] = rows
    rows += 1
    let needed = rows * order
    if columns.count < needed { columns.append(contentsOf: repeatElement(0, count: needed - columns.count)) }
    columns.withUnsafeMutableBufferPointer { columns in
      let slice = UnsafeMutableBufferPointer(rebasing: columns[row[i] * order..<(row[i] + 1) * order])
      var column = MutableSpan(_unsafeElements: slice)
      let range = base?.column(i, into: &column) ?? 0..<0
      for j in 0..<order where !range.contains(j) { column[j] = 0 }
    }
  }
}
