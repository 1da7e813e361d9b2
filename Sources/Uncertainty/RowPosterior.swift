import DaunceNetworks
package import DaunceNumerics

/// What the rows of a table truly are, given what was measured: p(train_t | train) and p(test_t | test).
///
/// A row's true inputs z and outputs y were measured with known errors. Before, z has the normal law of all inputs (their
/// moments less those of the errors), and y given z the law of the present network, N(f(z), s(z)^2). Both measurements
/// together give the posterior of the pair: a Kalman update of every row with f linear about the row's best inputs, which
/// two Gauss-Newton steps look for. An error that is merely added to a measurement once more would blur the table; this
/// takes the blur out.
package struct RowPosterior {
  package let rows: MeasuredRows
  /// Precision matrix and mean of the true inputs (`[input][input]`, `[input]`).
  private let precision, mean: [Double]
  /// Noisy inputs of the table: those with an error in at least one row.
  private let noisy: [Int]

  /// - Parameter rows: a table with errors.
  package init(_ rows: MeasuredRows) {
    self.rows = rows
    let p = rows.inputs
    noisy = (0..<p).filter { i in (0..<rows.count).contains { rows.xError[$0 * p + i] > 0 } }
    let moments = InputMoments(rows)
    (precision, mean) = (moments.precision, moments.mean)
  }

  /// A function of the inputs with its slopes and scatter, as all rows need it.
  package struct Law {
    /// Location, scatter (`[row][output]`) and the location's slopes (`[row][output][input]`) at inputs `[row][input]`.
    package let evaluate: (_ x: [Double], _ wantsSlopes: Bool) -> (location: [Double], scale: [Double], slopes: [Double])

    /// A law that is given by a function.
    package init(
      _ evaluate: @escaping (_ x: [Double], _ wantsSlopes: Bool) -> (
        location: [Double], scale: [Double], slopes: [Double]
      )
    ) { self.evaluate = evaluate }
  }

  /// True rows drawn from their posterior.
  ///
  /// - Parameter stream: a row's numbers have addresses of their own.
  package func draw(_ law: Law, stream: RandomStream) -> MeasuredRows {
    var drawn = rows
    let (n, p, q) = (rows.count, rows.inputs, rows.outputs)
    // Best inputs, and the roots of their posterior covariances at the last of the steps.
    if !noisy.isEmpty {
      for step in 0..<3 {
        let state = law.evaluate(drawn.x, true)
        for row in 0..<n { update(row, &drawn.x, state, draws: step == 2 ? stream : nil) }
      }
    }
    guard rows.yError.contains(where: { $0 > 0 }) else { return drawn }
    let state = law.evaluate(drawn.x, false)
    for row in 0..<n {
      for o in 0..<q {
        let k = row * q + o
        guard rows.yError[k] > 0 else { continue }
        let (r, b) = (rows.yError[k] * rows.yError[k], state.scale[k] * state.scale[k])
        let gain = b / (b + r)
        let noise = stream.normal(at: row * (p + q) + p + o)
        drawn.y[k] = state.location[k] + gain * (rows.y[k] - state.location[k]) + (gain * r).squareRoot() * noise
      }
    }
    return drawn
  }

  /// Moves one row's noisy inputs to the maximum of their posterior as it looks from where they are, or draws them from
  /// the normal law around it.
  private func update(
    _ row: Int, _ x: inout [Double], _ state: (location: [Double], scale: [Double], slopes: [Double]), draws: RandomStream?
  ) {
    let (p, q) = (rows.inputs, rows.outputs)
    let own = noisy.filter { rows.xError[row * p + $0] > 0 }
    guard !own.isEmpty else { return }
    let count = own.count
    var matrix = [Double](repeating: 0, count: count * count)
    var right = [Double](repeating: 0, count: count)
    for (a, i) in own.enumerated() {
      let (z, measured) = (x[row * p + i], rows.x[row * p + i])
      let r = rows.xError[row * p + i] * rows.xError[row * p + i]
      // Prior: -P (z - mean), exact inputs included; measurement: (u - z) / r.
      for j in 0..<p { right[a] -= precision[i * p + j] * (x[row * p + j] - mean[j]) }
      right[a] += (measured - z) / r
      for (b, j) in own.enumerated() { matrix[a * count + b] = precision[i * p + j] }
      matrix[a * count + a] += 1 / r
    }
    for o in 0..<q {
      let k = row * q + o
      let variance = state.scale[k] * state.scale[k] + rows.yError[k] * rows.yError[k]
      let misfit = (rows.y[k] - state.location[k]) / variance
      for (a, i) in own.enumerated() {
        let slope = state.slopes[k * p + i]
        right[a] += slope * misfit
        for (b, j) in own.enumerated() { matrix[a * count + b] += slope * state.slopes[k * p + j] / variance }
      }
    }
    let factor = SmallFactor(matrix, count)
    var step = factor.solve(right)
    if let draws {
      let noise = factor.spread((0..<count).map { draws.normal(at: row * (p + q) + own[$0]) })
      for a in 0..<count { step[a] += noise[a] }
    }
    for (a, i) in own.enumerated() { x[row * p + i] += step[a] }
  }
}

