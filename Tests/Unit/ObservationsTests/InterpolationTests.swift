import DaunceObservations
import DaunceState
import Testing

@Suite struct InterpolationTests {
  private let plane = Geometry(axes: [Axis(name: "x", period: 8), Axis(name: "y")])

  private func value(_ stencil: Stencil?, _ field: [Double]) -> Double? {
    guard let stencil else { return nil }
    return zip(stencil.cells, stencil.weights).reduce(0) { $0 + field[Int($1.0)] * $1.1 }
  }

  /// A linear field comes out exactly, and periodic axes are closed.
  @Test func bilinear() throws {
    let grid = Grid([
      .init(name: "y", axis: 1, coordinates: [3, 1, -2]),
      .init(name: "x", axis: 0, coordinates: [0, 2, 4, 6]),
    ])
    let field = (0..<12).map { 10 * [3.0, 1, -2][$0 / 4] + [0.0, 2, 4, 6][$0 % 4] }
    let interpolation = Interpolation(grid, geometry: plane)
    #expect(value(interpolation.stencil(at: Place([3, 2])), field) == 23)
    #expect(abs((value(interpolation.stencil(at: Place([5, -1])), field) ?? .nan) + 5) < 1e-14)
    // Between 6 and 8, which is 0 again.
    #expect(value(interpolation.stencil(at: Place([7, 1])), field) == 13)
    #expect(value(interpolation.stencil(at: Place([-1, 1])), field) == 13)
    #expect(interpolation.stencil(at: Place([3, 3.1])) == nil)
    #expect(interpolation.stencil(at: Place([3, .nan])) == nil)
  }

  /// Shares of a box of cells: all alike for an odd number, half at the ends for an even one, and between cells by
  /// what is covered. None where the box goes over the end of a bounded axis or around a closed one.
  @Test func boxes() {
    let ring = Interpolation(
      Grid([.init(name: "x", axis: 0, coordinates: [6, 4, 2, 0])]), geometry: plane)
    func box(_ x: Double, _ cells: Int) -> Stencil? { ring.stencil(at: Place([x]), footprint: cells) }
    #expect(box(6, 3) == Stencil(cells: [0, 1, 3], weights: [1.0 / 3, 1.0 / 3, 1.0 / 3]))
    #expect(box(2, 2) == Stencil(cells: [1, 2, 3], weights: [0.25, 0.5, 0.25]))
    #expect(box(7, 2) == Stencil(cells: [0, 3], weights: [0.5, 0.5]))
    #expect(box(7.5, 2) == Stencil(cells: [0, 2, 3], weights: [0.375, 0.125, 0.5]))
    #expect(box(0, 4) == Stencil(cells: [0, 1, 2, 3], weights: [0.25, 0.25, 0.25, 0.25]))
    #expect(box(0, 5) == nil && box(.nan, 3) == nil)
    let line = Interpolation(Grid([.init(name: "y", axis: 1, coordinates: [0, 1, 2])]), geometry: plane)
    #expect(line.stencil(at: Place([.nan, 1]), footprint: 3)?.weights == [1.0 / 3, 1.0 / 3, 1.0 / 3])
    #expect(line.stencil(at: Place([.nan, 0.9]), footprint: 3) == nil)
    #expect(line.stencil(at: Place([.nan, 0.9]), footprint: 1)?.cells == [0, 1])
  }

  @Test func listedPlaces() throws {
    let geometry = Geometry(axes: [Axis(name: "x")])
    let grid = Grid([.init(name: "station", length: 3)], places: [Place([0]), Place([1]), Place([3])])
    let interpolation = Interpolation(grid, geometry: geometry)
    #expect(interpolation.stencil(at: Place([1])) == Stencil(cells: [1], weights: [1]))
    let between = try #require(interpolation.stencil(at: Place([0.5])))
    #expect(abs(between.weights.reduce(0, +) - 1) < 1e-15 && between.weights[0] == between.weights[1])
  }

  /// Wind speed of a staggered grid by hand: u = 3 on its own points, v = 4 on its own.
  @Test func windSpeedOnAStaggeredGrid() throws {
    let geometry = Geometry(axes: [Axis(name: "x"), Axis(name: "y")])
    let u = Grid([.init(name: "y", axis: 1, coordinates: [0.5, 1.5]), .init(name: "xu", axis: 0, coordinates: [0, 1, 2])])
    let v = Grid([.init(name: "yv", axis: 1, coordinates: [0, 1, 2]), .init(name: "x", axis: 0, coordinates: [0.5, 1.5])])
    let layout = StateLayout(
      geometry: geometry, grids: [u, v], fields: [Field(name: "u", grid: 0), Field(name: "v", grid: 1)])
    var builder = RowBuilder(layout)
    let speed = ObservationOperator(fields: [0, 1], combination: .norm)
    var rows = ObservationRows()
    let found = builder.rows(of: speed, at: Place([0.75, 1.25]))
    rows.append(try #require(found), by: speed)
    // u = x + 10 y, v = y - x on their own points, both linear.
    var state = [Double](repeating: 0, count: 12)
    for j in 0..<2 { for i in 0..<3 { state[j * 3 + i] = Double(i) + 10 * (Double(j) + 0.5) } }
    for j in 0..<3 { for i in 0..<2 { state[6 + j * 2 + i] = Double(j) - (Double(i) + 0.5) } }
    let (a, b) = (0.75 + 12.5, 1.25 - 0.75)
    #expect(abs(rows.value(0, of: state.span) - (a * a + b * b).squareRoot()) < 1e-13)
  }

  @Test func columnTotals() throws {
    let geometry = Geometry(axes: [Axis(name: "x"), Axis(name: "z")])
    let grid = Grid([.init(name: "z", axis: 1, coordinates: [0, 1, 2]), .init(name: "x", axis: 0, coordinates: [0, 1])])
    let layout = StateLayout(geometry: geometry, grids: [grid], fields: [Field(name: "q")])
    var builder = RowBuilder(layout)
    let total = ObservationOperator(fields: [0], summed: ["z"])
    var rows = ObservationRows()
    let found = builder.rows(of: total, at: Place([0.25]))
    rows.append(try #require(found), by: total)
    #expect(abs(rows.value(0, of: [1.0, 2, 3, 4, 5, 6].span) - (0.75 * 9 + 0.25 * 12)) < 1e-14)
  }
}

@Suite struct GlobalInterpolationTests {
  private let sphere = Geometry(
    axes: [Axis(name: "longitude", period: 360), Axis(name: "latitude")], sphereRadius: Geometry.earthRadius)

  /// Over the date line, and from the last latitude to its mean at the pole.
  @Test func dateLineAndPole() throws {
    let grid = Grid([
      .init(name: "lat", axis: 1, coordinates: [-60, 0, 60]),
      .init(name: "lon", axis: 0, coordinates: [0, 90, 180, 270]),
    ])
    let interpolation = Interpolation(grid, geometry: sphere)
    let field: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    func value(_ place: [Double]) throws -> Double {
      let stencil = try #require(interpolation.stencil(at: Place(place)))
      return zip(stencil.cells, stencil.weights).reduce(0) { $0 + field[Int($1.0)] * $1.1 }
    }
    #expect(try value([-45, 0]) == 5.5)
    #expect(try value([315, 0]) == 5.5)
    #expect(abs(try value([10, 90]) - 9.5) < 1e-14)
    #expect(abs(try value([90, 75]) - 9.25) < 1e-14)
    #expect(abs(try value([180, -75]) - 1.75) < 1e-14)
  }
}
