import DaunceNumerics

/// The ensemble's regressions of cells on what is observed near them: what a filter would move the mean of cell c by
/// for the observation at its neighbour d alone is cov(x_c, x_d) / (var(x_d) + R_d) times the innovation there.
///
/// Agents that see these terms know the covariances of the day; how to add them up, where the observations of
/// neighbours say the same thing and a small ensemble's covariances are noise, is theirs to learn.
package final class LocalGain {
  private let members: Int
  private let cells: Int
  private let window: Neighbourhood
  /// Deviations from the mean, `[member][cell]`.
  private let deviations: Workspace<Double>

  package init(members: Int, window: Neighbourhood) {
    (self.members, self.window, cells) = (members, window, window.cells)
    deviations = Workspace(repeating: 0, count: members * cells)
  }

  /// Writes the regression of every cell on every cell of its window (`[place][cell]`), 0 beyond the grid's edge. Sums
  /// run in the order of members.
  ///
  /// - Parameters:
  ///   - forecasts: of one field, members `stride` apart.
  ///   - mean: their mean, `[cell]`.
  ///   - errorVariances: of the observations, in the field's unit squared, `[cell]`.
  package func compute(
    into regressions: UnsafeMutablePointer<Double>, forecasts: UnsafePointer<Double>, stride: Int,
    mean: UnsafePointer<Double>, errorVariances: UnsafePointer<Double>
  ) {
    let centre = regressions + window.centre * cells
    for m in 0..<members {
      let (x, deviation) = (forecasts + m * stride, deviations.start + m * cells)
      for c in 0..<cells { deviation[c] = x[c] - mean[c] }
    }
    for place in 0..<window.size { sumProducts(into: regressions + place * cells, place) }
    // The centre's sums are the variances that all places are divided by, so it comes last.
    let factor = Double(max(1, members - 1))
    for place in 0..<window.size where place != window.centre {
      let row = regressions + place * cells
      for run in window.runs(of: place) where run.source >= 0 {
        let (target, variance, noise) = (row + run.target, centre + run.source, errorVariances + run.source)
        for i in 0..<run.count { target[i] /= variance[i] + noise[i] * factor }
      }
    }
    for c in 0..<cells { centre[c] /= centre[c] + errorVariances[c] * factor }
  }

  /// Sums over members of the products of the deviations at each cell and at one place of its window.
  private func sumProducts(into row: UnsafeMutablePointer<Double>, _ place: Int) {
    for c in 0..<cells { row[c] = 0 }
    for m in 0..<members {
      let deviation = deviations.start + m * cells
      for run in window.runs(of: place) where run.source >= 0 {
        let (target, own, other) = (row + run.target, deviation + run.target, deviation + run.source)
        for i in 0..<run.count { target[i] += own[i] * other[i] }
      }
    }
  }

  /// Turns regressions into what the observation at every place of the window would move the mean by, in units of
  /// `scale` (`[input][cell]`, rows `stride` apart), and adds a row with their sum. 0 where the observation is missing.
  ///
  /// - Parameter innovations: of the observations against the mean, NaN where there is none (`[cell]`).
  package static func fill(
    _ start: UnsafeMutablePointer<Float>, stride: Int, window: Neighbourhood, regressions: UnsafePointer<Double>,
    innovations: UnsafePointer<Double>, scale: Double
  ) {
    let cells = window.cells
    let sum = start + window.size * stride
    for c in 0..<cells { sum[c] = 0 }
    for place in 0..<window.size {
      let (row, regression) = (start + place * stride, regressions + place * cells)
      for run in window.runs(of: place) {
        for i in 0..<run.count {
          let c = run.target + i
          let innovation = run.source < 0 ? .nan : innovations[run.source + i]
          let move = innovation.isNaN ? 0 : regression[c] * innovation / scale
          row[c] = Float(min(max(move, -4), 4))
          sum[c] += row[c]
        }
      }
    }
  }
}