/// Mean and precision of a table's true inputs: moments of the measured ones less those of their errors.
struct InputMoments {
  /// `[input]`.
  let mean: [Double]
  /// `[input][input]`.
  let precision: [Double]

  init(_ rows: MeasuredRows) {
    let (n, p) = (rows.count, rows.inputs)
    var mean = [Double](repeating: 0, count: p)
    for row in 0..<n { for i in 0..<p { mean[i] += rows.x[row * p + i] / Double(n) } }
    var covariance = [Double](repeating: 0, count: p * p)
    for row in 0..<n {
      for i in 0..<p {
        let a = rows.x[row * p + i] - mean[i]
        for j in 0...i { covariance[i * p + j] += a * (rows.x[row * p + j] - mean[j]) / Double(max(1, n - 1)) }
      }
    }
    for i in 0..<p {
      let errors = (0..<n).reduce(0.0) { $0 + rows.xError[$1 * p + i] * rows.xError[$1 * p + i] } / Double(n)
      // What is left for the truth is at least a tenth, and the matrix positive definite.
      let total = covariance[i * p + i]
      covariance[i * p + i] = max(total - errors, 0.1 * total) + 1e-6
      for j in 0..<i { covariance[j * p + i] = covariance[i * p + j] }
    }
    // Correlations beyond what the smaller variances allow are scaled down.
    for i in 0..<p {
      for j in 0..<i {
        let limit = 0.99 * (covariance[i * p + i] * covariance[j * p + j]).squareRoot()
        let value = min(max(covariance[i * p + j], -limit), limit)
        (covariance[i * p + j], covariance[j * p + i]) = (value, value)
      }
    }
    self.mean = mean
    let factor = SmallFactor(covariance, p)
    precision = (0..<p).flatMap { i in factor.solve((0..<p).map { $0 == i ? 1 : 0 }) }
  }
}

/// A small symmetric matrix that is positive definite but for rounding: a larger diagonal helps where it is not.
struct SmallFactor {
  private let cholesky: Cholesky

  /// - Parameter matrix: `[row][column]`, of order `n`.
  init(_ matrix: [Double], _ n: Int) {
    cholesky = Cholesky(capacity: n)
    var (added, copy) = (0.0, matrix)
    while (try? cholesky.factor(copy.span, order: n)) == nil {
      let trace = (0..<n).reduce(0.0) { $0 + abs(matrix[$1 * n + $1]) } / Double(n)
      added = max(2 * added, 1e-10 * max(trace, 1e-300))
      copy = matrix
      for i in 0..<n { copy[i * n + i] += added }
    }
  }

  /// `A^-1 b`.
  func solve(_ b: [Double]) -> [Double] {
    var x = b
    x.withMutableSpan { cholesky.solve(&$0) }
    return x
  }

  /// Numbers with the covariance `A^-1` from standard normal ones.
  func spread(_ z: [Double]) -> [Double] {
    var x = z
    x.withMutableSpan { cholesky.solveTransposed(&$0) }
    return x
  }
}
