internal import DaunceState

/// The same recursion as `SerialRecursion` on (mean, covariance) alone, applied to some of the members on the way: the
/// covariance form, for ensembles whose members are not in one place.
///
/// The update multiplies every member's anomalies by I + c g e_j^T with c = sqrt(r / (s^2 + r)) - 1, so with C the
/// covariance, of which only the columns of observed elements matter,
///
///     C_ik = C_ik + c (g_i C_jk + C_ij g_k) + c^2 g_i g_k C_jj.
struct MomentRecursion {
  let table: LocalizationTable
  /// Regression coefficients g, zero out of reach (`[element]`).
  private var regression: [Double]

  init(table: LocalizationTable) {
    self.table = table
    regression = [Double](repeating: 0, count: table.layout.count)
  }

  /// Updates the members in `ensemble` and `moments`, whose mean is not used again: `ensemble.mean` is.
  mutating func update(_ ensemble: EnsembleAnomalies, moments: inout EnsembleMoments, observations: Observations) {
    let (n, members) = (ensemble.elements, ensemble.members)
    let table = self.table
    ensemble.mean.withUnsafeMutableBufferPointer { mean in
      ensemble.anomalies.withUnsafeMutableBufferPointer { x in
        regression.withUnsafeMutableBufferPointer { g in
          moments.covariance.withUnsafeMutableBufferPointer { c in
            moments.variance.withUnsafeMutableBufferPointer { diagonal in
              for k in 0..<observations.count {
                let j = observations.elements[k]
                let column = k &* n
                let variance = c[column &+ j]
                // Rounding can leave a spent variance a little below zero.
                if variance <= 0 { continue }
                let r = observations.errorVariances[k]
                let meanIncrement = variance / (variance + r) * (observations.values[k] - mean[j])
                let shrink = (r / (variance + r)).squareRoot() - 1
                for i in 0..<n { g[i] = 0 }
                table.forEachSegment(of: j) { segment in
                  for i in 0..<segment.count {
                    let e = segment.element &+ i
                    g[e] = table.weights[segment.weight &+ i] * c[column &+ e] / variance
                    mean[e] += g[e] * meanIncrement
                    diagonal[e] += shrink * g[e] * (2 * c[column &+ e] + shrink * g[e] * variance)
                  }
                  for m in 0..<members {
                    let y = shrink * x[m &* n &+ j]
                    // The observed element's own anomaly is needed until the last run: it is updated below.
                    for i in 0..<segment.count where segment.element &+ i != j {
                      x[m &* n &+ segment.element &+ i] += g[segment.element &+ i] * y
                    }
                  }
                }
                for m in 0..<members { x[m &* n &+ j] += g[j] * shrink * x[m &* n &+ j] }
                // Columns of earlier observations are not looked at again.
                for l in (k + 1)..<max(k + 1, observations.count) {
                  let other = l &* n
                  let e = observations.elements[l]
                  let (alongG, alongC) = (shrink * (c[column &+ e] + shrink * g[e] * variance), shrink * g[e])
                  if alongC == 0 {
                    // Observed element out of reach: g alone changes anything, and that within its reach.
                    table.forEachSegment(of: j) { segment in
                      for i in segment.element..<segment.element &+ segment.count { c[other &+ i] += alongG * g[i] }
                    }
                  } else {
                    for i in 0..<n { c[other &+ i] += alongG * g[i] + alongC * c[column &+ i] }
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
