import DaunceExperiment
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceSettings
import DaunceState
import Testing

/// What networks of an experiment observe.
@Suite struct NetworkTests {
  /// u between the cells of a ring of eight, v at them.
  private let layout: StateLayout = {
    let x = (0..<8).map(Double.init)
    return StateLayout(
      geometry: Geometry(axes: [Axis(name: "x", period: 8)]),
      grids: [
        Grid([.init(name: "xu", axis: 0, coordinates: x.map { $0 + 0.5 })]),
        Grid([.init(name: "x", axis: 0, coordinates: x)]),
      ],
      fields: [Field(name: "u", scale: 2), Field(name: "v", lowerBound: 0.1, grid: 1)])
  }()
  private let natural = ObservingSystem(variable: 0, errorVariance: 1, law: .gaussian, stepsBetween: 2)

  private func networks(_ yaml: String) throws -> ObservingNetworks {
    let configuration = try Configuration(yaml: "observations: {networks: \(yaml)}", source: "test")
    return try configuration.makeNetworks(in: layout, natural: natural).0
  }

  private func problems(_ yaml: String) -> String {
    do {
      _ = try networks(yaml)
      return ""
    } catch {
      return "\(error)"
    }
  }

  private let state = [3, 1, 2, 0, 0, 0, 0, 5, 4, 4, -2, 0, 0, 0, 0, 0].map(Double.init)

  private func observe(_ networks: ObservingNetworks, time: Int) -> ObservationSet {
    networks.observe(state.span, time: time) { RandomStream(seed: 1, purpose: .test, member: $0, cycle: time) }
  }

  /// At u's cell 0, half way between v's cells 0 and 1, v is (4 + 4) / 2 = 4 and the wind (3, 4); at cell 1 v is
  /// (4 - 2) / 2 = 1 and the wind (1, 1).
  @Test func windSpeedOnStaggeredGrids() throws {
    let seen = observe(try networks("[{fields: [u, v], combination: norm, cells: [0, 1], sd: 1e-9}]"), time: 1)
    #expect(abs(seen.values[0] - 5) < 1e-7)
    #expect(abs(seen.values[1] - 2.0.squareRoot()) < 1e-7)
    #expect(seen.network.places[0].coordinates.x == 0.5)
  }

  @Test func functionsAndFieldsTogether() throws {
    let all = try networks(
      "[{field: v, cells: [2], function: absolute, sd: 1e-9, interval: 4}, {field: u, every: 4, relative_sd: 1e-9}]")
    #expect(all.quantities.map(\.name) == ["u", "v", "absolute_v"])
    // Networks of the shortest interval alone, then both, in the order of the elements that they see.
    let first = observe(all, time: 1)
    #expect(first.network.kinds == [0, 0] && abs(first.values[0] - 3) < 1e-7)
    #expect(first.errorVariances.allSatisfy { abs($0 / 4e-18 - 1) < 1e-12 })
    let both = observe(all, time: 2)
    #expect(both.network.kinds == [0, 0, 2])
    #expect(abs(both.values[2] - 2) < 1e-7)
    // The same networks hand out the same object.
    #expect(observe(all, time: 3).network === first.network && observe(all, time: 4).network === both.network)
  }

