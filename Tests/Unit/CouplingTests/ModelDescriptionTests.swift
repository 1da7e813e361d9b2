import DaunceCoupling
import DaunceModels
import DaunceSettings
import DaunceState
import Testing

/// What a user's model says of itself.
@Suite struct ModelDescriptionTests {
  private static let staggered = """
    name: ocean
    time_step: 0.5
    hours: 24
    spinup: 100
    axes:
      - {name: y, units: km, period: 640}
      - {name: x, units: km}
    dimensions:
      - {name: y, length: 3, from: 10}
      - {name: x, coordinates: [0, 1, 4, 9]}
      - {name: xu, axis: x, length: 5, from: -0.5, spacing: 2}
      - {name: lat, axis: y, length: 2, array: latitudes}
      - {name: station, length: 2}
    grids:
      - {name: centre, dimensions: [y, x]}
      - {name: face, dimensions: [y, xu]}
      - {name: stations, dimensions: [station], places: stations}
      - {name: lines, dimensions: [lat]}
      - {name: one}
    fields:
      - {name: h, long_name: depth, standard_name: sea_floor_depth, units: m, reference: 100, scale: 5, lower: 0, upper: 200}
      - {name: u, grid: face}
      - {name: drag, grid: one}
    observed:
      - {name: level, grid: stations, scale: 2}
      - {name: mean, grid: lines}
    invariants:
      - {name: volume, fields: [h]}
      - {name: momentum, fields: [h, u], weights: momentum}
    observing: {field: u, sd: 0.5, law: laplace, interval: 4}
    parameters: {depth: 100, name: "a b", list: [1, 2.5]}
    """

  private static func described(_ yaml: String) throws -> ModelDescription {
    let description = try ModelDescription(yaml: yaml, source: "model")
    try description.validate(source: .file("model"))
    return description
  }

  private static func arrays(_ name: String, _ count: Int) -> [Double] {
    switch name {
    case "latitudes": [3, 1]
    case "stations": [0, 5, 1, 6]
    default: (0..<count).map(Double.init)
    }
  }

  @Test func fieldsLieOnTheirGrids() throws {
    let description = try Self.described(Self.staggered)
    let layout = try description.makeLayout(of: "model", arrays: Self.arrays)
    #expect(layout.fields.map(\.name) == ["h", "u", "drag", "level", "mean"])
    #expect(layout.offsets == [0, 12, 27, 28, 30, 32])
    #expect(layout.fields[0].reference == 100 && layout.fields[0].upperBound == 200 && layout.fields[0].longName == "depth")
    #expect(layout.fields[1].longName == "u" && layout.fields[1].lowerBound == nil)
    #expect(layout.geometry.axes == [Axis(name: "y", units: "km", period: 640), Axis(name: "x", units: "km")])
    // A period over the length is the spacing where there is none, and coordinates may be listed.
    let place = layout.place(of: 6)
    #expect(place.coordinates[0] == 10 + 640.0 / 3 && place.coordinates[1] == 4)
    #expect(layout.place(of: 12 + 7).coordinates[1] == 3.5)
    #expect(layout.place(of: 27).coordinates[0].isNaN)
    #expect(layout.place(of: 29).coordinates[0] == 1 && layout.place(of: 29).coordinates[1] == 6)
    #expect(layout.place(of: 30).coordinates[0] == 3 && layout.place(of: 30).coordinates[1].isNaN)
  }

  @Test func invariantsAreWeightedSums() throws {
    let description = try Self.described(Self.staggered)
    let layout = try description.makeLayout(of: "model", arrays: Self.arrays)
    let invariants = try description.makeInvariants(in: layout, arrays: Self.arrays)
    #expect(invariants.map(\.name) == ["volume", "momentum"])
    #expect(invariants[0].coefficients == [Double](repeating: 1.0 / 12, count: 12) + [Double](repeating: 0, count: 20))
    #expect(invariants[1].coefficients == (0..<27).map(Double.init) + [Double](repeating: 0, count: 5))
  }

