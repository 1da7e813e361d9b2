internal import DaunceObservations

/// The same recursion as `SerialUpdate` on (mean, covariance) alone, applied to some of the members on the way: the
/// covariance form, for ensembles whose members are not in one place.
///
/// The update multiplies every member's anomalies by I + c g e_j^T with c = sqrt(r / (s^2 + r)) - 1, so with C the
/// covariance, of which only the columns of observed elements matter,
///
///     C_ik = C_ik + c (g_i C_jk + C_ij g_k) + c^2 g_i g_k C_jj.
struct SerialMomentUpdate {
  /// Regression coefficients g, zero out of reach (`[element]`).
  private var regression: [Double] = []

  /// Updates the members in `ensemble` and `moments`, whose mean is not used again: `ensemble.mean` is.
  mutating func update(
    _ ensemble: EnsembleAnomalies, moments: inout EnsembleMoments, observations: ObservationSet, reach: ObservationReach
  ) {
    let n = ensemble.elements
    if regression.count < n { regression = [Double](repeating: 0, count: n) }
    ensemble.mean.withUnsafeMutableBufferPointer { mean in
      ensemble.anomalies.withUnsafeMutableBufferPointer { x in
        regression.withUnsafeMutableBufferPointer { g in
          moments.covariance.withUnsafeMutableBufferPointer { c in
            moments.variance.withUnsafeMutableBufferPointer { diagonal in
              for k in 0..<reach.count where ensemble.isUsed[k] {
                let j = reach.extended.elements[k]
                let column = k &* n
                let variance = c[column &+ j]
                // Rounding can leave a spent variance a little below zero.
                if variance <= 0 { continue }
                let r = observations.errorVariances[k]
                let meanIncrement = variance / (variance + r) * (observations.values[k] - mean[j])
                let shrink = (r / (variance + r)).squareRoot() - 1
                for i in 0..<n { g[i] = 0 }
                for run in reach.runs[reach.runs(of: k)] {
                  for i in 0..<run.count {
                    let e = run.element &+ i
                    g[e] = reach.weights[run.weight &+ i] * c[column &+ e] / variance
                    mean[e] += g[e] * meanIncrement
                    diagonal[e] += shrink * g[e] * (2 * c[column &+ e] + shrink * g[e] * variance)
                  }
                }
                let work = Adjustment(g: g, j: j, shrink: shrink, variance: variance)
                work.adjust(x, members: ensemble.members, stride: n, reach: reach, k: k)
                work.adjust(c, column: column, stride: n, reach: reach, k: k)
              }
            }
          }
        }
      }
    }
  }

  /// One observation's work on anomalies and covariances.
  private struct Adjustment {
    let g: UnsafeMutableBufferPointer<Double>
    let j: Int
    let shrink: Double
    let variance: Double

    @inline(__always)
    func adjust(
      _ x: UnsafeMutableBufferPointer<Double>, members: Int, stride n: Int, reach: ObservationReach, k: Int
    ) {
      for run in reach.runs[reach.runs(of: k)] {
        for m in 0..<members {
          let y = shrink * x[m &* n &+ j]
          // The observed element's own anomaly is needed until the last run: it is updated below.
          for i in 0..<run.count where run.element &+ i != j {
            x[m &* n &+ run.element &+ i] += g[run.element &+ i] * y
          }
        }
      }
      for m in 0..<members { x[m &* n &+ j] += g[j] * shrink * x[m &* n &+ j] }
    }

    /// Columns of earlier observations are not looked at again.
    @inline(__always)
    func adjust(
      _ c: UnsafeMutableBufferPointer<Double>, column: Int, stride n: Int, reach: ObservationReach, k: Int
    ) {
      for l in (k + 1)..<max(k + 1, reach.count) {
        let other = l &* n
        let e = reach.extended.elements[l]
        let (alongG, alongC) = (shrink * (c[column &+ e] + shrink * g[e] * variance), shrink * g[e])
        if alongC == 0 {
          // Observed element out of reach: g alone changes anything, and that within its reach.
          for run in reach.runs[reach.runs(of: k)] {
            for i in run.element..<run.element &+ run.count { c[other &+ i] += alongG * g[i] }
          }
        } else {
          for i in 0..<n { c[other &+ i] += alongG * g[i] + alongC * c[column &+ i] }
        }
      }
    }
  }
}
