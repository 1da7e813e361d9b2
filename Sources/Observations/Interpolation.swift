public import DaunceState

/// Weights with which the cells of one grid give the value at a place.
public struct Stencil: Sendable, Hashable {
  /// Cells, in ascending order of memory.
  public var cells: [Int32]
  /// Weights, whose sum is 1 (`[cells]`).
  public var weights: [Double]

  /// Cells and as many weights.
  public init(cells: [Int32] = [], weights: [Double] = []) {
    self.cells = cells
    self.weights = weights
  }
}

/// Multilinear interpolation on one grid, or between the nearest cells where cells have places of their own.
public struct Interpolation: Sendable {
  private let geometry: Geometry
  private let grid: Grid
  private let nearest: PlaceIndex?

  /// Interpolation between the cells of a grid whose axes are those of `geometry`.
  public init(_ grid: Grid, geometry: Geometry) {
    self.grid = grid
    self.geometry = geometry
    if grid.places.isEmpty {
      nearest = nil
    } else {
      let ones = [Double](repeating: 1, count: geometry.directions)
      let metric = Metric(geometry, widths: Self.typicalWidths(grid, geometry) ?? ones)
      nearest = PlaceIndex(grid.places, metric: metric, reach: 4)
    }
  }

  /// Rough distance between neighbouring places in each direction.
  package static func typicalWidths(_ grid: Grid, _ geometry: Geometry) -> [Double]? {
    var low = SIMD3<Double>(repeating: .infinity)
    var high = SIMD3<Double>(repeating: -.infinity)
    for place in grid.places {
      low = low.replacing(with: place.coordinates, where: place.coordinates .< low)
      high = high.replacing(with: place.coordinates, where: place.coordinates .> high)
    }
    let extent = high - low
    let used = geometry.axes.indices.filter { extent[$0] > 0 && extent[$0].isFinite }
    guard !used.isEmpty else { return nil }
    let perAxis = Double(grid.cells)
    let root = used.count == 1 ? perAxis : used.count == 2 ? perAxis.squareRoot() : Self.cubeRoot(perAxis)
    func width(_ axis: Int) -> Double { extent[axis] > 0 && extent[axis].isFinite ? extent[axis] / root : 1 }
    guard let radius = geometry.sphereRadius else { return geometry.axes.indices.map(width) }
    let horizontal = max(width(0), width(1)) * .pi / 180 * radius
    return [horizontal] + (geometry.axes.count > 2 ? [width(2)] : [])
  }

  private static func cubeRoot(_ x: Double) -> Double {
    var root = max(1, x.squareRoot())
    for _ in 0..<60 { root -= (root - x / (root * root)) / 3 }
    return root
  }

  /// The stencil at `place`, or `nil` outside the grid.
  ///
  /// Along a bounded axis a place has to lie between the first and the last coordinate; along a periodic one it is
  /// wrapped. Beyond the last latitude of a grid that goes around the globe, values are interpolated to the mean of that
  /// latitude at the pole. Along a dimension that is no axis of space, the grid must have a single cell.
  public func stencil(at place: Place) -> Stencil? {
    if let nearest { return nearestCells(place, nearest) }
    if let (share, latitude) = polarShare(place) {
      // The mean of the last latitude at the pole, and that latitude itself.
      var onRow = place
      onRow.coordinates[1] = latitude
      guard let row = product(onRow, acrossLongitudes: false), let pole = product(onRow, acrossLongitudes: true) else {
        return nil
      }
      let cells = zip(row.cells, row.weights).map { (Int($0), $1 * (1 - share)) }
      return Self.collected(cells + zip(pole.cells, pole.weights).map { (Int($0), $1 * share) })
    }
    return product(place, acrossLongitudes: false)
  }

