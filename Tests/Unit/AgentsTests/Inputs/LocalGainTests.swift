import DaunceAgents
import DaunceState
import Testing

/// Three members on five cells, by hand. Mean (2, 0, 4, 1, 0); deviations of the members, cell by cell:
/// (-1, 0, 1), (2, 0, -2), (-1, 2, -1), (0, 0, 0), (1, -1, 0).
@Suite struct LocalGainTests {
  private let mean = [2.0, 0, 4, 1, 0]
  private let members = [[1.0, 2, 3, 1, 1], [2, 0, 6, 1, -1], [3, -2, 3, 1, 0]]
  /// Variances 1, 4, 3, 0, 1, and R = 1.
  private let variances = [1.0, 4, 3, 0, 1]
  /// Covariance of every cell with its right neighbour: (-2 - 2) / 2, (-2 + 2) / 2, 0, 0, (-1 + 0) / 2.
  private let neighbours = [-2.0, 0, 0, 0, -0.5]

  private let window: Neighbourhood = {
    let ring = StateLayout(ring: 5, length: 1, fields: [])
    return Neighbourhood(ring.grids[0], geometry: ring.geometry, width: 3)
  }()

  private func regressions(errorVariances: [Double] = [1, 1, 1, 1, 1]) -> [Double] {
    // Members lie seven apart, with what is not theirs between them.
    let forecasts: [Double] = members.flatMap { $0 + [99, 99] }
    var rows = [Double](repeating: .nan, count: 15)
    let regression = LocalGain(members: 3, window: window)
    // Twice: nothing of one cycle is left in the next.
    for _ in 0..<2 {
      regression.compute(
        into: &rows, forecasts: forecasts, stride: 7, mean: mean, errorVariances: errorVariances)
    }
    return rows
  }

  /// Every observation counts by its own error.
  @Test func errorsDifferFromCellToCell() {
    let errors = [0.5, 2, 1, 3, 7]
    let rows = regressions(errorVariances: errors)
    for c in 0..<5 {
      let (left, right) = ((c + 4) % 5, (c + 1) % 5)
      #expect(rows[c] == neighbours[left] / (variances[left] + errors[left]), "cell \(c) on its left neighbour")
      #expect(rows[5 + c] == variances[c] / (variances[c] + errors[c]), "cell \(c) on itself")
      #expect(rows[10 + c] == neighbours[c] / (variances[right] + errors[right]), "cell \(c) on its right neighbour")
    }
  }

  @Test func regressionsAreCovariancesOverTheNeighboursVarianceAndTheObservationsError() {
    let rows = regressions()
    for c in 0..<5 {
      let (left, right) = ((c + 4) % 5, (c + 1) % 5)
      #expect(rows[c] == neighbours[left] / (variances[left] + 1), "cell \(c) on its left neighbour")
      #expect(rows[5 + c] == variances[c] / (variances[c] + 1), "cell \(c) on itself")
      #expect(rows[10 + c] == neighbours[c] / (variances[right] + 1), "cell \(c) on its right neighbour")
    }
  }

  /// Innovations (1, missing, -2, 3, 4) in units of 0.5; rows of eight, what is beyond the fifth cell stays.
  @Test func inputsAreTheMovesOfTheMeanAndTheirSum() {
    let innovations = [1.0, .nan, -2, 3, 4]
    var tile = [Float](repeating: 7, count: 4 * 8)
    LocalGain.fill(
      &tile, stride: 8, window: window, regressions: regressions(), innovations: innovations, scale: 0.5)
    let left: [Float] = [-2, -2, 0, 0, 0]
    let own: [Float] = [1, 0, -3, 0, 4]
    let right: [Float] = [0, 0, 0, 0, -0.5]
    for c in 0..<5 {
      #expect(tile[c] == left[c], "left of cell \(c)")
      #expect(tile[8 + c] == own[c], "cell \(c)")
      #expect(tile[16 + c] == right[c], "right of cell \(c)")
      #expect(tile[24 + c] == left[c] + own[c] + right[c], "sum at cell \(c)")
    }
    for row in 0..<4 { #expect((5..<8).allSatisfy { tile[8 * row + $0] == 7 }) }
  }
}
