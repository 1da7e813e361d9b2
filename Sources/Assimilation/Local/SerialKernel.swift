internal import DaunceState

/// The serial ensemble adjustment (Anderson 2001, eqs. 10-13, as a regression, Anderson 2003) in two steps: once through
/// the observations in observation space, the same on every rank; then each element by the recorded adjustments.
///
/// For observation k with forecast variance s^2 of its own h(x) = y, error variance r and innovation d:
///
///     g      = rho cov(x, y) / s^2
///     mean_x = mean_x + g s^2 / (s^2 + r) d
///     x'     = x' + g (sqrt(r / (s^2 + r)) - 1) y'
///
/// The other observations' h(x) are updated like elements, with the taper between the two observations.
final class SerialKernel: RowKernel {
  /// y' of every observation when its turn came (`[count][stride]`).
  private let observed: ObservedEnsemble
  /// 1 / sum of squares of y'; zero without spread, when nothing is adjusted.
  private var inverse: [Double]
  /// s^2 / (s^2 + r) d.
  private var meanIncrement: [Double]
  /// sqrt(r / (s^2 + r)) - 1.
  private var shrinkage: [Double]

  init(_ observed: ObservedEnsemble, localization: DistanceLocalization, geometry: Geometry) {
    self.observed = observed
    let p = observed.count
    inverse = [Double](repeating: 0, count: p)
    meanIncrement = inverse
    shrinkage = inverse
    let search = ObservationSearch(localization, geometry: geometry, observed: observed)
    var found = ObservationSearch.Found()
    var mean = observed.mean
    let (stride, share) = (observed.stride, Double(observed.members - 1))
    for k in 0..<p {
      let y = observed.anomalies + k * stride
      let sum = Lanes4.dot(y, y, stride)
      guard sum > 0 else { continue }
      let (variance, r) = (sum / share, observed.errorVariances[k])
      inverse[k] = 1 / sum
      meanIncrement[k] = variance / (variance + r) * (observed.values[k] - mean[k])
      shrinkage[k] = (r / (variance + r)).squareRoot() - 1
      let (increment, factor) = (meanIncrement[k], shrinkage[k])
      // Those before had their turn. The rows are far apart in memory, so nothing but their sums is in this loop.
      search.find(behind: k, into: &found)
      for i in found.ids.indices {
        let j = Int(found.ids[i])
        let row = observed.anomalies + j &* stride
        let g = found.weights[i] * Lanes4.dot(row, y, stride) / sum
        mean[j] += g * increment
        Lanes4.add(g * factor, y, to: row, stride)
      }
    }
  }

  func update(_ group: RowGroup) {
    let stride = group.stride
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      var shift = 0.0
      group.ids[r].withUnsafeBufferPointer { ids in
        group.weights[r].withUnsafeBufferPointer { weights in
          for n in 0..<ids.count {
            let k = Int(ids[n])
            let y = observed.anomalies + k &* stride
            let g = weights[n] * (Lanes4.dot(row, y, stride) * inverse[k])
            shift += g * meanIncrement[k]
            Lanes4.add(g * shrinkage[k], y, to: row, stride)
          }
        }
      }
      group.shift(r, by: shift)
    }
  }
}
