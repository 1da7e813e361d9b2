import DaunceObservations
package import DaunceState

/// The cells of a grid that are nearest to a place: along each dimension by itself, or by distance where cells have
/// places of their own. Axes along which a place is nowhere don't count.
package final class NearestCells {
  private let grid: Grid
  private let geometry: Geometry
  private let metric: Metric?
  /// Of wider and wider reach, made when they are needed.
  private var indices: [PlaceIndex] = []
  private var candidates: [Int32] = []

  package init(_ grid: Grid, geometry: Geometry) {
    (self.grid, self.geometry) = (grid, geometry)
    let ones = [Double](repeating: 1, count: geometry.directions)
    metric =
      grid.places.isEmpty
      ? nil : Metric(geometry, widths: Interpolation.typicalWidths(grid, geometry) ?? ones)
  }

  /// The nearest cell, of several the first one.
  package func cell(at place: Place) -> Int {
    guard grid.places.isEmpty else { return cells(at: place, count: 1)[0] }
    return grid.dimensions.reduce(0) { $0 * $1.length + index(along: $1, place) }
  }

  private func index(along dimension: Grid.Dimension, _ place: Place) -> Int {
    guard let axis = dimension.axis, place.coordinates[axis].isFinite else { return 0 }
    let period = geometry.axes[axis].period
    var (nearest, least) = (0, Double.infinity)
    for (index, x) in dimension.coordinates.enumerated() {
      var distance = abs(place.coordinates[axis] - x)
      if let period { distance = abs(distance - period * (distance / period).rounded()) }
      if distance < least { (nearest, least) = (index, distance) }
    }
    return nearest
  }

  /// The nearest cells of a grid whose cells have places of their own, nearest first, of equally near ones the first.
  ///
  /// - Parameter count: at most the number of cells.
  package func cells(at place: Place, count: Int) -> [Int] {
    guard let metric else { return [] }
    let at = metric.embed(place)
    for (step, reach) in [2, 8, 32, Double.infinity].enumerated() {
      if indices.count == step { indices.append(PlaceIndex(grid.places, metric: metric, reach: reach)) }
      indices[step].candidates(low: at, high: at, into: &candidates)
      let embedded = indices[step].embedded
      let found = candidates.map { (cell: Int($0), distance: metric.squaredDistance(at, embedded[Int($0)])) }
        .filter { $0.distance <= reach * reach }
      guard found.count < count else {
        return found.sorted { ($0.distance, $0.cell) < ($1.distance, $1.cell) }.prefix(count).map(\.cell)
      }
    }
    return []
  }
}