  /// The mean over a box around `place` that is `footprint` cells long along each dimension that is along an axis, or
  /// over all of a dimension of a single cell; with 1 the value at the place.
  ///
  /// Each cell's weight is its share of the box: around a cell all of an odd number of cells have the same, and of an
  /// even number the two cells at the ends have half of it. Cells count alike whatever their size. `nil` where the box
  /// does not lie in the grid or is longer than a closed axis, and where cells have places of their own.
  public func stencil(at place: Place, footprint: Int) -> Stencil? {
    guard footprint > 1 else { return stencil(at: place) }
    guard nearest == nil else { return nil }
    var parts: [[(index: Int, weight: Double)]] = []
    for dimension in grid.dimensions {
      guard let axis = dimension.axis, dimension.length > 1 else {
        guard dimension.length == 1 else { return nil }
        parts.append([(0, 1)])
        continue
      }
      let x = place.coordinates[axis]
      guard x.isFinite, let box = box(around: x, dimension, cells: footprint) else { return nil }
      parts.append(box)
    }
    return product(parts)
  }

  /// The cells of a dimension that a box of some cells' length around `value` covers, with their shares of it.
  private func box(
    around value: Double, _ dimension: Grid.Dimension, cells: Int
  ) -> [(index: Int, weight: Double)]? {
    let n = dimension.length
    guard cells <= n, let pair = bracket(value, dimension), let low = pair.first, let high = pair.last else {
      return nil
    }
    // Place in cells: between the last cell and the first one it is beyond the last, or before the first.
    let step = high.index == low.index + 1 ? 1.0 : high.index == 0 ? 1 : -1
    let exact = Double(low.index) + step * high.weight
    // On a cell or half way between two where it is so but for rounding.
    let halves = (2 * exact).rounded() / 2
    let position = abs(exact - halves) < 1e-9 ? halves : exact
    let (start, end) = (position - Double(cells) / 2, position + Double(cells) / 2)
    let covered = Int((start + 0.5).rounded(.down))...Int((end + 0.5).rounded(.up)) - 1
    if covered.lowerBound < 0 || covered.upperBound >= n, !isClosed(dimension) { return nil }
    return covered.map { cell in
      let share = min(end, Double(cell) + 0.5) - max(start, Double(cell) - 0.5)
      return ((cell + n) % n, share / Double(cells))
    }
  }

  /// Whether the last cell's neighbour is the first one.
  private func isClosed(_ dimension: Grid.Dimension) -> Bool {
    guard let axis = dimension.axis, let period = geometry.axes[axis].period else { return false }
    let x = dimension.coordinates
    return period - abs(x[x.count - 1] - x[0]) <= 1.5 * Self.largestStep(x)
  }

  /// How far a place beyond the last latitude of a global grid is on its way to the pole, and that latitude.
  private func polarShare(_ place: Place) -> (share: Double, latitude: Double)? {
    guard geometry.sphereRadius != nil, let rows = grid.dimensions.first(where: { $0.axis == 1 }), rows.length > 1,
      let columns = grid.dimensions.first(where: { $0.axis == 0 }), columns.length > 1
    else { return nil }
    let y = place.coordinates[1]
    let (low, high) = (min(rows.coordinates[0], rows.coordinates[rows.length - 1]),
      max(rows.coordinates[0], rows.coordinates[rows.length - 1]))
    let around = abs(columns.coordinates[columns.length - 1] - columns.coordinates[0])
    guard abs(y) <= 90, y < low || y > high, around + 1.5 * Self.largestStep(columns.coordinates) >= 360 else {
      return nil
    }
    let (edge, pole) = y > high ? (high, 90.0) : (low, -90.0)
    guard abs(pole - edge) <= 1.5 * Self.largestStep(rows.coordinates) else { return nil }
    return ((y - edge) / (pole - edge), edge)
  }

  /// The stencil on a grid of dimensions; with `acrossLongitudes` the mean over all longitudes.
  private func product(_ place: Place, acrossLongitudes: Bool) -> Stencil? {
    var parts: [[(index: Int, weight: Double)]] = []
    for dimension in grid.dimensions {
      if acrossLongitudes, dimension.axis == 0 {
        parts.append((0..<dimension.length).map { ($0, 1 / Double(dimension.length)) })
        continue
      }
      guard let axis = dimension.axis else {
        guard dimension.length == 1 else { return nil }
        parts.append([(0, 1)])
        continue
      }
      guard place.coordinates[axis].isFinite || dimension.length == 1 else { return nil }
      guard let pair = bracket(place.coordinates[axis], dimension) else { return nil }
      parts.append(pair)
    }
    return product(parts)
  }

