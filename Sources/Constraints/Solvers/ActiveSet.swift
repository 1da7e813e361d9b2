internal import DaunceNumerics

/// A strictly convex quadratic problem solved in its dual (Goldfarb & Idnani 1983): minimise `1/2 (x - xu)^T P^-1 (x -
/// xu)` subject to `a_c^T x >= b_c` or `= b_c`, one violated constraint at a time.
///
/// With multipliers l, x = xu + sum l_c P a_c, so only the columns `P a_c` of active constraints and the Cholesky
/// factor of their Gram matrix `a_c^T P a_d` are held. A constraint is given by its column and by the products of its
/// normal with other columns. P may be singular: a constraint that active ones determine is recognised by its Schur
/// complement.
final class ActiveSet {
  /// What a constraint's normal is.
  enum Normal {
    /// Unit vector: a bound of this element, an upper one where the sign is negative.
    case element(Int)
    /// `dense[slot]`
    case dense(Int)
  }

  struct Constraint {
    let normal: Normal
    /// Sign of the normal: an equality may be violated from either side.
    let sign: Double
    let right: Double
    let isEquality: Bool
  }

  enum Addition {
    case added
    /// Its normal has no variance, so P cannot move towards it; nothing has changed.
    case noVariance
    /// Active equalities leave no freedom to meet it; nothing has changed.
    case noFreedom
    /// It contradicts the active constraints; the active set is spent.
    case infeasible
  }

  let order: Int
  private(set) var unconstrained: [Double]
  /// Current minimiser (`[element]`).
  private(set) var x: [Double]
  private(set) var active: [Constraint] = []
  /// Row of `columns` that holds an active constraint's column.
  private var rows: [Int] = []
  private var ranges: [Range<Int>] = []
  private(set) var multipliers: [Double] = []
  /// Whether a bound is active, by element.
  private(set) var isActive: [Bool]
  /// Columns `P a_c` (`[row][element]`), with free rows to be used again.
  private var columns: [Double] = []
  private var freeRows: [Int] = []
  private var rowCount = 0
  /// Lower Cholesky factor of the Gram matrix, row-major with stride `capacity`.
  private var factor: [Double] = []
  private var capacity = 0
  private var gram: [Double] = []
  private var forward: [Double] = []
  private var backward: [Double] = []
  private var covariance: (any CovarianceOperator)?
  /// Normals of dense constraints (`[slot][element]`).
  private(set) var dense: [[Double]] = []

  init(order: Int) {
    self.order = order
    unconstrained = [Double](repeating: 0, count: order)
    x = unconstrained
    isActive = [Bool](repeating: false, count: order)
    // All that is ever needed where that is little, so that no analysis has to allocate.
    let rows = min(order + 8, Workspaces.rows(of: order))
    reserve(rows)
    active.reserveCapacity(rows)
    self.rows.reserveCapacity(rows)
    ranges.reserveCapacity(rows)
    multipliers.reserveCapacity(rows)
    freeRows.reserveCapacity(rows)
    columns.reserveCapacity(rows * order)
  }

  /// Starts with no active constraint around `xu`.
  func start(at xu: [Double], covariance: any CovarianceOperator) {
    self.covariance = covariance
    unconstrained.copy(xu)
    x.copy(xu)
    isActive.withUnsafeMutableBufferPointer { $0.update(repeating: false) }
    active.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
    multipliers.removeAll(keepingCapacity: true)
    freeRows.removeAll(keepingCapacity: true)
    for row in stride(from: rowCount - 1, through: 0, by: -1) { freeRows.append(row) }
  }

  /// Sets an element that P cannot move.
  func fix(_ element: Int, at value: Double) {
    unconstrained[element] = value
    x[element] = value
  }

  /// Room for the normal of a dense constraint.
  func setDense(_ slot: Int, to normal: [Double]) {
    while dense.count <= slot { dense.append([Double](repeating: 0, count: order)) }
    for i in 0..<order { dense[slot][i] = normal[i] }
  }

  /// Whether a dense constraint is active.
  func isActive(_ constraint: Constraint) -> Bool {
    guard case .dense(let slot) = constraint.normal else { return false }
    return active.contains { if case .dense(slot) = $0.normal { $0.sign == constraint.sign } else { false } }
  }

  /// Whether a constraint with normal `dense[slot]` is active.
  func isDenseActive(_ slot: Int) -> Bool {
    active.contains { if case .dense(slot) = $0.normal { true } else { false } }
  }

