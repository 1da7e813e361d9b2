internal import DaunceState

/// The localized sample covariance of an ensemble, element by element the product of localization weight and sample
/// covariance. Columns are computed when they are asked for: a projection looks at few of them.
final class LocalizedCovariance: CovarianceOperator {
  let table: LocalizationTable
  /// Part of every variance that is added to it. A few members span few directions; with a small ridge every element
  /// that has spread can be moved, at a price.
  let ridge: Double
  private let ensemble: EnsembleAnomalies
  /// Variables that are influenced by the same ones share a convolution.
  private let groups: [(targets: [Int], sources: [Int])]
  private var extended: [Double]
  private var smooth: [Double]

  /// - Parameter ensemble: whose anomalies are read at the time of each call.
  init(of ensemble: EnsembleAnomalies, table: LocalizationTable, ridge: Double) {
    self.ensemble = ensemble
    self.table = table
    self.ridge = ridge
    let variables = Array(table.layout.fields.indices)
    var groups: [(targets: [Int], sources: [Int])] = []
    for v in variables {
      let sources = variables.filter { table.couples(v, $0) }
      if let known = groups.firstIndex(where: { $0.sources == sources }) {
        groups[known].targets.append(v)
      } else {
        groups.append(([v], sources))
      }
    }
    self.groups = groups
    extended = [Double](repeating: 0, count: table.layout.cells + 2 * table.reach)
    smooth = [Double](repeating: 0, count: table.layout.cells)
  }

  var order: Int { ensemble.elements }

  private var divisor: Double { Double(ensemble.members - 1) }

  func scale(_ i: Int) -> Double { variance(i).squareRoot() }

  private func variance(_ i: Int) -> Double {
    var sum = 0.0
    for m in 0..<ensemble.members {
      let x = ensemble.anomalies[m * order + i]
      sum += x * x
    }
    return sum / divisor * (1 + ridge)
  }

  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    let (n, members, cells) = (order, ensemble.members, table.layout.cells)
    var (low, high) = (n, 0)
    for w in table.layout.fields.indices where table.couples(i / cells, w) {
      low = min(low, w * cells)
      high = max(high, (w + 1) * cells)
    }
    column.withUnsafeMutableBufferPointer { column in
      for j in low..<high { column[j] = 0 }
      ensemble.anomalies.withUnsafeBufferPointer { x in
        table.weights.withUnsafeBufferPointer { weights in
          table.forEachSegment(of: i) { segment in
            let start = segment.element
            for m in 0..<members {
              let y = x[m &* n &+ i] / divisor
              for j in 0..<segment.count { column[start &+ j] += x[m &* n &+ start &+ j] * y }
            }
            for j in 0..<segment.count { column[start &+ j] *= weights[segment.weight &+ j] }
          }
        }
      }
      column[i] *= 1 + ridge
    }
    return low..<high
  }

  /// With the localization W and the anomalies x_m, `P v = 1 / (N - 1) sum_m x_m o W (x_m o v)`, o element by element:
  /// W is a convolution along the circle, the same for all variables, so P is not needed.
  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    let (n, cells) = (order, table.layout.cells)
    product.withUnsafeMutableBufferPointer { product in
      v.withUnsafeBufferPointer { v in
        ensemble.anomalies.withUnsafeBufferPointer { x in
          table.weights.withUnsafeBufferPointer { weights in
            extended.withUnsafeMutableBufferPointer { extended in
              smooth.withUnsafeMutableBufferPointer { smooth in
                for j in 0..<n { product[j] = 0 }
                for group in groups where meets(v, group.sources) {
                  for m in 0..<ensemble.members {
                    let row = m &* n
                    for c in 0..<cells { extended[table.reach &+ c] = 0 }
                    for w in group.sources {
                      let start = w &* cells
                      for c in 0..<cells { extended[table.reach &+ c] += x[row &+ start &+ c] * v[start &+ c] }
                    }
                    // Halos on both sides, so that the convolution runs without wrapping around.
                    for c in 0..<table.reach {
                      extended[c] = extended[cells &+ c]
                      extended[table.reach &+ cells &+ c] = extended[table.reach &+ c]
                    }
                    let first = table.row(of: group.sources[0])
                    for c in 0..<cells { smooth[c] = 0 }
                    for o in 0..<table.width {
                      let weight = weights[first &+ o]
                      for c in 0..<cells { smooth[c] += weight * extended[c &+ o] }
                    }
                    for w in group.targets {
                      let start = w &* cells
                      for c in 0..<cells { product[start &+ c] += x[row &+ start &+ c] * smooth[c] }
                    }
                  }
                }
                for j in 0..<n { product[j] /= divisor }
              }
            }
          }
        }
        for i in 0..<n where ridge != 0 && v[i] != 0 { product[i] += v[i] * variance(i) * (ridge / (1 + ridge)) }
      }
    }
  }

  /// Whether `v` is nonzero in any of `variables`.
  private func meets(_ v: UnsafeBufferPointer<Double>, _ variables: [Int]) -> Bool {
    let cells = table.layout.cells
    for w in variables {
      for i in w * cells..<(w + 1) * cells where v[i] != 0 { return true }
    }
    return false
  }
}
