internal import DaunceNumerics
internal import DaunceObservations

/// The two matrices of the Kalman gain K = P H^T (H P H^T + R)^-1 (2.3), with P localized: the columns P H^T of what is
/// in reach of each observation, and the factored innovation covariance S = H P H^T + R (`[p][p]`).
///
/// In the extended state H picks elements whatever the operators are. An observation that is left out has a column of
/// zeros and a row of the identity in S.
final class InnovationCovariance {
  private(set) var reach: ObservationReach?
  /// Localized covariances of every observation's h(x) with what is in its reach, run after run.
  private(set) var columns: [Double] = []
  private var matrix: [Double] = []
  private let factor = Cholesky()
  /// Whether an observation is part of the analysis (`[p]`).
  private var isUsed: [Bool] = []
  /// Anomalies of h(x) of one observation (`[member]`).
  private var factors: [Double] = []

  private func reserve(_ reach: ObservationReach, _ ensemble: EnsembleAnomalies) {
    self.reach = reach
    let (length, p) = (reach.places[reach.places.count - 1], reach.count)
    if columns.count < length { columns = [Double](repeating: 0, count: length) }
    if matrix.count < p * p { matrix = [Double](repeating: 0, count: p * p) }
    isUsed.removeAll(keepingCapacity: true)
    isUsed.append(contentsOf: ensemble.isUsed)
  }

  /// Estimates both from a whole ensemble, whose observations have been selected.
  func estimate(
    from ensemble: EnsembleAnomalies, observations: ObservationSet, reach: ObservationReach
  ) throws(NotPositiveDefinite) {
    reserve(reach, ensemble)
    let (n, members) = (ensemble.elements, ensemble.members)
    if factors.count < members { factors = [Double](repeating: 0, count: members) }
    columns.withUnsafeMutableBufferPointer { columns in
      ensemble.anomalies.withUnsafeBufferPointer { x in
        factors.withUnsafeMutableBufferPointer { factors in
          reach.weights.withUnsafeBufferPointer { weights in
            guard let columns = columns.baseAddress, let x = x.baseAddress, let factors = factors.baseAddress,
              let rho = weights.baseAddress
            else { return }
            let products = MemberProducts(x: x, stride: n, factors: factors, members: members)
            let divisor = Double(members - 1)
            for (k, j) in reach.extended.elements.enumerated() {
              for m in 0..<members { factors[m] = x[m &* n &+ j] }
              for r in reach.runs(of: k) {
                let (run, row) = (reach.runs[r], columns + reach.places[r])
                if isUsed[k] {
                  products.write(run.element, run.count, weights: rho + run.weight, divisor: divisor, to: row)
                } else {
                  row.update(repeating: 0, count: run.count)
                }
              }
            }
          }
        }
      }
    }
    try assemble(observations, reach)
  }

  /// Takes the covariances from moments that were reduced over ranks.
  func estimate(
    from moments: EnsembleMoments, _ ensemble: EnsembleAnomalies, observations: ObservationSet, reach: ObservationReach
  ) throws(NotPositiveDefinite) {
    reserve(reach, ensemble)
    let n = ensemble.elements
    for k in 0..<reach.count {
      for r in reach.runs(of: k) {
        let (run, row) = (reach.runs[r], reach.places[r])
        for i in 0..<run.count {
          let covariance = moments.covariance[k * n + run.element + i]
          columns[row + i] = isUsed[k] ? reach.weights[run.weight + i] * covariance : 0
        }
      }
    }
    try assemble(observations, reach)
  }

  private func assemble(_ observations: ObservationSet, _ reach: ObservationReach) throws(NotPositiveDefinite) {
    let p = reach.count
    var entry = 0
    for k in 0..<p {
      for l in k..<p {
        let place = Int(reach.crossings[entry])
        matrix[l * p + k] = place >= 0 && isUsed[l] ? columns[place] : 0
        entry += 1
      }
      matrix[k * p + k] = isUsed[k] ? matrix[k * p + k] + observations.errorVariances[k] : 1
    }
    let matrix = self.matrix
    try factor.factor(matrix.span, order: p)
  }

  /// Replaces `w` (`[p]`) by S^-1 w, zero for observations that are left out.
  func solve(_ w: inout MutableSpan<Double>) {
    for k in w.indices where !isUsed[k] { w[k] = 0 }
    factor.solve(&w)
  }

  /// Adds `P H^T w` to the elements of a state `x` (`[stateCount]`).
  func addColumns(_ w: Span<Double>, scale: Double = 1, to x: UnsafeMutablePointer<Double>) {
    guard let reach else { return }
    let (runs, places) = (reach.runs, reach.places)
    columns.withUnsafeBufferPointer { columns in
      for k in 0..<reach.count {
        let weight = scale * w[k]
        if weight == 0 { continue }
        for r in reach.runs(of: k, carried: false) {
          let (run, row) = (runs[r], places[r])
          for i in 0..<run.count { x[run.element &+ i] += weight * columns[row &+ i] }
        }
      }
    }
  }

  /// Covariance of h(x) of observation `k` with a state element.
  func covariance(_ k: Int, _ element: Int) -> Double {
    reach?.place(of: element, around: k).map { columns[$0] } ?? 0
  }

  /// `(P H^T)^T v` for observation `k` and a state `v` (`[stateCount]`).
  func product(_ k: Int, _ v: Span<Double>) -> Double {
    guard let reach else { return 0 }
    var sum = 0.0
    for r in reach.runs(of: k, carried: false) {
      let (run, row) = (reach.runs[r], reach.places[r])
      for i in 0..<run.count { sum += columns[row + i] * v[run.element + i] }
    }
    return sum
  }
}