  /// `a^T v` for a constraint's signed normal.
  @inline(__always)
  private func product(_ constraint: Constraint, _ v: UnsafePointer<Double>, range: Range<Int>) -> Double {
    switch constraint.normal {
    case .element(let i): return range.contains(i) ? constraint.sign * v[i] : 0
    case .dense(let slot):
      var sum = 0.0
      for i in range { sum += dense[slot][i] * v[i] }
      return constraint.sign * sum
    }
  }

  /// `a^T x - b`, negative where violated.
  func slack(_ constraint: Constraint) -> Double {
    x.withUnsafeBufferPointer { x in
      x.baseAddress.map { product(constraint, $0, range: 0..<order) - constraint.right } ?? 0
    }
  }

  /// Writes `P^-1 (x - xu)` = sum of multiplier times normal (`[element]`): P is not inverted.
  func force(into result: inout [Double]) {
    for i in 0..<order { result[i] = 0 }
    for (c, constraint) in active.enumerated() {
      let weight = multipliers[c] * constraint.sign
      switch constraint.normal {
      case .element(let i): result[i] += weight
      case .dense(let slot): for i in 0..<order { result[i] += weight * dense[slot][i] }
      }
    }
  }

  /// Multiplier of the normal `dense[slot]`, with the sign of its constraint; zero if it is not active.
  func multiplier(ofDense slot: Int) -> Double {
    var sum = 0.0
    for (c, constraint) in active.enumerated() {
      if case .dense(slot) = constraint.normal { sum += constraint.sign * multipliers[c] }
    }
    return sum
  }

  /// Makes a violated constraint hold, dropping active inequalities that stand in the way.
  func add(_ constraint: Constraint) -> Addition {
    guard let covariance else { return .infeasible }
    let row = takeRow()
    let range = writeColumn(of: constraint, row: row, covariance: covariance)
    // Dropping ends after finitely many steps in exact arithmetic; rounding gets a limit.
    var multiplier = 0.0
    var steps = 4 * (active.count + 2) + 50
    var violation = slack(constraint)
    var isIntact = true
    while steps > 0 {
      steps -= 1
      let k = active.count
      reserve(k + 1)
      let (diagonal, complement) = borderGram(constraint, row: row, range: range)
      solveBackward(k)
      var (limit, blocking) = (Double.infinity, -1)
      for c in 0..<k where !active[c].isEquality && backward[c] > 0 {
        let ratio = multipliers[c] / backward[c]
        if ratio < limit { (limit, blocking) = (ratio, c) }
      }
      let hasFreedom = complement > 1e-13 * diagonal && diagonal > 0
      if isIntact && (diagonal <= 0 || (!hasFreedom && blocking < 0)) {
        freeRows.append(row)
        return diagonal <= 0 ? .noVariance : .noFreedom
      }
      isIntact = false
      let full = hasFreedom ? max(0, -violation / complement) : .infinity
      let step = min(full, limit)
      guard step.isFinite else { break }
      for c in 0..<k { multipliers[c] -= step * backward[c] }
      multiplier += step
      if hasFreedom { violation += step * complement }
      if full <= limit {
        for c in 0..<k { factor[k * capacity + c] = forward[c] }
        factor[k * capacity + k] = complement.squareRoot()
        active.append(constraint)
        rows.append(row)
        ranges.append(range)
        multipliers.append(multiplier)
        if case .element(let i) = constraint.normal { isActive[i] = true }
        recompute()
        return .added
      }
      drop(blocking)
    }
    freeRows.append(row)
    recompute()
    return .infeasible
  }

  /// Iterative refinement: active constraints hold to the rounding of x, not of the columns.
  func refine() {
    let k = active.count
    for _ in 0..<6 {
      var isExact = true
      for r in 0..<k {
        let residual = slack(active[r])
        if abs(residual) > 2e-15 * magnitude(active[r]) { isExact = false }
        var sum = -residual
        for c in 0..<r { sum -= factor[r * capacity + c] * forward[c] }
        forward[r] = sum / factor[r * capacity + r]
      }
      if isExact { return }
      solveBackward(k)
      for c in 0..<k { multipliers[c] += backward[c] }
      recompute()
    }
  }

  /// Size of the numbers that a constraint compares.
  private func magnitude(_ constraint: Constraint) -> Double {
    if case .element(let i) = constraint.normal { return max(abs(constraint.right), abs(unconstrained[i])) }
    return abs(constraint.right)
  }

