internal import StateSpace

/// The serial ensemble adjustment (Anderson 2001, eqs. 10-13, in the regression form of Anderson 2003): observations
/// one after the other, each adjusting its own element exactly and the others by localized regression.
///
/// For an observation y of element j with error variance r, forecast variance s^2 and innovation d = y - mean_j:
///
///     g_i    = rho_ij cov(x_i, x_j) / s^2
///     mean_i = mean_i + g_i s^2 / (s^2 + r) d
///     x'_i   = x'_i + g_i (sqrt(r / (s^2 + r)) - 1) x'_j
struct SerialRecursion {
  let table: LocalizationTable
  /// Anomalies of the observed element before its adjustment (`[member]`).
  private var observed: [Double] = []
  /// Regression coefficients g of one run of elements (`[width]`).
  private var regression: [Double]

  init(table: LocalizationTable) {
    self.table = table
    regression = [Double](repeating: 0, count: table.width)
  }

  /// Updates a whole ensemble in place: the gather form.
  mutating func update(_ ensemble: EnsembleAnomalies, observations: Observations) {
    let (n, members) = (ensemble.elements, ensemble.members)
    if observed.count < members { observed = [Double](repeating: 0, count: members) }
    let table = self.table
    ensemble.mean.withUnsafeMutableBufferPointer { mean in
      ensemble.anomalies.withUnsafeMutableBufferPointer { x in
        observed.withUnsafeMutableBufferPointer { observed in
          regression.withUnsafeMutableBufferPointer { g in
            table.weights.withUnsafeBufferPointer { weights in
              for k in 0..<observations.count {
                let j = observations.elements[k]
                var sum = 0.0
                for m in 0..<members {
                  observed[m] = x[m &* n &+ j]
                  sum += observed[m] * observed[m]
                }
                let variance = sum / Double(members - 1)
                // Without spread the members agree, and an observation has nothing to adjust.
                if variance == 0 { continue }
                let r = observations.errorVariances[k]
                let meanIncrement = variance / (variance + r) * (observations.values[k] - mean[j])
                let shrink = (r / (variance + r)).squareRoot() - 1
                table.forEachSegment(of: j) { segment in
                  let (start, count) = (segment.element, segment.count)
                  for i in 0..<count { g[i] = 0 }
                  for m in 0..<members {
                    let row = m &* n &+ start
                    let y = observed[m]
                    for i in 0..<count { g[i] += x[row &+ i] * y }
                  }
                  for i in 0..<count { g[i] *= weights[segment.offset &+ i] / sum }
                  for i in 0..<count { mean[start &+ i] += g[i] * meanIncrement }
                  for m in 0..<members {
                    let row = m &* n &+ start
                    let y = shrink * observed[m]
                    for i in 0..<count { x[row &+ i] += g[i] * y }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
