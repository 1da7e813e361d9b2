internal import DaunceState

/// Localization weights between the cells of two grids, W: the rows for columns of a covariance, blocks of
/// diagonals for products.
struct CellWeights {
  /// Cells of the second grid in reach of a cell of the first, cell by cell, and the first run of each (`[cell + 1]`).
  let runs: [Run]
  let starts: [Int]
  /// With room for a vector behind the last.
  let weights: [Double]

  /// A vector of rows, each with one of as many consecutive cells from `column` on, and zeros for pairs out of reach:
  /// part of a diagonal.
  private struct Block {
    let weights: SIMD8<Double>
    let column: Int
  }
  /// Of the first vector of rows, then of the second, ..., and the first block of each (`[vector + 1]`).
  private let blocks: [Block]
  private let blockStarts: [Int]
  /// Of the second grid where all weights are 1.
  private let cells: Int?

  /// - Parameters: numbers of the grids in the layout; a reach that is not `off`.
  init(_ first: Int, _ second: Int, _ reach: DistanceLocalization.Reach, search: CellSearch) {
    let (rows, columns) = (search.layout.grids[first], search.layout.grids[second].cells)
    guard case .within(let widths) = reach else {
      runs = [Run](repeating: Run(element: 0, count: columns, weight: 0), count: rows.cells)
      starts = Array(0...rows.cells)
      weights = [Double](repeating: 1, count: columns + EnsembleAnomalies.padding)
      (blocks, blockStarts, cells) = ([], [], columns)
      return
    }
    var runs: [Run] = []
    var weights: [Double] = []
    starts = [0] + (0..<rows.cells).map { cell in
      search.append(second, near: rows.place(of: cell), widths: widths, to: &runs, weights: &weights)
      return runs.count
    }
    (blocks, blockStarts) = Self.blocks(runs, starts, weights)
    weights += [Double](repeating: 0, count: EnsembleAnomalies.padding)
    (self.runs, self.weights, cells) = (runs, weights, nil)
  }

  /// On grids of equal spacing, and along the last dimension of any, neighbours of neighbours are neighbours: blocks are
  /// full but at edges.
  private static func blocks(_ runs: [Run], _ starts: [Int], _ weights: [Double]) -> ([Block], [Int]) {
    var blocks: [Block] = []
    var blockStarts = [0]
    let rows = starts.count - 1
    for first in stride(from: 0, to: rows, by: EnsembleAnomalies.padding) {
      var parts: [Int: SIMD8<Double>] = [:]
      for row in first..<min(rows, first + EnsembleAnomalies.padding) {
        for run in runs[starts[row]..<starts[row + 1]] {
          for i in 0..<run.count {
            parts[run.element + i - (row - first), default: .zero][row - first] = weights[run.weight + i]
          }
        }
      }
      for (column, weights) in parts.sorted(by: { $0.key < $1.key }) {
        blocks.append(Block(weights: weights, column: column))
      }
      blockStarts.append(blocks.count)
    }
    return (blocks, blockStarts)
  }

  /// Adds W z to `product` for two vectors z and two products, each `stride` behind the other (`[cell]` of the second
  /// and of the first grid): two at a time keep the processor busy while sums wait for each other.
  ///
  /// - Parameters: with room for a vector of numbers before and behind `z`, and behind `product`.
  @inline(__always)
  func addProducts(_ z: UnsafePointer<Double>, to product: UnsafeMutablePointer<Double>, stride: Int) {
    if let cells {
      for start in Swift.stride(from: 0, through: stride, by: stride) {
        var sum = 0.0
        for j in 0..<cells { sum += z[start &+ j] }
        for i in 0..<starts.count - 1 { product[start &+ i] += sum }
      }
      return
    }
    blocks.withUnsafeBufferPointer { blocks in
      blockStarts.withUnsafeBufferPointer { blockStarts in
        for vector in 0..<blockStarts.count - 1 {
          var (one, two) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
          for b in blockStarts[vector]..<blockStarts[vector &+ 1] {
            let (weights, source) = (blocks[b].weights, UnsafeRawPointer(z + blocks[b].column))
            one += weights * source.loadUnaligned(as: SIMD8<Double>.self)
            two += weights * (source + stride &* 8).loadUnaligned(as: SIMD8<Double>.self)
          }
          let place = product + vector &* EnsembleAnomalies.padding
          Self.add(one, to: place)
          Self.add(two, to: place + stride)
        }
      }
    }
  }

  @inline(__always)
  private static func add(_ sum: SIMD8<Double>, to product: UnsafeMutablePointer<Double>) {
    let place = UnsafeMutableRawPointer(product)
    place.storeBytes(of: place.loadUnaligned(as: SIMD8<Double>.self) + sum, as: SIMD8<Double>.self)
  }
}
