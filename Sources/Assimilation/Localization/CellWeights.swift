internal import DaunceState

/// Localization weights between the cells of two grids, W: the rows for columns of a covariance, the diagonals for
/// products.
struct CellWeights {
  /// Cells of the second grid in reach of a cell of the first, cell by cell, and the first run of each (`[cell + 1]`).
  let runs: [Run]
  let starts: [Int]
  /// With room for a vector behind the last.
  let weights: [Double]

  /// Consecutive entries W(i, j), W(i + 1, j + 1), ... of a diagonal.
  private struct Diagonal {
    let row: Int
    let column: Int
    let count: Int
    let weight: Int
  }
  private let diagonals: [Diagonal]
  private let diagonalWeights: [Double]
  /// Of the second grid where all weights are 1.
  private let cells: Int?

  /// - Parameters: numbers of the grids in the layout; a reach that is not `off`.
  init(_ first: Int, _ second: Int, _ reach: DistanceLocalization.Reach, search: CellSearch) {
    let (rows, columns) = (search.layout.grids[first], search.layout.grids[second].cells)
    guard case .within(let widths) = reach else {
      runs = [Run](repeating: Run(element: 0, count: columns, weight: 0), count: rows.cells)
      starts = Array(0...rows.cells)
      weights = [Double](repeating: 1, count: columns + EnsembleAnomalies.padding)
      (diagonals, diagonalWeights, cells) = ([], [], columns)
      return
    }
    var runs: [Run] = []
    var weights: [Double] = []
    starts = [0] + (0..<rows.cells).map { cell in
      search.append(second, near: rows.place(of: cell), widths: widths, to: &runs, weights: &weights)
      return runs.count
    }
    (diagonals, diagonalWeights) = Self.diagonals(runs, starts, weights)
    weights += [Double](repeating: 0, count: EnsembleAnomalies.padding)
    (self.runs, self.weights, cells) = (runs, weights, nil)
  }

  /// On grids of equal spacing, and along the last dimension of any, neighbours of neighbours are neighbours: diagonals
  /// are long.
  private static func diagonals(
    _ runs: [Run], _ starts: [Int], _ weights: [Double]
  ) -> ([Diagonal], [Double]) {
    var entries: [(diagonal: Int, row: Int, weight: Double)] = []
    entries.reserveCapacity(weights.count)
    for row in 0..<starts.count - 1 {
      for run in runs[starts[row]..<starts[row + 1]] {
        for i in 0..<run.count { entries.append((run.element + i - row, row, weights[run.weight + i])) }
      }
    }
    entries.sort { ($0.diagonal, $0.row) < ($1.diagonal, $1.row) }
    var found: [Diagonal] = []
    var first = 0
    for k in entries.indices {
      let isLast = k + 1 == entries.count
      if !isLast, entries[k + 1].diagonal == entries[k].diagonal, entries[k + 1].row == entries[k].row + 1 { continue }
      let start = entries[first]
      found.append(
        Diagonal(row: start.row, column: start.row + start.diagonal, count: k + 1 - first, weight: first))
      first = k + 1
    }
    return (found, entries.map(\.weight))
  }

  /// Adds W z to `product` (`[cell]` of the second and of the first grid).
  @inline(__always)
  func addProduct(_ z: UnsafePointer<Double>, to product: UnsafeMutablePointer<Double>) {
    if let cells {
      var sum = 0.0
      for j in 0..<cells { sum += z[j] }
      for i in 0..<starts.count - 1 { product[i] += sum }
      return
    }
    diagonals.withUnsafeBufferPointer { diagonals in
      diagonalWeights.withUnsafeBufferPointer { weights in
        for diagonal in diagonals {
          let (i, j, w) = (diagonal.row, diagonal.column, diagonal.weight)
          for k in 0..<diagonal.count { product[i &+ k] += weights[w &+ k] * z[j &+ k] }
        }
      }
    }
  }
}
