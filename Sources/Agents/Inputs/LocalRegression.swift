/// The ensemble's regressions of cells on what is observed near them: what a filter would move the mean of cell c by
/// for the observation at c + w alone is cov(x_c, x_{c+w}) / (var(x_{c+w}) + R) times the innovation there.
///
/// Agents that see these terms know the covariances of the day; how to add them up, where the observations of
/// neighbours say the same thing and a small ensemble's covariances are noise, is theirs to learn.
package final class LocalRegression {
  private let members: Int
  private let cells: Int
  /// Cells in the window, odd.
  private let window: Int
  private let errorVariance: Double
  /// Deviations from the mean, `[member][cell]`.
  private let deviations: Workspace<Double>

  /// - Parameter errorVariance: of the observations, in the variable's unit squared.
  package init(members: Int, cells: Int, window: Int, errorVariance: Double) {
    self.members = members
    self.cells = cells
    self.window = window
    self.errorVariance = errorVariance
    deviations = Workspace(repeating: 0, count: members * cells)
  }

  /// Writes the regression of every cell on every cell of its window (`[offset][cell]`). Sums run in the order of
  /// members.
  ///
  /// - Parameters:
  ///   - forecasts: of one variable, members `stride` apart.
  ///   - mean: their mean, `[cell]`.
  package func compute(
    into regressions: UnsafeMutablePointer<Double>, forecasts: UnsafePointer<Double>, stride: Int,
    mean: UnsafePointer<Double>
  ) {
    let half = window / 2
    let centre = regressions + half * cells
    for m in 0..<members {
      let (x, deviation) = (forecasts + m * stride, deviations.start + m * cells)
      for c in 0..<cells { deviation[c] = x[c] - mean[c] }
    }
    for offset in -half...half { sumProducts(into: regressions + (half + offset) * cells, offset: offset) }
    // The centre's sums are the variances that all offsets are divided by, so it comes last.
    let noise = errorVariance * Double(max(1, members - 1))
    for offset in -half...half where offset != 0 {
      let row = regressions + (half + offset) * cells
      for c in 0..<cells { row[c] /= centre[wrapped(c + offset)] + noise }
    }
    for c in 0..<cells { centre[c] /= centre[c] + noise }
  }

  /// Sums over members of the products of the deviations at c and at c + offset.
  private func sumProducts(into row: UnsafeMutablePointer<Double>, offset: Int) {
    let shift = wrapped(offset)
    for c in 0..<cells { row[c] = 0 }
    for m in 0..<members {
      let deviation = deviations.start + m * cells
      for c in 0..<cells - shift { row[c] += deviation[c] * deviation[c + shift] }
      for c in cells - shift..<cells { row[c] += deviation[c] * deviation[c + shift - cells] }
    }
  }

  /// Turns regressions into what the observation at every offset would move the mean by, in units of `scale`
  /// (`[input][cell]`, rows `stride` apart), and adds a row with their sum. 0 where the observation is missing (NaN).
  package static func fill(
    _ start: UnsafeMutablePointer<Float>, stride: Int, window: Int, cells: Int, regressions: UnsafePointer<Double>,
    observation: UnsafePointer<Double>, mean: UnsafePointer<Double>, scale: Double
  ) {
    let sum = start + window * stride
    for c in 0..<cells { sum[c] = 0 }
    for w in 0..<window {
      let (row, regression) = (start + w * stride, regressions + w * cells)
      let offset = w - window / 2
      for c in 0..<cells {
        var j = c + offset
        j += j < 0 ? cells : j >= cells ? -cells : 0
        let move = observation[j].isNaN ? 0 : regression[c] * (observation[j] - mean[j]) / scale
        row[c] = Float(min(max(move, -4), 4))
        sum[c] += row[c]
      }
    }
  }

  private func wrapped(_ cell: Int) -> Int { cell < 0 ? cell + cells : cell >= cells ? cell - cells : cell }
}