  @Test func observingHasDefaults() throws {
    let description = try Self.described(Self.staggered)
    let layout = try description.makeLayout(of: "model", arrays: Self.arrays)
    #expect(description.makeObserving(in: layout) == ObservingSystem(variable: 1, errorVariance: 0.25, law: .laplace, stepsBetween: 4))
    let little = try Self.described("{time_step: 1, fields: [{name: a, scale: 20}]}")
    let point = try little.makeLayout(of: "model", arrays: Self.arrays)
    #expect(point.count == 1 && point.geometry == .none)
    #expect(little.makeObserving(in: point) == ObservingSystem(variable: 0, errorVariance: 4, law: .gaussian, stepsBetween: 1))
  }

  @Test func parametersAreLines() throws {
    let table = try Self.described(Self.staggered).parameters
    #expect(table.lines == "depth = 100\nname = a b\nlist = 1, 2.5\n")
    #expect(table["list"] == "1, 2.5" && table["nothing"] == nil)
  }

  @Test(arguments: [
    ("{time_step: 1}", "model: fields: found none, expected at least one"),
    ("{fields: [{name: a}]}", "model: time_step: found nothing, expected a number above 0"),
    ("{time_step: 1, fields: [{name: a}, {name: a}]}", "model: fields[1].name: found a again, expected every name once"),
    ("{time_step: 1, fields: [{name: a}], observed: [{name: a}]}", "found a again, expected every name once"),
    ("{time_step: 1, fields: [{units: m}]}", "model: fields[0].name: found nothing, expected a name"),
    ("{time_step: 1, fields: [{name: a, grid: b}]}", "model: fields[0].grid: found b, expected none, for there is none"),
    (
      "{time_step: 1, grids: [{name: c}], fields: [{name: a, grid: b}]}", "model: fields[0].grid: found b, expected one of c"
    ),
    ("{time_step: 1, fields: [{name: a, lower: 2, upper: 1}]}", "fields[0].lower: found 2.0, expected less than upper, 1.0"),
    ("{time_step: 1, fields: [{name: a, scale: 0}]}", "fields[0].scale: found 0, expected a number above 0"),
    ("{time_step: 1, dimensions: [{name: x}], fields: [{name: a}]}", "dimensions[0].length: found nothing"),
    (
      "{time_step: 1, axes: [{name: x}], dimensions: [{name: x, coordinates: [1, 1]}], fields: [{name: a}]}",
      "dimensions[0].coordinates: found [1.0, 1.0], expected numbers that ascend or descend"
    ),
    (
      "{time_step: 1, dimensions: [{name: x, length: 3, coordinates: [1, 2]}], fields: [{name: a}]}",
      "dimensions[0].coordinates: found 2 numbers, expected 3, as length says"
    ),
    ("{time_step: 1, axes: [{name: a}, {name: b}, {name: c}, {name: d}], fields: [{name: a}]}", "axes: found 4, expected three at most"),
    ("{time_step: 1, sphere: 6371, fields: [{name: a}]}", "sphere: found 0 axes, expected longitude and latitude"),
    ("{time_step: 1, fields: [{name: a}], invariants: [{name: m, fields: [b]}]}", "invariants[0].fields: found b, expected one of a"),
    ("{time_step: 1, fields: [{name: a}], observing: {field: b}}", "observing.field: found b, expected one of a"),
    ("{time_step: 1, feilds: [{name: a}]}", "feilds: found an unknown key, expected a known one; the nearest is fields"),
  ])
  func mistakesAreNamed(yaml: String, message: String) {
    let error = #expect(throws: ConfigurationError.self) { try Self.described(yaml) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test func arraysThatAreNoCoordinatesAreRefused() throws {
    let description = try Self.described(Self.staggered)
    #expect(throws: CouplingError.self) {
      try description.makeLayout(of: "model") { name, count in [Double](repeating: 1, count: count) }
    }
  }
}
