internal import DaunceObservations

/// The serial ensemble adjustment (Anderson 2001, eqs. 10-13, in the regression form of Anderson 2003): observations
/// one after the other, each adjusting its own element exactly and the others by localized regression. Elements are
/// those of the extended state: of an observation of anything else than an element, h(x) is one of its own.
///
/// For an observation y of element j with error variance r, forecast variance s^2 and innovation d = y - mean_j:
///
///     g_i    = rho_ij cov(x_i, x_j) / s^2
///     mean_i = mean_i + g_i s^2 / (s^2 + r) d
///     x'_i   = x'_i + g_i (sqrt(r / (s^2 + r)) - 1) x'_j
struct SerialUpdate {
  /// Elements that are regressed together, in registers. Lanes beyond a run of elements are computed and not stored.
  private typealias Lanes = SIMD8<Double>

  /// Anomalies of the observed element before its adjustment, and what the adjustment multiplies g by (`[2][member]`).
  private var observed: [Double] = []
  /// Regression coefficients g of one run of elements (`[longest]` and a vector more).
  private var regression: [Double] = []

  private mutating func reserve(_ members: Int, _ longest: Int) {
    if observed.count < 2 * members { observed = [Double](repeating: 0, count: 2 * members) }
    let run = longest + EnsembleAnomalies.padding
    if regression.count < run { regression = [Double](repeating: 0, count: run) }
  }

  /// Updates a whole ensemble in place: the gather form.
  mutating func update(_ ensemble: EnsembleAnomalies, observations: ObservationSet, reach: ObservationReach) {
    let members = ensemble.members
    reserve(members, reach.longest)
    ensemble.mean.withUnsafeMutableBufferPointer { mean in
      ensemble.anomalies.withUnsafeMutableBufferPointer { anomalies in
        observed.withUnsafeMutableBufferPointer { observed in
          regression.withUnsafeMutableBufferPointer { regression in
            reach.weights.withUnsafeBufferPointer { weights in
              guard let x = anomalies.baseAddress, let y = observed.baseAddress, let g = regression.baseAddress,
                let rho = weights.baseAddress
              else { return }
              let adjustment = Adjustment(x: x, stride: ensemble.elements, members: members, y: y, g: g)
              for k in 0..<reach.count where ensemble.isUsed[k] {
                let j = reach.extended.elements[k]
                let sum = adjustment.load(j)
                let variance = sum / Double(members - 1)
                // Without spread the members agree, and an observation has nothing to adjust.
                if variance == 0 { continue }
                let r = observations.errorVariances[k]
                let meanIncrement = variance / (variance + r) * (observations.values[k] - mean[j])
                adjustment.shrink(by: (r / (variance + r)).squareRoot() - 1)
                for place in reach.runs(of: k) {
                  let run = reach.runs[place]
                  adjustment.regress(run.element, run.count, weights: rho + run.weight, sum: sum)
                  for i in 0..<run.count { mean[run.element &+ i] += g[i] * meanIncrement }
                }
              }
            }
          }
        }
      }
    }
  }

  /// One observation's work on the anomalies.
  private struct Adjustment {
    /// Anomalies, `[member][element]`, with room for a vector behind the last.
    let x: UnsafeMutablePointer<Double>
    let stride: Int
    let members: Int
    /// `[2][member]`.
    let y: UnsafeMutablePointer<Double>
    let g: UnsafeMutablePointer<Double>

    /// Takes the anomalies of element `j` and returns the sum of their squares.
    @inline(__always)
    func load(_ j: Int) -> Double {
      var sum = 0.0
      for m in 0..<members {
        let anomaly = x[m &* stride &+ j]
        y[m] = anomaly
        sum += anomaly * anomaly
      }
      return sum
    }

    @inline(__always)
    func shrink(by factor: Double) {
      for m in 0..<members { y[members &+ m] = factor * y[m] }
    }

    /// Regresses `count` elements from `start` on: their coefficients to `g`, their anomalies adjusted.
    @inline(__always)
    func regress(_ start: Int, _ count: Int, weights: UnsafePointer<Double>, sum: Double) {
      for first in Swift.stride(from: 0, to: count, by: Lanes.scalarCount) {
        let column = UnsafeMutableRawPointer(x + (start &+ first))
        let step = stride &* MemoryLayout<Double>.stride
        var coefficient = Lanes.zero
        for m in 0..<members {
          coefficient += (column + m &* step).loadUnaligned(as: Lanes.self) * Lanes(repeating: y[m])
        }
        coefficient *= UnsafeRawPointer(weights + first).loadUnaligned(as: Lanes.self) / sum
        UnsafeMutableRawPointer(g + first).storeBytes(of: coefficient, as: Lanes.self)
        let factors = y + members
        if count &- first >= Lanes.scalarCount {
          for m in 0..<members {
            let place = column + m &* step
            let adjusted = place.loadUnaligned(as: Lanes.self) + coefficient * Lanes(repeating: factors[m])
            place.storeBytes(of: adjusted, as: Lanes.self)
          }
        } else {
          let isIn = SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7) .< SIMD8<Int64>(repeating: Int64(count &- first))
          for m in 0..<members {
            let place = column + m &* step
            let old = place.loadUnaligned(as: Lanes.self)
            let adjusted = old + coefficient * Lanes(repeating: factors[m])
            place.storeBytes(of: old.replacing(with: adjusted, where: isIn), as: Lanes.self)
          }
        }
      }
    }
  }
}