  /// u is 3, 1, 2, 0, 0, 0, 0, 5 around the ring: (5 + 3 + 1) / 3 = 3 at cell 0, (1 + 2 + 0) / 3 = 1 at cell 2; an even
  /// number has half of the cells at its ends, (5 / 2 + 3 + 1 / 2) / 2 = 3. The places are the centres.
  @Test func footprintsAreMeansOfCells() throws {
    let all = try networks(
      "[{field: u, footprint: 3, cells: [0, 2], sd: 1e-9}, {field: u, footprint: 2, cells: [0], sd: 1e-9}, "
        + "{field: u, footprint: 8, cells: [0], sd: 1e-9}, {field: u, cells: [0], sd: 1e-9}]")
    #expect(all.quantities.map(\.name) == ["u", "v", "mean_3_u", "mean_2_u", "mean_8_u"])
    // Rows go around the ring: all of them but that at cell 2 begin with element 0, and are sorted by kind.
    let seen = observe(all, time: 1)
    #expect(seen.network.kinds == [0, 2, 3, 4, 2])
    for (found, expected) in zip(seen.values, [3, 3, 3, 11.0 / 8, 1]) { #expect(abs(found - expected) < 1e-7) }
    #expect(seen.network.places.map(\.coordinates.x) == [0.5, 0.5, 0.5, 0.5, 2.5])
    #expect(seen.network.rows.element(1) == nil && seen.network.rows.isFieldValue(1))
  }

  /// Fields are averaged before all else. Around u's cell 1, at 1.5, u is (3 + 1 + 2) / 3 = 2, and a box of three cells
  /// covers half of v's cells 0 and 3: (4 / 2 + 4 - 2 + 0 / 2) / 3 = 4 / 3.
  @Test func footprintsComeBeforeCombinationAndFunction() throws {
    let wind = try networks("[{fields: [u, v], combination: norm, footprint: 3, cells: [1], sd: 1e-9}]")
    #expect(wind.quantities[2].name == "norm_mean_3_u_v")
    #expect(abs(observe(wind, time: 1).values[0] - (4 + 16.0 / 9).squareRoot()) < 1e-7)
    // (4 + 4 - 2) / 3 = 2, whose square is 4, while the mean of squares is 12.
    let square = try networks("[{field: v, function: square, footprint: 3, cells: [1], sd: 1e-9}]")
    #expect(square.quantities[2].name == "square_mean_3_v")
    #expect(abs(observe(square, time: 1).values[0] - 4) < 1e-7)
  }

  /// Rows of three by four cells that are closed along x alone.
  @Test func footprintsOnPlanes() throws {
    let plane = StateLayout(
      geometry: Geometry(axes: [Axis(name: "x", period: 4), Axis(name: "y")]),
      grids: [
        Grid([
          .init(name: "y", axis: 1, coordinates: [0, 1, 2]), .init(name: "x", axis: 0, coordinates: [0, 1, 2, 3]),
        ])
      ], fields: [Field(name: "u")])
    func made(_ yaml: String) throws -> ObservingNetworks {
      try Configuration(yaml: "observations: {networks: [\(yaml)]}", source: "test")
        .makeNetworks(in: plane, natural: natural).0
    }
    // 4 y + x at all cells: around cell 4, x = 0 and y = 1, y is 1 and x (3 + 0 + 1) / 3 on average.
    let state = (0..<12).map(Double.init)
    let seen = try made("{field: u, footprint: 3, cells: [4], sd: 1e-9}").observe(state.span, time: 0) {
      RandomStream(seed: 1, purpose: .test, member: $0)
    }
    #expect(abs(seen.values[0] - (4 + 4.0 / 3)) < 1e-7)
    for (yaml, message) in [
      ("{field: u, footprint: 3, cells: [0, 4], sd: 1}", "cells: found cell 0, whose footprint is not inside of"),
      ("{field: u, footprint: 4, cells: [4], sd: 1}", "networks[0].footprint: found 4, expected at most 3 cells on"),
    ] {
      let error = try #require(throws: ConfigurationError.self) { try made(yaml) }
      #expect("\(error)".contains(message) && error.problems.count == 1, "\(error)")
    }
  }

  @Test(arguments: [
    ("[{field: w, every: 1, sd: 1}]", "networks[0].field: found w, expected a variable of mjo-skeleton: u, v"),
    ("[{fields: [u, w], every: 1, sd: 1}]", "networks[0].fields: found w, expected"),
    ("[{field: u, function: logarithm, every: 1, sd: 1}]", "found logarithm of u, expected another one"),
    ("[{field: u, function: square, every: 1, relative_sd: 1}]", "relative_sd: found square_u, expected sd"),
    ("[{field: u, law: lognormal, every: 1, sd: 1}]", "found lognormal for u, expected gaussian or laplace"),
    ("[{field: v, function: logarithm, law: lognormal, every: 1, sd: 1}]", "found lognormal for logarithm_v, expected"),
    ("[{fields: [v, u], law: lognormal, every: 1, sd: 1}]", "found lognormal for sum_v_u, expected gaussian"),
    ("[{fields: [v, u], function: logarithm, every: 1, sd: 1}]", "found logarithm of v, u, expected another one"),
    ("[{field: u, footprint: 0, every: 1, sd: 1}]", "networks[0].footprint: found 0, expected"),
    ("[{field: u, footprint: 9, every: 1, sd: 1}]", "networks[0].footprint: found 9, expected at most 8 cells on"),
    ("[{field: u, footprint: 3, every: 1, relative_sd: 1}]", "relative_sd: found mean_3_u, expected sd"),
    ("[{field: u, footprint: 3, every: 1, sd: 1}, {field: u, footprint: 3, cells: [3], sd: 1}]", "cell 3 of u again"),
    ("[{field: u, cells: [8], sd: 1}]", "cells: found [8], expected different cells from 0 to 7"),
    ("[{field: u, every: 1, sd: 1}, {field: u, cells: [3], sd: 1}]", "cell 3 of u again"),
  ]) func mistakesAreNamed(yaml: String, message: String) {
    #expect(problems(yaml).contains(message), "\(problems(yaml))")
  }

  /// On a part of a circle u's last cell has no v around it.
  @Test func fieldsAreObservedTogetherWhereAllHaveValues() throws {
    let x = (0..<4).map(Double.init)
    let part = StateLayout(
      geometry: Geometry(axes: [Axis(name: "x")]),
      grids: [
        Grid([.init(name: "xu", axis: 0, coordinates: x.map { $0 + 0.5 })]),
        Grid([.init(name: "x", axis: 0, coordinates: x)]),
      ], fields: [Field(name: "u"), Field(name: "v", grid: 1)])
    let configuration = try Configuration(
      yaml: "observations: {networks: [{fields: [u, v], every: 1, sd: 1}]}", source: "test")
    let error = try #require(throws: ConfigurationError.self) {
      try configuration.makeNetworks(in: part, natural: natural)
    }
    #expect("\(error)".contains("networks[0].cells: found cell 3, where not all of u, v have values"), "\(error)")
  }

  @Test func normsOfPositiveFieldsArePositive() {
    #expect(problems("[{fields: [u, v], combination: norm, law: lognormal, every: 1, sd: 1}]").isEmpty)
  }

  /// A cell may be seen twice in different ways.
  @Test func aFieldAndItsSquare() {
    #expect(problems("[{field: u, every: 1, sd: 1}, {field: u, function: square, cells: [3], sd: 1}]").isEmpty)
  }

  /// Mean and variance of each law, of 20,000 draws: within five standard errors.
  @Test(arguments: [ErrorLaw.gaussian, .lognormal, .laplace])
  func errorsHaveTheStatedMoments(law: ErrorLaw) {
    let stream = RandomStream(seed: 3, purpose: .test)
    let n = 20_000
    let draws = (0..<n).map { law.observe(2, variance: 0.25, stream, at: $0) }
    let mean = draws.reduce(0, +) / Double(n)
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)
    #expect(abs(mean - 2) < 5 * 0.5 / Double(n).squareRoot())
    // The fourth moment of Laplace's law is six squares of the variance.
    #expect(abs(variance / 0.25 - 1) < 5 * (5 / Double(n)).squareRoot())
  }
}
