import DaunceNumerics
package import DaunceState

/// What surrounds each cell of a grid, in a fixed order: on a grid with axes a box of odd extents around the cell,
/// offsets ascending with the last dimension fastest; where cells have places of their own the nearest ones, the cell
/// itself first.
///
/// On a closed axis windows go around. Beyond the end of a bounded one there is nothing: inputs are 0 there, and
/// ``edges`` tells how much of the window that is. Each place of the window is kept as runs of cells that lie one after
/// the other on both sides, so that a ring is two copies a place.
package final class Neighbourhood {
  /// Cells `target` and after it see those from `source` on; a source of -1 is nothing.
  struct Run: BitwiseCopyable {
    let target, source: Int
    var count: Int
  }

  /// Cells of the grid.
  package let cells: Int
  /// Places of the window.
  package let size: Int
  /// The place that is the cell itself.
  package let centre: Int
  /// For each bounded dimension how much of the window is beyond its end, in half-windows: negative at the first cells,
  /// positive at the last (`[dimension][cell]`).
  package let edges: [[Float]]
  private let runs: Workspace<Run>
  /// First run of each place (`[size + 1]`).
  private let starts: Workspace<Int>

  /// - Parameter width: cells of the window along each dimension, odd, or the number of nearest cells.
  package init(_ grid: Grid, geometry: Geometry, width: Int) {
    let shape = WindowShape(grid, geometry: geometry, width: width)
    (cells, size, centre) = (grid.cells, shape.size, shape.centre)
    edges = shape.bounded.map { shape.edge(of: grid, dimension: $0) }
    let sources = grid.places.isEmpty
      ? shape.box(in: grid) : Self.nearest(NearestCells(grid, geometry: geometry), grid, count: shape.size)
    var all: [Run] = []
    starts = Workspace(repeating: 0, count: size + 1)
    for (place, row) in sources.enumerated() {
      all += Self.runs(of: row)
      starts.start[place + 1] = all.count
    }
    runs = Workspace(repeating: Run(target: 0, source: 0, count: 0), count: all.count)
    runs.copy(from: all)
  }

  /// Every cell's nearest ones, place by place (`[place][cell]`).
  private static func nearest(_ nearest: NearestCells, _ grid: Grid, count: Int) -> [[Int]] {
    let lists = grid.places.map { nearest.cells(at: $0, count: count) }
    // A cell comes first even where another one is at the same place.
    let ordered = lists.enumerated().map { cell, list in [cell] + list.filter { $0 != cell }.prefix(count - 1) }
    return (0..<count).map { place in ordered.map { $0[place] } }
  }

  private static func runs(of sources: [Int]) -> [Run] {
    var runs: [Run] = []
    for (target, source) in sources.enumerated() {
      if let last = runs.last, source < 0 ? last.source < 0 : last.source >= 0 && last.source + last.count == source {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(target: target, source: source, count: 1))
      }
    }
    return runs
  }

  /// The runs of one place of the window.
  @inline(__always)
  func runs(of place: Int) -> UnsafeBufferPointer<Run> {
    let (first, end) = (starts.start[place], starts.start[place + 1])
    return UnsafeBufferPointer(start: runs.start + first, count: end - first)
  }

  /// Writes what each cell has at one place of its window; 0 where there is nothing (`[cell]` each).
  @inline(__always)
  package func copy(_ place: Int, from row: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
    for run in runs(of: place) {
      if run.source < 0 {
        (out + run.target).update(repeating: 0, count: run.count)
      } else {
        (out + run.target).update(from: row + run.source, count: run.count)
      }
    }
  }
}

/// The extents of windows on a grid.
struct WindowShape {
  /// Cells along each dimension, odd; none where cells have places of their own.
  let extents: [Int]
  /// Places of a window.
  let size: Int
  /// The place that is the cell itself.
  let centre: Int
  /// Numbers of the dimensions along which windows end at the grid's edge.
  let bounded: [Int]
  private let isClosed: [Bool]

  init(_ grid: Grid, geometry: Geometry, width: Int) {
    guard grid.places.isEmpty else {
      (extents, size, centre, bounded, isClosed) = ([], min(width, grid.cells), 0, [], [])
      return
    }
    let closed = grid.dimensions.map { $0.isClosed(in: geometry) }
    // Dimensions that are no direction have no neighbours, short ones fewer.
    let extents = grid.dimensions.map { $0.axis == nil ? 1 : min(width, $0.length - 1 + $0.length % 2) }
    (self.extents, isClosed) = (extents, closed)
    size = extents.reduce(1, *)
    centre = size / 2
    bounded = extents.indices.filter { extents[$0] > 1 && !closed[$0] }
  }

  /// The cells of every cell's window, -1 beyond an edge (`[place][cell]`).
  func box(in grid: Grid) -> [[Int]] {
    (0..<size).map { place in
      var offsets = [Int](repeating: 0, count: extents.count)
      var rest = place
      for d in extents.indices.reversed() {
        offsets[d] = rest % extents[d] - extents[d] / 2
        rest /= extents[d]
      }
      return (0..<grid.cells).map { neighbour(of: $0, offsets: offsets, in: grid) }
    }
  }

  private func neighbour(of cell: Int, offsets: [Int], in grid: Grid) -> Int {
    var (rest, stride, found) = (cell, 1, 0)
    for d in extents.indices.reversed() {
      let length = grid.dimensions[d].length
      var index = rest % length + offsets[d]
      if isClosed[d] { index = (index + length) % length }
      guard (0..<length).contains(index) else { return -1 }
      found += index * stride
      stride *= length
      rest /= length
    }
    return found
  }

  /// How much of the window is beyond the ends of a dimension; see `Neighbourhood.edges`.
  func edge(of grid: Grid, dimension d: Int) -> [Float] {
    let (length, half) = (grid.dimensions[d].length, extents[d] / 2)
    return grid.indices(along: d).map { index in
      Float(max(0, half - (length - 1 - index)) - max(0, half - index)) / Float(half)
    }
  }
}

extension Grid.Dimension {
  /// Whether the last cell's neighbour is the first one: on a periodic axis, unless the grid covers a part of it only.
  func isClosed(in geometry: Geometry) -> Bool {
    guard let axis, let period = geometry.axes[axis].period, length > 1 else { return false }
    let step = zip(coordinates, coordinates.dropFirst()).map { abs($1 - $0) }.max() ?? 0
    return abs(coordinates[length - 1] - coordinates[0]) + 1.5 * step >= period
  }
}

extension Grid {
  /// Index along dimension `d` of every cell.
  func indices(along d: Int) -> [Int] {
    let stride = dimensions.dropFirst(d + 1).reduce(1) { $0 * $1.length }
    return (0..<cells).map { $0 / stride % dimensions[d].length }
  }
}
