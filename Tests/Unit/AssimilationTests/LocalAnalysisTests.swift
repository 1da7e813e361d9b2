import DaunceAssimilation
import DaunceEnsemble
import DaunceObservations
import DaunceState
import Foundation
import Testing

/// Analyses of elements from observations near them, against answers computed independently.
@Suite struct LocalAnalysisTests {
  private struct Problem: Decodable {
    struct Observations: Decodable {
      let y, x, value, error_variance: [Double]
    }
    struct Case: Decodable {
      let cells: [Int]
      let spacing: [Double]
      let periodic: [Bool]
      let half_width: Double
      let ensemble: [[Double]]
      let observations: Observations
      let interpolated, eakf, letkf: [[Double]]
    }
    let cases: [Case]
  }

  private static func problem() throws -> Problem {
    let url = try #require(
      Bundle.module.url(forResource: "analysis2d", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Problem.self, from: Data(contentsOf: url))
  }

  private static func layout(_ one: Problem.Case) -> StateLayout {
    let axes = ["y", "x"].enumerated().map { k, name in
      Axis(name: name, period: one.periodic[k] ? Double(one.cells[k]) * one.spacing[k] : nil)
    }
    let grid = Grid(
      ["y", "x"].enumerated().map { k, name in
        .init(name: name, axis: k, coordinates: (0..<one.cells[k]).map { Double($0) * one.spacing[k] })
      })
    return StateLayout(geometry: Geometry(axes: axes), grids: [grid], fields: [Field(name: "t")])
  }