  private func takeRow() -> Int {
    if let row = freeRows.popLast() { return row }
    rowCount += 1
    columns.append(contentsOf: repeatElement(0, count: order))
    return rowCount - 1
  }

  private func writeColumn(of constraint: Constraint, row: Int, covariance: any CovarianceOperator) -> Range<Int> {
    columns.withUnsafeMutableBufferPointer { columns in
      let slice = UnsafeMutableBufferPointer(rebasing: columns[row * order..<(row + 1) * order])
      var column = MutableSpan(_unsafeElements: slice)
      switch constraint.normal {
      case .element(let i):
        let range = covariance.column(i, into: &column)
        if constraint.sign != 1 { for j in range { column[j] *= constraint.sign } }
        return range
      case .dense(let slot):
        dense[slot].withSpan { covariance.multiply($0, into: &column) }
        if constraint.sign != 1 { for i in 0..<order { column[i] *= constraint.sign } }
        return 0..<order
      }
    }
  }

  private func reserve(_ k: Int) {
    guard k > capacity else { return }
    let larger = max(16, 2 * k)
    var grown = [Double](repeating: 0, count: larger * larger)
    for r in active.indices {
      for c in 0...r { grown[r * larger + c] = factor[r * capacity + c] }
    }
    factor = grown
    capacity = larger
    gram = [Double](repeating: 0, count: larger)
    forward = gram
    backward = gram
  }

  /// Writes the new Gram row and `forward` = L^-1 of it; returns the new diagonal element and its Schur complement.
  private func borderGram(_ constraint: Constraint, row: Int, range: Range<Int>) -> (Double, Double) {
    columns.withUnsafeBufferPointer { columns in
      guard let base = columns.baseAddress else { return (0, 0) }
      let column = base + row * order
      let k = active.count
      for c in 0..<k { gram[c] = product(active[c], column, range: range) }
      var diagonal = product(constraint, column, range: range)
      if case .dense(let slot) = constraint.normal {
        // A normal without variance leaves only the rounding of its cancelling terms.
        var size = 0.0
        for i in 0..<order { size += abs(dense[slot][i] * column[i]) }
        if diagonal <= 1e-13 * size { diagonal = 0 }
      }
      var complement = diagonal
      for r in 0..<k {
        var sum = gram[r]
        for c in 0..<r { sum -= factor[r * capacity + c] * forward[c] }
        forward[r] = sum / factor[r * capacity + r]
        complement -= forward[r] * forward[r]
      }
      return (diagonal, complement)
    }
  }

  /// `backward` = L^-T `forward`.
  private func solveBackward(_ k: Int) {
    for r in stride(from: k - 1, through: 0, by: -1) {
      var sum = forward[r]
      for c in (r + 1)..<max(r + 1, k) { sum -= factor[c * capacity + r] * backward[c] }
      backward[r] = sum / factor[r * capacity + r]
    }
  }

  /// Takes an active constraint out and factors the rest again from its row on (Givens rotations of neighbouring
  /// columns).
  private func drop(_ index: Int) {
    if case .element(let i) = active[index].normal { isActive[i] = false }
    freeRows.append(rows[index])
    active.remove(at: index)
    rows.remove(at: index)
    ranges.remove(at: index)
    multipliers.remove(at: index)
    let k = active.count
    for r in index..<max(index, k) {
      for c in 0...(r + 1) { factor[r * capacity + c] = factor[(r + 1) * capacity + c] }
      let (p, q) = (factor[r * capacity + r], factor[r * capacity + r + 1])
      let length = (p * p + q * q).squareRoot()
      let (cosine, sine) = length > 0 ? (p / length, q / length) : (1, 0)
      factor[r * capacity + r] = length
      for s in (r + 1)..<max(r + 1, k) {
        // Rows below still lie one further down.
        let (u, v) = (factor[(s + 1) * capacity + r], factor[(s + 1) * capacity + r + 1])
        factor[(s + 1) * capacity + r] = cosine * u + sine * v
        factor[(s + 1) * capacity + r + 1] = cosine * v - sine * u
      }
    }
  }

  /// x = xu + sum of multiplier times column, in the order of the active set.
  private func recompute() {
    let n = order
    x.withUnsafeMutableBufferPointer { x in
      unconstrained.withUnsafeBufferPointer { xu in for i in 0..<n { x[i] = xu[i] } }
      columns.withUnsafeBufferPointer { columns in
        for c in active.indices {
          let weight = multipliers[c]
          let start = rows[c] * n
          for i in ranges[c] { x[i] += weight * columns[start &+ i] }
        }
      }
    }
  }
}
