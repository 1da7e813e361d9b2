import DaunceAgents
import DaunceNumerics
import DaunceState
import Testing

private func line(_ n: Int, name: String = "x", axis: Int = 0, step: Double = 1) -> Grid.Dimension {
  Grid.Dimension(name: name, axis: axis, coordinates: (0..<n).map { Double($0) * step })
}

/// What every cell sees of a row that has each cell's number plus one: `[place][cell]`, 0 for nothing.
private func seen(_ window: Neighbourhood) -> [[Int]] {
  let row = (0..<window.cells).map { Float($0 + 1) }
  return (0..<window.size).map { place in
    var out = [Float](repeating: -1, count: window.cells)
    window.copy(place, from: row, to: &out)
    return out.map { Int($0) }
  }
}

@Suite struct NeighbourhoodTests {
  @Test(arguments: [(8, 3), (9, 9), (8, 7), (64, 5)])
  func aRingIsRotated(cells: Int, width: Int) {
    let layout = StateLayout(ring: cells, length: 3, fields: [])
    let window = Neighbourhood(layout.grids[0], geometry: layout.geometry, width: width)
    let rows = seen(window)
    #expect(window.size == width && window.centre == width / 2 && window.edges.isEmpty)
    for (place, row) in rows.enumerated() {
      let offset = place - width / 2
      #expect(row == (0..<cells).map { ($0 + offset + cells) % cells + 1 }, "offset \(offset)")
    }
  }

  /// Nothing is beyond the ends of a bounded axis, and an input says how much of the window that is.
  @Test func aBoundedAxisEnds() {
    let window = Neighbourhood(Grid([line(6)]), geometry: Geometry(axes: [Axis(name: "x")]), width: 5)
    #expect(
      seen(window) == [
        [0, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 0], [3, 4, 5, 6, 0, 0],
      ])
    #expect(window.edges == [[-1, -0.5, 0, 0, 0.5, 1]])
  }

  /// A third of a circle has ends, all of it has none.
  @Test(arguments: [(12, true), (4, false)])
  func aPeriodicAxisClosesWhereTheGridGoesAround(cells: Int, isClosed: Bool) {
    let geometry = Geometry(axes: [Axis(name: "longitude", period: 360)])
    let window = Neighbourhood(Grid([line(cells, step: 30)]), geometry: geometry, width: 3)
    #expect(seen(window)[0][0] == (isClosed ? cells : 0))
    #expect(window.edges.isEmpty == isClosed)
  }

  /// A channel, closed along x and bounded along y: three by three cells, y slowest.
  @Test func aPlaneHasABox() {
    let geometry = Geometry(axes: [Axis(name: "x", period: 4), Axis(name: "y")])
    let grid = Grid([line(3, name: "y", axis: 1), line(4)])
    let window = Neighbourhood(grid, geometry: geometry, width: 3)
    let rows = seen(window)
    #expect(window.size == 9 && window.centre == 4)
    for j in 0..<3 {
      for i in 0..<4 {
        for (place, offset) in (-1...1).flatMap({ dy in (-1...1).map { (dy, $0) } }).enumerated() {
          let (y, x) = (j + offset.0, (i + offset.1 + 4) % 4)
          #expect(rows[place][4 * j + i] == ((0..<3).contains(y) ? 4 * y + x + 1 : 0), "cell \(i) \(j) at \(offset)")
        }
      }
    }
    #expect(window.edges == [[-1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1]])
  }

  /// Dimensions that are too short have smaller windows, those that are no direction none.
  @Test func shortDimensionsHaveSmallWindows() {
    let grid = Grid([.init(name: "type", length: 2), line(2, name: "z", axis: 0), line(3, name: "x", axis: 1)])
    let geometry = Geometry(axes: [Axis(name: "z"), Axis(name: "x")])
    let window = Neighbourhood(grid, geometry: geometry, width: 5)
    #expect(window.size == 3 && window.edges.count == 1)
    #expect(seen(window)[0] == [0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11])
  }

  /// Scattered places: the cell itself and then the nearest, against all distances.
  @Test func scatteredPlacesHaveTheirNearest() {
    let stream = RandomStream(seed: 4, purpose: .test)
    let places = (0..<70).map { Place([stream.uniform(at: 2 * $0), stream.uniform(at: 2 * $0 + 1)]) }
    // The last two are far from the others, and at the same place.
    let all = places + [Place([40, 40]), Place([40, 40])]
    let grid = Grid([.init(name: "station", length: all.count)], places: all)
    let geometry = Geometry(axes: [Axis(name: "x"), Axis(name: "y")])
    let window = Neighbourhood(grid, geometry: geometry, width: 7)
    let rows = seen(window)
    #expect(window.size == 7 && window.centre == 0 && window.edges.isEmpty)
    for cell in all.indices {
      func distance(_ other: Int) -> Double {
        let d = all[cell].coordinates - all[other].coordinates
        return d[0] * d[0] + d[1] * d[1]
      }
      let expected = [cell] + all.indices.filter { $0 != cell }.sorted { (distance($0), $0) < (distance($1), $1) }
      #expect(rows.map { $0[cell] - 1 } == Array(expected.prefix(7)), "cell \(cell)")
    }
  }
}

@Suite struct NearestCellsTests {
  /// Along each axis by itself, around periodic ones; nowhere along an axis does not count.
  @Test func cellsOfAGridAreFoundAlongItsAxes() {
    let geometry = Geometry(axes: [Axis(name: "x", period: 360), Axis(name: "y")])
    let grid = Grid([line(3, name: "y", axis: 1), line(12, step: 30)])
    let nearest = NearestCells(grid, geometry: geometry)
    #expect(nearest.cell(at: Place([44, 1.6])) == 2 * 12 + 1)
    #expect(nearest.cell(at: Place([-14, -7])) == 0)
    #expect(nearest.cell(at: Place([-16, 0.4])) == 11)
    #expect(nearest.cell(at: Place([61])) == 2)
  }

  /// A state of two grids, as agents on the second one see it.
  @Test func fieldsOfOtherGridsAreSeenAtTheNearestCell() {
    let geometry = Geometry(axes: [Axis(name: "x")])
    let layout = StateLayout(
      geometry: geometry, grids: [Grid([line(3, step: 2)]), Grid([line(4, step: 1.5)])],
      fields: [Field(name: "u", grid: 0), Field(name: "p", grid: 1)])
    let grid = AgentGrid(layout, grid: 1, window: 3)
    let settings = AgentSettings(
      base: .coarseStep, inputs: .member, target: .truth, draws: .independent, bounds: .truncated, controls: [1],
      observed: [.init(field: 0, of: layout, errorVariance: 1)], window: 3, hidden: [2])
    let features = Features(settings: settings, base: Still(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    // x = 0, 1.5, 3, 4.5 are nearest to 0, 2, 2 (of 2 and 4, equally far, the first), 4.
    let rows = inputs(features, observed, forecast: [10, 20, 30, 1, 2, 3, 4])
    #expect(rows[0] == [10, 20, 20, 30].map { Float($0 / 1.5) })
    #expect(rows[2] == [1, 2, 3, 4].map { Float($0 * (1 / 1.5)) })
  }
}
