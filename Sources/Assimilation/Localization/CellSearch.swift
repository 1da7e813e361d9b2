internal import DaunceState

/// Elements one after the other in memory, with a localization weight each.
struct Run {
  /// First of them.
  let element: Int
  let count: Int
  /// Where their weights begin.
  let weight: Int
}

/// Finds the cells near a place, grid by grid, as runs with Gaspari-Cohn weights.
final class CellSearch {
  private struct Key: Hashable {
    let grid: Int
    let widths: [Double]
  }

  /// Gaspari-Cohn ends at two half-widths.
  static let support = 2.0

  let layout: StateLayout
  private var indices: [Key: PlaceIndex] = [:]
  private var candidates: [Int32] = []

  init(_ layout: StateLayout) {
    self.layout = layout
  }

  /// Appends the cells of grid `grid` near `place`, ascending, and their weights, all positive.
  func append(
    _ grid: Int, near place: Place, widths: [Double], to runs: inout [Run], weights: inout [Double]
  ) {
    let index = index(grid, widths)
    let at = index.metric.embed(place)
    index.candidates(low: at, high: at, into: &candidates)
    var builder = RunBuilder()
    for candidate in candidates {
      guard let weight = index.weight(at, Int(candidate)) else { continue }
      builder.add(Int(candidate), weight, to: &runs, weights: &weights)
    }
    builder.finish(&runs)
  }

  private func index(_ grid: Int, _ widths: [Double]) -> PlaceIndex {
    let key = Key(grid: grid, widths: widths)
    if let known = indices[key] { return known }
    let cells = layout.grids[grid]
    let made = PlaceIndex(
      (0..<cells.cells).map(cells.place(of:)), metric: Metric(layout.geometry, widths: widths), reach: Self.support)
    indices[key] = made
    return made
  }
}

extension PlaceIndex {
  /// Gaspari-Cohn weight between an embedded place and place number `k`; `nil` out of reach.
  func weight(_ at: SIMD4<Double>, _ k: Int) -> Double? {
    let squared = metric.squaredDistance(at, embedded[k])
    guard squared < CellSearch.support * CellSearch.support else { return nil }
    let weight = GaspariCohn.value(squared.squareRoot())
    return weight > 0 ? weight : nil
  }
}

/// Puts elements that come in ascending order together to runs.
struct RunBuilder {
  private var first = 0
  private var count = 0
  private var weight = 0

  mutating func add(_ element: Int, _ value: Double, to runs: inout [Run], weights: inout [Double]) {
    if count == 0 || element != first + count {
      finish(&runs)
      (first, weight) = (element, weights.count)
    }
    weights.append(value)
    count += 1
  }

  mutating func finish(_ runs: inout [Run]) {
    if count > 0 { runs.append(Run(element: first, count: count, weight: weight)) }
    count = 0
  }
}
