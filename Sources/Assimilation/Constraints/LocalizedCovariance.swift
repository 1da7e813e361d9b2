internal import StateSpace

/// The localized sample covariance of an ensemble, element by element the product of localization weight and sample
/// covariance. Columns are computed when they are asked for: a projection looks at few of them.
final class LocalizedCovariance: CovarianceOperator {
  let table: LocalizationTable
  /// Part of every variance that is added to it. A few members span few directions; with a small ridge every element
  /// that has spread can be moved, at a price.
  let ridge: Double
  private let ensemble: EnsembleAnomalies

  /// - Parameter ensemble: whose anomalies are read at the time of each call.
  init(of ensemble: EnsembleAnomalies, table: LocalizationTable, ridge: Double) {
    self.ensemble = ensemble
    self.table = table
    self.ridge = ridge
  }

  var order: Int { ensemble.elements }

  private var divisor: Double { Double(ensemble.members - 1) }

  func variance(_ i: Int) -> Double {
    var sum = 0.0
    for m in 0..<ensemble.members {
      let x = ensemble.anomalies[m * order + i]
      sum += x * x
    }
    return sum / divisor * (1 + ridge)
  }

  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    let cells = table.layout.grid.cells
    var (low, high) = (order, 0)
    for w in table.layout.variables.indices where table.couples(i / cells, w) {
      low = min(low, w * cells)
      high = max(high, (w + 1) * cells)
    }
    column.withUnsafeMutableBufferPointer { column in
      for j in low..<high { column[j] = 0 }
      add(column: i, times: 1, to: column)
    }
    return low..<high
  }

  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    product.withUnsafeMutableBufferPointer { product in
      for j in 0..<order { product[j] = 0 }
      for i in 0..<order where v[i] != 0 { add(column: i, times: v[i], to: product) }
    }
  }

  private func add(column i: Int, times factor: Double, to result: UnsafeMutableBufferPointer<Double>) {
    let n = order
    ensemble.anomalies.withUnsafeBufferPointer { x in
      table.weights.withUnsafeBufferPointer { weights in
        table.forEachSegment(of: i) { segment in
          withUnsafeTemporaryAllocation(of: Double.self, capacity: segment.count) { sums in
            for j in 0..<segment.count { sums[j] = 0 }
            for m in 0..<ensemble.members {
              let y = x[m &* n &+ i]
              let row = m &* n &+ segment.element
              for j in 0..<segment.count { sums[j] += x[row &+ j] * y }
            }
            let scale = factor / divisor
            for j in 0..<segment.count {
              result[segment.element &+ j] += scale * weights[segment.offset &+ j] * sums[j]
            }
          }
        }
      }
    }
    result[i] += factor * variance(i) * (ridge / (1 + ridge))
  }
}
