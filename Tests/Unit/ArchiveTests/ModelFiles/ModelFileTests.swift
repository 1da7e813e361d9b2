import DaunceArchive
import DaunceState
import Foundation
import Testing

/// A member's values, as an array.
func state(_ files: ModelFiles, member: Int) throws -> [Double] {
  var values = [Double](repeating: -1, count: files.layout.count)
  var span = values.mutableSpan
  try files.read(member: member, into: &span)
  return values
}

/// A model's file of the fixtures, read.
func model(_ name: String, _ change: (inout ModelFileOptions) -> Void = { _ in }) throws -> ModelFiles {
  var options = ModelFileOptions()
  change(&options)
  return try ModelFiles(paths: [fixture(name)], options: options)
}

let memberPaths = ["0", "1", "2"].map { "model-members/mem\($0)/restart.nc" }

func memberFiles(_ change: (inout ModelFileOptions) -> Void = { _ in }) throws -> ModelFiles {
  var options = ModelFileOptions()
  change(&options)
  return try ModelFiles(paths: memberPaths.map { try fixture($0) }, options: options)
}

/// What the fixtures' script writes for a field without missing values.
func expected(field: Int, member: Int, cells: Int) -> [Double] {
  (0..<cells).map { Double(100 * field + 10 * member) + Double($0) / 8 }
}

/// Equal, NaN at the same places.
func same(_ a: [Double], _ b: [Double]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
}

/// What is found in models' files, and the values in them.
@Suite struct ModelFileTests {
  @Test(arguments: ["model-classic.nc", "model-offset64.nc", "model-netcdf4.nc"])
  func oneFileWithAMemberDimension(name: String) throws {
    let files = try model(name)
    #expect(files.memberCount == 3)
    let layout = files.layout
    #expect(layout.geometry == Geometry(axes: [Axis(name: "x", units: "km"), Axis(name: "y", units: "m")]))
    let y = Grid.Dimension(name: "y", axis: 1, coordinates: [0, 10])
    let x = Grid.Dimension(name: "x", axis: 0, coordinates: [1, 2, 3, 4])
    #expect(layout.grids == [Grid([y, x])])
    // Whole numbers and what has no member are no state.
    #expect(
      layout.fields == [
        Field(name: "t", longName: "temperature", standardName: "air_temperature", units: "K", grid: 0),
        Field(name: "u", units: "m s-1", grid: 0),
      ])
    for member in [2, 0, 1] {
      var t = expected(field: 1, member: member, cells: 8)
      t[6] = .nan
      #expect(same(try state(files, member: member), t + expected(field: 2, member: member, cells: 8)))
    }
  }

  @Test func aFileForEachMember() throws {
    let files = try memberFiles { $0.bounds = ["q": .init(lower: 0)] }
    let layout = files.layout
    let axes = [
      Axis(name: "longitude", units: "degrees_east", period: 360), Axis(name: "latitude", units: "degrees_north"),
      Axis(name: "lev", units: "hPa"),
    ]
    #expect(layout.geometry == Geometry(axes: axes, sphereRadius: Geometry.earthRadius))
    let horizontal = [
      Grid.Dimension(name: "lat", axis: 1, coordinates: [60, 0, -60]),
      Grid.Dimension(name: "lon", axis: 0, coordinates: [0, 90, 180, 270]),
    ]
    let lev = Grid.Dimension(name: "lev", axis: 2, coordinates: [1000, 500])
    #expect(layout.grids == [Grid([lev] + horizontal), Grid(horizontal)])
    #expect(
      layout.fields == [
        Field(name: "q", units: "g kg-1", lowerBound: 0, grid: 0), Field(name: "ps", units: "Pa", grid: 1),
      ])
    for member in 0..<3 {
      var q = expected(field: 1, member: member, cells: 24)
      q[1] = .nan
      #expect(same(try state(files, member: member), q + expected(field: 2, member: member, cells: 12)))
    }
    // A parameter is one where it is asked for.
    let chosen = try memberFiles { $0.fields = ["alpha", "ps"] }
    #expect(chosen.layout.fields.map(\.name) == ["alpha", "ps"])
    #expect(chosen.layout.grid(0) == .point)
    #expect(try state(chosen, member: 2).first == 2.5)
  }

  @Test func curvilinearGridsListTheirPlaces() throws {
    let files = try model("model-ocean.nc")
    let layout = files.layout
    #expect(layout.geometry.axes.map(\.name) == ["longitude", "latitude", "depth"])
    #expect(layout.geometry.axes.map(\.period) == [360, nil, nil])
    #expect(layout.fields.map(\.name) == ["thetao", "zos"])
    let (deep, surface) = (layout.grid(0), layout.grid(1))
    #expect(deep.dimensions.map(\.name) == ["depth", "j", "i"] && deep.places.count == 12)
    #expect(deep.place(of: 4) == Place([12, 71, 5]) && deep.place(of: 10) == Place([12, 71, 50]))
    #expect(surface.places.count == 6 && surface.place(of: 1).coordinates[1] == 60)
    #expect(surface.place(of: 1).coordinates[2].isNaN)
    // Where coordinates are missing is no place.
    var thetao = expected(field: 1, member: 1, cells: 12)
    var zos = expected(field: 2, member: 1, cells: 6)
    (thetao[2], thetao[8], zos[2]) = (.nan, .nan, .nan)
    #expect(same(try state(files, member: 1), thetao + zos))
  }

  @Test func staggeredGridsShareAxes() throws {
    let files = try model("model-staggered.nc") {
      $0.directions = ["yv": "yc"]
      $0.periodic = ["x": nil as Double?, "yc": 7]
    }
    let layout = files.layout
    #expect(
      layout.geometry
        == Geometry(axes: [Axis(name: "x", units: "m", period: 4), Axis(name: "yc", units: "m", period: 7)]))
    #expect(layout.fields.map(\.name) == ["h", "u", "v"] && layout.grids.count == 3)
    let sides = (layout.grid(1).place(of: 5).coordinates, layout.grid(2).place(of: 5).coordinates)
    #expect(sides.0.x == 1 && sides.0.y == 1 && sides.1.x == 1.5 && sides.1.y == 1.5)
    #expect(try state(files, member: 2) == (1...3).flatMap { expected(field: $0, member: 2, cells: 8) })
    // Without the hint they are three directions.
    #expect(try model("model-staggered.nc").layout.geometry.axes.count == 3)
    let merged = try model("model-staggered.nc") { $0.directions = ["yv": "side", "yc": "side"] }
    #expect(merged.layout.geometry.axes.map(\.name) == ["x", "side"])
  }

  @Test func stationsAndParameters() throws {
    let files = try model("model-stations.nc")
    #expect(files.layout.grids.count == 1 && files.layout.grid(0).places.map(\.coordinates.x) == [350, 10, 20])
    #expect(try state(files, member: 1) == expected(field: 1, member: 1, cells: 3))
    let parameters = try model("model-parameters.nc")
    #expect(parameters.layout.geometry == .none && parameters.layout.grids == [.point])
    #expect(parameters.layout.fields.map(\.name) == ["a", "b"])
    #expect(try state(parameters, member: 2) == [120, 220])
  }

  @Test func unsignedPackedBytes() throws {
    let files = try model("model-bytes.nc")
    #expect(same(try state(files, member: 0), [1, 64.5, 65, .nan]))
    #expect(same(try state(files, member: 1), [.nan, 1.5, 2, 2.5]))
  }
}
