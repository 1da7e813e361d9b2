package import DaunceNumerics
package import DaunceState
import Glibc

/// The climatological spectrum of fields on a ring, as the waves of some nature runs: random sums of them have the second moments of the
/// climate at every wavenumber, those between variables too.
package struct ClimatologicalWaves: ClimatologicalPerturbations {
  /// Cells beyond which sums over all waves, which cost the square of their number, would take longer than the runs.
  static let mostCells = 4096

  private let layout: StateLayout
  private let runs: Int
  /// Cosine and sine of each step along the circle (`[cell]`).
  private let cosines, sines: [Double]
  /// Amplitudes of wavenumber k of every run, cosine and sine, `[k][run][variable]` each; the zonal means (k = 0) are
  /// deviations from the runs' mean.
  private var cosineParts, sineParts: [Double]

  private var waveCount: Int { layout.cells / 2 + 1 }

  /// - Parameter states: of the runs, one after the other (`[run][variable][cell]`), at least two.
  package init(_ states: [Double], layout: StateLayout) {
    let n = layout.cells
    self.layout = layout
    runs = states.count / layout.count
    cosines = (0..<n).map { cos(2 * Double.pi * Double($0) / Double(n)) }
    sines = (0..<n).map { sin(2 * Double.pi * Double($0) / Double(n)) }
    let variables = layout.fields.count
    cosineParts = [Double](repeating: 0, count: (n / 2 + 1) * runs * variables)
    sineParts = cosineParts
    for k in 0...n / 2 {
      // Of the means and of the shortest wave there is one part, of others there are two.
      let unit = (k == 0 || 2 * k == n ? 1.0 : 2.0) / Double(n)
      for row in 0..<runs * variables {
        var (p, q) = (0.0, 0.0)
        for c in 0..<n {
          let value = states[row * n + c]
          p += value * cosines[k * c % n]
          q += value * sines[k * c % n]
        }
        cosineParts[k * runs * variables + row] = unit * p
        sineParts[k * runs * variables + row] = unit * q
      }
    }
    for v in 0..<variables {
      let mean = (0..<runs).reduce(0) { $0 + cosineParts[$1 * variables + v] } / Double(runs)
      for r in 0..<runs { cosineParts[r * variables + v] -= mean }
    }
  }

  /// Variance of a variable that is in wavenumber `k`, in its unit squared: over x for waves, over runs for the means.
  func variance(_ v: Int, wavenumber k: Int) -> Double {
    let variables = layout.fields.count
    let sum = (0..<runs).reduce(0.0) { sum, r in
      let (p, q) = (cosineParts[(k * runs + r) * variables + v], sineParts[(k * runs + r) * variables + v])
      return sum + p * p + q * q
    }
    if k == 0 { return sum / Double(runs - 1) }
    return sum / Double(runs) / (2 * k == layout.cells ? 1 : 2)
  }

  /// Adds `factor` times a state of the climate to `state`, less the climate's mean: of each wavenumber a sum over runs
  /// with random weights and phases, the same for all variables. What all runs have in common stays: linear invariants.
  package func perturb(_ state: inout [Double], by factor: Double, _ stream: RandomStream) {
    sum(0..<waveCount, into: &state, by: factor) { stream.normalPair(at: $0) }
  }

  package func directions(factor: Double) -> [[Double]] {
    (0..<waveCount * runs).flatMap { place -> [[Double]] in
      let k = place / runs
      return [(1.0, 0.0), (0, 1)].prefix(isPhased(k) ? 2 : 1).map { pair in
        var state = [Double](repeating: 0, count: layout.count)
        sum(k..<k + 1, into: &state, by: factor) { $0 == place ? pair : (0, 0) }
        return state
      }
    }
  }

  private func isPhased(_ k: Int) -> Bool { k > 0 && 2 * k < layout.cells }

  private func sum(
    _ waves: Range<Int>, into state: inout [Double], by factor: Double, normals: (Int) -> (Double, Double)
  ) {
    let (n, variables) = (layout.cells, layout.fields.count)
    var (p, q) = ([Double](repeating: 0, count: variables), [Double](repeating: 0, count: variables))
    for k in waves {
      for v in 0..<variables { (p[v], q[v]) = (0, 0) }
      let divisor = Double(k == 0 ? runs - 1 : runs).squareRoot()
      let isPhased = isPhased(k)
      for r in 0..<runs {
        let pair = normals(k * runs + r)
        // A normal complex number of variance 1 turns a wave; means and the shortest wave have no phase.
        let share = factor / divisor
        let (re, im) = isPhased ? (share * pair.0 * 0.5.squareRoot(), share * pair.1 * 0.5.squareRoot()) : (share * pair.0, 0)
        for v in 0..<variables {
          let (a, b) = (cosineParts[(k * runs + r) * variables + v], sineParts[(k * runs + r) * variables + v])
          p[v] += re * a - im * b
          q[v] += re * b + im * a
        }
      }
      for v in 0..<variables {
        for c in 0..<n { state[v * n + c] += p[v] * cosines[k * c % n] + q[v] * sines[k * c % n] }
      }
    }
  }
}