  /// The stencil of all combinations of indices, one set of them a dimension.
  private func product(_ parts: [[(index: Int, weight: Double)]]) -> Stencil {
    var cells: [(Int, Double)] = [(0, 1)]
    for (part, dimension) in zip(parts, grid.dimensions) {
      cells = cells.flatMap { cell, weight in
        part.map { (cell * dimension.length + $0.index, weight * $0.weight) }
      }
    }
    return Self.collected(cells)
  }

  private static func collected(_ cells: [(Int, Double)]) -> Stencil {
    var stencil = Stencil()
    for (cell, weight) in cells.sorted(by: { $0.0 < $1.0 }) where weight != 0 {
      if let last = stencil.cells.last, last == Int32(cell) {
        stencil.weights[stencil.weights.count - 1] += weight
      } else {
        stencil.cells.append(Int32(cell))
        stencil.weights.append(weight)
      }
    }
    return stencil
  }

  /// Cells on both sides of `value` along a dimension, with their weights.
  private func bracket(_ value: Double, _ dimension: Grid.Dimension) -> [(index: Int, weight: Double)]? {
    let x = dimension.coordinates
    let n = x.count
    if n == 1 { return [(0, 1)] }
    var value = value
    let isAscending = x[n - 1] > x[0]
    let period = dimension.axis.flatMap { geometry.axes[$0].period }
    let (low, high) = isAscending ? (x[0], x[n - 1]) : (x[n - 1], x[0])
    if let period {
      value -= period * ((value - low) / period).rounded(.down)
      if value > high {
        let gap = low + period - high
        // A grid that covers a part of the circle only has no cell beyond its end.
        guard gap <= 1.5 * Self.largestStep(x) else { return nil }
        let t = gap > 0 ? (value - high) / gap : 0
        let (end, start) = isAscending ? (n - 1, 0) : (0, n - 1)
        return [(end, 1 - t), (start, t)]
      }
    } else if value < low || value > high {
      // Coordinates that differ by rounding only are the same.
      let slack = 1e-9 * (high - low)
      guard value >= low - slack, value <= high + slack else { return nil }
      value = min(max(value, low), high)
    }
    var (a, b) = (0, n - 1)
    while b - a > 1 {
      let middle = (a + b) / 2
      if (x[middle] <= value) == isAscending { a = middle } else { b = middle }
    }
    let t = (value - x[a]) / (x[b] - x[a])
    return [(a, 1 - t), (b, t)]
  }

  private static func largestStep(_ x: [Double]) -> Double {
    var step = 0.0
    for k in 1..<x.count { step = max(step, abs(x[k] - x[k - 1])) }
    return step
  }

  /// Inverse-distance weights of the three nearest cells; a cell at the very place has all of the weight.
  private func nearestCells(_ place: Place, _ index: PlaceIndex) -> Stencil? {
    let at = index.metric.embed(place)
    var candidates: [Int32] = []
    index.candidates(low: at, high: at, into: &candidates)
    var best: [(cell: Int, distance: Double)] = []
    for candidate in candidates {
      let distance = index.metric.squaredDistance(at, index.embedded[Int(candidate)]).squareRoot()
      guard distance <= index.reach else { continue }
      let position = best.firstIndex { distance < $0.distance } ?? best.count
      if position < 3 { best.insert((Int(candidate), distance), at: position) }
      if best.count > 3 { best.removeLast() }
    }
    guard let first = best.first else { return nil }
    if first.distance < 1e-9 { return Stencil(cells: [Int32(first.cell)], weights: [1]) }
    let total = best.reduce(0) { $0 + 1 / $1.distance }
    return Self.collected(best.map { ($0.cell, 1 / $0.distance / total) })
  }
}