  /// The analysis of a whole problem, in `ranks` parts.
  private static func analyse(_ one: Problem.Case, by method: LocalAnalysis.Method, parts: Int = 1) throws -> [[Double]] {
    let layout = layout(one)
    let members = one.ensemble.count
    let places = zip(one.observations.y, one.observations.x).map { Place([$0, $1]) }
    var builder = RowBuilder(layout)
    var rows = ObservationRows()
    let operation = ObservationOperator(fields: [0])
    for place in places {
      let found = builder.rows(of: operation, at: place)
      rows.append(try #require(found), by: operation)
    }
    let values = one.ensemble.flatMap { state in (0..<rows.count).map { rows.value($0, of: state.span) } }
    for (a, b) in zip(values, one.interpolated.flatMap { $0 }) { #expect(abs(a - b) <= 1e-10 * max(1, abs(b))) }
    let reach = DistanceLocalization.Reach.within([one.half_width, one.half_width])
    let partition = StatePartition(layout, ranks: parts)
    var result = [[Double]](repeating: [Double](repeating: 0, count: layout.count), count: members)
    for rank in 0..<parts {
      let observed = ObservedEnsemble(
        places: places, kinds: places.map { _ in 0 }, values: one.observations.value,
        errorVariances: one.observations.error_variance, memberValues: values, members: members)
      let elements = partition.elements(of: rank)
      let part = PartialEnsemble(elements: elements, members: members)
      for i in elements { for m in 0..<members { part.row(i)[m] = one.ensemble[m][i] } }
      let analysis = LocalAnalysis(layout: layout, method: method)
      try analysis.update(
        part, tiles: partition.tiles[partition.tiles(of: rank)], observed: observed,
        localization: DistanceLocalization(reaches: [[reach]], observed: [[reach]]))
      for i in elements { for m in 0..<members { result[m][i] = part.row(i)[m] } }
    }
    return result
  }

  private static func worst(_ a: [[Double]], _ b: [[Double]]) -> Double {
    zip(a, b).reduce(0) { worst, pair in
      zip(pair.0, pair.1).reduce(worst) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
    }
  }

  @Test func planeByEAKF() throws {
    for one in try Self.problem().cases {
      #expect(Self.worst(try Self.analyse(one, by: .eakf), one.eakf) < 1e-10)
    }
  }

  @Test func planeByLETKF() throws {
    for one in try Self.problem().cases {
      #expect(Self.worst(try Self.analyse(one, by: .transform), one.letkf) < 1e-10)
    }
  }

  private static let nonlinear: [LocalAnalysis.Method] = [
    .nonlinear(NonlinearMethod(.serial) { Transport(members: $0, settings: .init()) }),
    .nonlinear(NonlinearMethod(.together) { ParticleFilter(members: $0, settings: .init()) }),
    .nonlinear(
      NonlinearMethod(.serial) { RegressedUpdate(ParticleFlow(members: $0, settings: .init()), members: $0, window: nil) }),
  ]

  /// The same bits in one part and in two.
  @Test(arguments: [.eakf, .transform, .deterministic, .stochastic] + nonlinear)
  func partsDoNotMatter(method: LocalAnalysis.Method) throws {
    for one in try Self.problem().cases {
      let whole = try Self.analyse(one, by: method)
      #expect(try Self.analyse(one, by: method, parts: 2) == whole)
      #expect(whole != one.ensemble)
    }
  }

  /// Without localization, 40 correlated variables on two axes, half of them observed: the mean and the covariance of
  /// every filter tend to Kalman's as members grow.
  @Test(arguments: [LocalAnalysis.Method.eakf, .transform, .deterministic, .stochastic])
  func equalsKalman(method: LocalAnalysis.Method) throws {
    let exact = PlaneKalman()
    let few = try exact.error(of: method, members: 40)
    let many = try exact.error(of: method, members: 4000)
    #expect(many.mean < 0.1 && many.mean < few.mean / 3)
    if case .deterministic = method {
      // Half of the gain leaves a quarter of K H P H^T K^T too much, whatever the number of members.
      #expect(many.covariance > 0.1 && abs(many.covariance - few.covariance) < few.covariance / 2)
    } else {
      #expect(many.covariance < 0.1 && many.covariance < few.covariance / 2)
    }
  }

  /// Four fields on a ring, one observed: the serial filter with localization, the transform without.
  @Test func ringOfFourFields() throws {
    for one in KnownAnswerTests.cases {
      let reach = DistanceLocalization.Reach.within([one.halfWidthInCells])
      let row = [DistanceLocalization.Reach](repeating: reach, count: 4)
      let serial = try Self.analyse(one, by: .eakf, DistanceLocalization(reaches: [row], observed: [[reach]]))
      #expect(Self.worst([serial], [one.eakf.flat]) < 1e-12)
      let transform = try Self.analyse(one, by: .transform, .none(kinds: 1, fields: 4))
      #expect(Self.worst([transform], [one.etkfUnlocalized.flat]) < 1e-12)
    }
  }

  /// - Returns: `[member][field][cell]`
  private static func analyse(
    _ one: FilterCase, by method: LocalAnalysis.Method, _ localization: DistanceLocalization
  ) throws -> [Double] {
    let axis = Axis(name: "x", period: Double(one.n))
    let grid = Grid([.init(name: "x", axis: 0, coordinates: (0..<one.n).map(Double.init))])
    let layout = StateLayout(
      geometry: Geometry(axes: [axis]), grids: [grid], fields: ["K", "R", "Z", "a"].map { Field(name: $0) })
    let states = one.forecast.flat
    let members = one.members
    let part = PartialEnsemble(elements: 0..<layout.count, members: members)
    for i in 0..<layout.count { for m in 0..<members { part.row(i)[m] = states[m * layout.count + i] } }
    let observed = ObservedEnsemble(
      places: (0..<one.n).map { Place([Double($0)]) }, kinds: [Int32](repeating: 0, count: one.n),
      values: one.observation, errorVariances: [Double](repeating: one.errorVariance, count: one.n),
      memberValues: one.forecast.a.flatMap { $0 }, members: members)
    try LocalAnalysis(layout: layout, method: method).update(
      part, tiles: StatePartition(layout, ranks: 1).tiles[...], observed: observed, localization: localization)
    return (0..<members).flatMap { m in (0..<layout.count).map { part.row($0)[m] } }
  }

  /// A random rotation keeps mean and covariance of the transform and of what was relaxed to the forecast.
  @Test(arguments: [0, 0.5]) func rotationKeepsMoments(relaxation: Double) throws {
    let (exact, inflation) = (PlaneKalman(), try Inflation(perturbationRelaxation: relaxation))
    let plain = try exact.moments(rotates: false, inflation: inflation)
    let rotated = try exact.moments(rotates: true, inflation: inflation)
    #expect(plain.members != rotated.members)
    #expect(Self.worst([plain.mean], [rotated.mean]) < 1e-13)
    #expect(Self.worst([plain.covariance], [rotated.covariance]) < 1e-13)
  }
}
