import DaunceArchive
import DaunceState
import Testing

@Suite struct ObservationFileTests {
  let folder: Folder
  init() throws { folder = try Folder() }

  @Test func fieldsComeBackWithoutTheMissing() throws {
    var values = numbers(16)
    values[3] = .nan
    for cell in 8..<16 { values[cell] = .nan }
    let path = folder.path("o.nc")
    try ObservationFile.write(
      fields: [values], times: [1, 2], to: path, layout: layout, variable: 1, errorVariance: 0.0063, seeds: nil,
      provenance: provenance)
    let series = try ObservationFile.read(path, layout: layout)
    #expect(series.times == [1, 2])
    #expect(series.observations[0].elements == [8, 9, 10, 12, 13, 14, 15])
    #expect(series.observations[0].values == values[0..<8].filter { !$0.isNaN })
    #expect(series.observations[0].errorVariances == [Double](repeating: 0.0063, count: 7))
    #expect(series.observations[1].count == 0)
    #expect(series.count == 7)
  }

  @Test func eachTruthHasItsOwn() throws {
    let path = folder.path("o.nc")
    let fields = [numbers(16), numbers(16, from: 100), numbers(16, from: 200)]
    try ObservationFile.write(
      fields: fields, times: [1, 2], to: path, layout: layout, variable: 0, errorVariance: 1, seeds: [5, 6, 7],
      provenance: provenance)
    #expect(try ObservationFile.count(in: path) == 3)
    for truth in 0..<3 {
      let series = try ObservationFile.read(path, layout: layout, truth: truth)
      #expect(series.observations.flatMap(\.values) == fields[truth])
      #expect(series.observations[1].elements == Array(0..<8))
    }
    let error = failure { _ = try ObservationFile.read(path, layout: layout, truth: 3) }
    #expect(
      error?.description.hasSuffix("dimension truth: 3 truths; expected one with number 3, counted from 0") == true)
  }

  @Test func pointsComeBack() throws {
    let series = ObservationSeries(
      times: [1, 2.5],
      observations: [
        ElementObservations(elements: [2, 8, 8], values: [0.1, 0.2, 0.3], errorVariances: [1, 2, 3]),
        ElementObservations(elements: [15], values: [0.4], errorVariances: [4]),
      ])
    try ObservationFile.write(points: series, to: folder.path("p.nc"), layout: layout, provenance: provenance)
    #expect(try ObservationFile.read(folder.path("p.nc"), layout: layout) == series)
  }

  /// Strings, unsorted places, a missing value whose variance does not matter, floats: another program's file.
  @Test func pointsOfAnotherProgram() throws {
    let series = try ObservationFile.read(try fixture("points-of-strings.nc"), layout: layout)
    #expect(
      series
        == ObservationSeries(
          times: [1, 3],
          observations: [
            ElementObservations(elements: [0, 9, 14], values: [-0.25, 0.125, 0.5], errorVariances: [2, 3, 1]),
            ElementObservations(elements: [12], values: [0.75], errorVariances: [5]),
          ]))
  }

  @Test func packedFieldsOfAnotherProgram() throws {
    let series = try ObservationFile.read(try fixture("classic-packed.nc"), layout: layout)
    #expect(series.times == [1, 2])
    #expect(series.observations[0].elements == [8, 9, 10, 11, 14, 15])
    #expect(series.observations[0].values == [1, 1.25, 1.5, 1.75, 2.5, 2.75])
    #expect(series.observations[1].errorVariances == [Double](repeating: 0.01, count: 8))
  }

  /// Writes a file of fields with something particular.
  private func write(
    name: String = "a", times: [Double]? = [1, 2], cells: Int = 8, variance: Attribute.Value? = .numbers([0.5]),
    variances: [Double]? = nil, variancesName: String? = nil, values: [Double]? = nil,
    dimensions: [String] = ["time", "x"]
  ) throws -> String {
    let path = folder.path("o.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let sizes = ["time": times?.count ?? 2, "x": cells]
    let over = try dimensions.map { try writer.dimension($0, length: sizes[$0]) }
    if let times, let time = over.first(where: { $0.name == "time" }) {
      try writer.write(times, to: try writer.variable("time", over: [time]))
    }
    let a = try writer.variable(
      name, of: Double.self, over: over, attributes: variance.map { [Attribute("error_variance", $0)] } ?? [])
    try writer.write(values ?? numbers((times?.count ?? 2) * cells), to: a)
    if let variances {
      let field = try writer.variable(variancesName ?? "\(name)_error_variance", of: Double.self, over: over)
      try writer.write(variances, to: field)
    }
    try writer.finish()
    return path
  }

  private func error(_ path: String) -> String {
    let error = failure { _ = try ObservationFile.read(path, layout: layout) }
    #expect(error?.path == path && error?.kind == .badData)
    return error.map { String($0.description.dropFirst(path.count)) } ?? "no error"
  }

  @Test func aVarianceForEachObservation() throws {
    var variances = numbers(16)
    variances[3] = -1
    var values = numbers(16)
    values[3] = .nan
    let series = try ObservationFile.read(
      try write(variance: nil, variances: variances, values: values), layout: layout)
    #expect(series.observations.flatMap(\.errorVariances) == variances.filter { $0 > 0 })
  }

  @Test func everyMistakeInFieldsHasItsMessage() throws {
    var variances = numbers(16)
    variances[11] = -2
    #expect(
      error(try write(variance: nil, variances: variances))
        == ": variable a_error_variance: -2.0 at time 1, x 3; expected a positive, finite variance")
    variances[11] = .nan
    #expect(
      error(try write(variance: nil, variances: variances))
        == ": variable a_error_variance: nan at time 1, x 3; expected a positive, finite variance")
    #expect(
      error(try write(variance: .numbers([0])))
        == ": attribute error_variance of a: 0.0; expected a positive, finite variance")
    #expect(
      error(try write(variance: .numbers([1, 2])))
        == ": attribute error_variance of a: 2 numbers; expected one number")
    #expect(
      error(try write(variance: .text("small")))
        == ": attribute error_variance of a: a value of type char; expected a number")
    #expect(
      error(try write(variance: nil))
        == ": variable a: no error variance; expected an attribute error_variance, or a variable "
        + "a_error_variance of the same shape")
    #expect(
      error(try write(variances: numbers(16)))
        == ": variable a: both an attribute error_variance and a variable a_error_variance; expected one of them")
    #expect(
      error(try write(values: [Double](repeating: .nan, count: 16)))
        == ": no observation that is not missing; expected at least one")
    var infinite = numbers(16)
    infinite[9] = .infinity
    #expect(
      error(try write(values: infinite))
        == ": variable a: inf at time 1, x 1; expected a finite number, or NaN where missing")
    #expect(error(try write(cells: 7)) == ": dimension x: 7 cells; expected 8 cells")
    #expect(
      error(try write(name: "A"))
        == ": variable A: a variable that the model does not have; expected one of K, a, or K_error_variance beside K")
    #expect(
      error(try write(variances: numbers(16), variancesName: "b_error_variance"))
        == ": variable b_error_variance: a variable that the model does not have; expected one of K, a, or "
        + "K_error_variance beside K")
    #expect(
      error(try write(dimensions: ["x", "time"]))
        == ": variable a: dimensions (x = 8, time = 2); expected (time = 2, x = 8)")
    #expect(
      error(try write(times: nil))
        == ": variable time: no such variable; expected it among the file's variables (a)")
    #expect(error(try write(times: [2, 2])) == ": variable time: 2.0 at index 1 after 2.0; expected ascending times")
    #expect(error(try write(times: [1, .nan])) == ": variable time: nan at index 1; expected a finite number")
    #expect(
      error(try write(times: [], values: []))
        == ": no observation that is not missing; expected at least one")
    let nothing = folder.path("n.nc")
    try DatasetWriter(path: nothing, provenance: provenance).finish()
    #expect(
      error(nothing)
        == ": none of the model's variables (variables: ); expected one of K, a over (time, x), or a list along a "
        + "dimension obs")
  }

  /// Writes a list with something particular.
  private func writePoints(
    times: [Double] = [1, 1, 2], places: [Double] = [0, 3.5, -0.5], names: [String]? = ["a", "K", "a"],
    values: [Double] = [1, 2, 3], variances: [Double] = [1, 1, 1]
  ) throws -> String {
    let path = folder.path("p.nc")
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let obs = try writer.dimension("obs", length: values.count)
    for (name, data) in [("time", times), ("x", places), ("value", values), ("error_variance", variances)] {
      try writer.write(data, to: try writer.variable(name, over: [obs]))
    }
    if let names {
      try writer.write(texts: names, as: "variable", over: obs)
    } else {
      try writer.write([1, 2, 3], to: try writer.variable("variable", over: [obs]))
    }
    try writer.finish()
    return path
  }

  @Test func everyMistakeInPointsHasItsMessage() throws {
    // Places are on a circle.
    #expect(
      try ObservationFile.read(try writePoints(), layout: layout).observations.map(\.elements) == [[7, 8], [15]])
    #expect(
      try ObservationFile.read(try writePoints(places: [4, 3.5, 7.5 + 4e-7]), layout: layout).observations
        .map(\.elements) == [[7, 8], [15]])
    #expect(
      error(try writePoints(places: [0, 0.51, 1]))
        == ": variable x: 0.51 at obs 1; expected the centre of a cell, a multiple of 0.5")
    #expect(
      error(try writePoints(places: [0, .nan, 1]))
        == ": variable x: nan at obs 1; expected the centre of a cell, a multiple of 0.5")
    #expect(
      error(try writePoints(places: [0, 1e300, 1]))
        == ": variable x: 1e+300 at obs 1; expected the centre of a cell, a multiple of 0.5")
    #expect(
      error(try writePoints(names: ["a", "Z", "a"])) == ": variable variable: \"Z\" at obs 1; expected one of K, a")
    #expect(
      error(try writePoints(names: nil)) == ": variable variable: values of type double; expected texts")
    #expect(
      error(try writePoints(times: [2, 1, 3]))
        == ": variable time: 1.0 at index 1 after 2.0; expected ascending times")
    #expect(
      error(try writePoints(variances: [1, 0, 1]))
        == ": variable error_variance: 0.0 at obs 1; expected a positive, finite variance")
    #expect(
      error(try writePoints(values: [.nan, .nan, .nan]))
        == ": no observation that is not missing; expected at least one")
    #expect(
      error(try writePoints(times: [], places: [], names: [], values: [], variances: []))
        == ": no observation that is not missing; expected at least one")
  }
}
