internal import DaunceNumerics
internal import DaunceState

/// The two matrices of the Kalman gain K = P H^T (H P H^T + R)^-1 (2.3), with P localized: the columns P H^T in compact
/// rows, and the factored innovation covariance S = H P H^T + R (`[p][p]`).
final class InnovationCovariance {
  let table: LocalizationTable
  /// Localized covariances of every observation's element with those in reach (`[observation][variable][offset]`).
  private(set) var columns: [Double] = []
  private var matrix: [Double] = []
  private let factor = Cholesky()
  private(set) var observed: [Int] = []
  /// Whether the ensemble was all numbers. If not, neither is anything computed from it.
  private(set) var isFinite = true

  init(table: LocalizationTable) {
    self.table = table
  }

  private var rowLength: Int { table.layout.fields.count * table.width }

  private func reserve(_ observations: Observations) {
    observed = observations.elements
    let p = observations.count
    if columns.count < p * rowLength { columns = [Double](repeating: 0, count: p * rowLength) }
    if matrix.count < p * p { matrix = [Double](repeating: 0, count: p * p) }
  }

  /// Estimates both from a whole ensemble.
  func estimate(from ensemble: EnsembleAnomalies, observations: Observations) throws(NotPositiveDefinite) {
    reserve(observations)
    let (n, members, cells, width) = (
      ensemble.elements, ensemble.members, table.layout.cells, table.width
    )
    let divisor = Double(members - 1)
    let length = rowLength
    columns.withUnsafeMutableBufferPointer { columns in
      ensemble.anomalies.withUnsafeBufferPointer { x in
        for (k, j) in observations.elements.enumerated() {
          table.forEachSegment(of: j) { segment in
            let row = k * length + segment.element / cells * width + segment.offset
            for i in 0..<segment.count { columns[row &+ i] = 0 }
            for m in 0..<members {
              let y = x[m * n + j]
              let start = m * n + segment.element
              for i in 0..<segment.count { columns[row &+ i] += x[start &+ i] * y }
            }
            for i in 0..<segment.count { columns[row &+ i] *= table.weights[segment.weight &+ i] / divisor }
          }
        }
      }
    }
    try assemble(observations)
  }

  /// Takes the covariances from moments that were reduced over ranks.
  func estimate(from moments: EnsembleMoments, observations: Observations) throws(NotPositiveDefinite) {
    reserve(observations)
    let (n, cells) = (moments.mean.count, table.layout.cells)
    for (k, j) in observations.elements.enumerated() {
      table.forEachSegment(of: j) { segment in
        let row = k * rowLength + segment.element / cells * table.width + segment.offset
        for i in 0..<segment.count {
          columns[row + i] = table.weights[segment.weight + i] * moments.covariance[k * n + segment.element + i]
        }
      }
    }
    try assemble(observations)
  }

  private func assemble(_ observations: Observations) throws(NotPositiveDefinite) {
    let p = observations.count
    var trace = 0.0
    for k in 0..<p {
      for l in 0...k {
        let place = table.position(of: observed[l], around: observed[k])
        matrix[k * p + l] = place.map { columns[k * rowLength + $0] } ?? 0
      }
      matrix[k * p + k] += observations.errorVariances[k]
      trace += matrix[k * p + k]
    }
    isFinite = trace.isFinite
    if isFinite {
      let matrix = self.matrix
      try factor.factor(matrix.span, order: p)
    }
  }

  /// Replaces `w` (`[p]`) by S^-1 w.
  func solve(_ w: inout MutableSpan<Double>) {
    if isFinite {
      factor.solve(&w)
    } else {
      for k in w.indices { w[k] = .nan }
    }
  }

  /// Adds `P H^T w` to `x` (`[element]`).
  func addColumns(_ w: Span<Double>, scale: Double = 1, to x: UnsafeMutablePointer<Double>) {
    let (cells, width, length) = (table.layout.cells, table.width, rowLength)
    columns.withUnsafeBufferPointer { columns in
      for k in 0..<observed.count {
        let weight = scale * w[k]
        if weight == 0 { continue }
        table.forEachSegment(of: observed[k]) { segment in
          let row = k * length + segment.element / cells * width + segment.offset
          for i in 0..<segment.count { x[segment.element &+ i] += weight * columns[row &+ i] }
        }
      }
    }
  }
}
