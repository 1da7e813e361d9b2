internal import DaunceConstraints
internal import DaunceNumerics
internal import DaunceState

/// The localized sample covariance of an ensemble, element by element the product of localization weight and sample
/// covariance. Columns are computed when they are asked for: a projection looks at few of them.
final class LocalizedCovariance: CovarianceOperator {
  let order: Int
  /// Part of every variance that is added to it. A few members span few directions; with a small ridge every element
  /// that has spread can be moved, at a price.
  let ridge: Double
  private let ensemble: EnsembleAnomalies
  private let weights: ElementWeights
  /// Numbers for one member in the workspaces: cells of the largest grid, and a vector before and behind.
  private let room: Int
  /// Sums over fields of one grid before and after localization (`[2][room]`).
  private var sharp: [Double]
  private var smooth: [Double]
  /// An element's anomalies over N - 1 (`[member]`).
  private var factors: [Double] = []

  /// - Parameter ensemble: whose anomalies are read at the time of each call.
  init(of ensemble: EnsembleAnomalies, weights: ElementWeights, ridge: Double) {
    self.ensemble = ensemble
    self.weights = weights
    self.ridge = ridge
    order = weights.layout.count
    room = weights.layout.grids.reduce(0) { max($0, $1.cells) } + 2 * EnsembleAnomalies.padding
    sharp = [Double](repeating: 0, count: 2 * room)
    smooth = sharp
  }

  private var divisor: Double { Double(ensemble.members - 1) }

  func scale(_ i: Int) -> Double { variance(i).squareRoot() }

  private func variance(_ i: Int) -> Double {
    let width = ensemble.elements
    var sum = 0.0
    for m in 0..<ensemble.members {
      let x = ensemble.anomalies[m * width + i]
      sum += x * x
    }
    return sum / divisor * (1 + ridge)
  }

  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    let (n, members, layout) = (ensemble.elements, ensemble.members, weights.layout)
    let (field, cell) = layout.cell(of: i)
    let range = weights.ranges[field]
    if factors.count < members { factors = [Double](repeating: 0, count: members) }
    for m in 0..<members { factors[m] = ensemble.anomalies[m * n + i] / divisor }
    column.withUnsafeMutableBufferPointer { column in
      for j in range { column[j] = 0 }
      ensemble.anomalies.withUnsafeBufferPointer { x in
        factors.withUnsafeBufferPointer { factors in
          guard let x = x.baseAddress, let factors = factors.baseAddress, let column = column.baseAddress
          else { return }
          let products = MemberProducts(x: x, stride: n, factors: factors, members: members)
          for (other, number) in weights.table[field].enumerated() {
            guard let number else { continue }
            let table = weights.tables[number]
            let offset = layout.offsets[other]
            table.weights.withUnsafeBufferPointer { rho in
              guard let rho = rho.baseAddress else { return }
              for run in table.runs[table.starts[cell]..<table.starts[cell + 1]] {
                let start = offset &+ run.element
                products.write(start, run.count, weights: rho + run.weight, to: column + start)
              }
            }
          }
        }
      }
      column[i] *= 1 + ridge
    }
    return range
  }

  /// With the localization W and the anomalies x_m, `P v = 1 / (N - 1) sum_m x_m o W (x_m o v)`, o element by element: W
  /// is the same for all fields of a grid, so P is not needed.
  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    product.withUnsafeMutableBufferPointer { product in
      v.withUnsafeBufferPointer { v in
        ensemble.anomalies.withUnsafeBufferPointer { x in
          sharp.withUnsafeMutableBufferPointer { sharp in
            smooth.withUnsafeMutableBufferPointer { smooth in
              guard let x = x.baseAddress, let v = v.baseAddress, let product = product.baseAddress,
                let first = sharp.baseAddress, let smooth = smooth.baseAddress
              else { return }
              for j in 0..<order { product[j] = 0 }
              for group in weights.groups where meets(v, group) {
                for m in stride(from: 0, to: ensemble.members, by: 2) {
                  addProduct(group, x, m, v, to: product, first + EnsembleAnomalies.padding, smooth)
                }
              }
            }
          }
        }
        for i in 0..<order { product[i] /= divisor }
        for i in 0..<order where ridge != 0 && v[i] != 0 { product[i] += v[i] * variance(i) * (ridge / (1 + ridge)) }
      }
    }
  }

  /// Adds the part of member `m` and the next, if there is one, of a group of fields.
  @inline(__always)
  private func addProduct(
    _ group: ElementWeights.Group, _ x: UnsafePointer<Double>, _ m: Int, _ v: UnsafePointer<Double>,
    to product: UnsafeMutablePointer<Double>, _ sharp: UnsafeMutablePointer<Double>,
    _ smooth: UnsafeMutablePointer<Double>
  ) {
    let layout = weights.layout
    let present = min(2, ensemble.members - m)
    let cells = layout.range(group.targets[0]).count
    for c in 0..<room + cells + EnsembleAnomalies.padding { smooth[c] = 0 }
    for term in group.terms {
      let width = layout.range(term.sources[0]).count
      for c in 0..<room + width + EnsembleAnomalies.padding { sharp[c] = 0 }
      for one in 0..<present {
        let (x, sharp) = (x + (m &+ one) &* ensemble.elements, sharp + one &* room)
        for w in term.sources {
          let start = layout.offsets[w]
          for c in 0..<width { sharp[c] += x[start &+ c] * v[start &+ c] }
        }
      }
      weights.tables[term.table].addProducts(sharp, to: smooth, stride: room)
    }
    for one in 0..<present {
      let (x, smooth) = (x + (m &+ one) &* ensemble.elements, smooth + one &* room)
      for w in group.targets {
        let start = layout.offsets[w]
        for c in 0..<cells { product[start &+ c] += x[start &+ c] * smooth[c] }
      }
    }
  }

  /// Whether `v` is nonzero in any source of a group.
  private func meets(_ v: UnsafePointer<Double>, _ group: ElementWeights.Group) -> Bool {
    for term in group.terms {
      for w in term.sources {
        for i in weights.layout.range(w) where v[i] != 0 { return true }
      }
    }
    return false
  }
}
