import DaunceAssimilation
import DaunceObservations
import DaunceState
import Testing

struct FieldsByMember: Decodable {
  let K, R, Z, a: [[Double]]

  /// `[member][variable][cell]`
  var flat: [Double] { K.indices.flatMap { K[$0] + R[$0] + Z[$0] + a[$0] } }
}

struct FilterCase: Decodable {
  let n, members: Int
  let halfWidthInCells, errorVariance: Double
  let forecast, eakf, enkf, etkfUnlocalized: FieldsByMember
  let observation: [Double]
  let perturbation: [[Double]]

  var layout: StateLayout { skeletonLayout(cells: n) }
  var localization: DistanceLocalization {
    ringLocalization(layout, halfWidth: halfWidthInCells)
  }
  var observations: ObservationSet {
    observe(
      layout, Array(3 * n..<4 * n), values: observation,
      errorVariances: [Double](repeating: errorVariance, count: n))
  }
}

private struct FilterCases: Decodable { let cases: [FilterCase] }

private struct Correlation: Decodable { let r, value: [Double] }

@Suite struct KnownAnswerTests {
  static let cases = (try? fixture("filters", as: FilterCases.self).cases) ?? []

  @Test func fixturesAreThere() { #expect(Self.cases.count == 3) }

  @Test func gaspariCohn() throws {
    let known = try fixture("gaspari_cohn", as: Correlation.self)
    for (r, value) in zip(known.r, known.value) { #expect(abs(GaspariCohn.value(r) - value) < 1e-14) }
  }

  @Test(arguments: cases.indices) func eakfGathered(_ index: Int) throws {
    let known = Self.cases[index]
    let filter = try EAKF(layout: known.layout, localization: known.localization)
    let analysis = try filter.analysis(of: known.forecast.flat, members: known.members, known.observations)
    #expect(largestDifference(analysis, known.eakf.flat) < 1e-12)
  }

  @Test(arguments: cases.indices) func eakfFromMoments(_ index: Int) throws {
    let known = Self.cases[index]
    let filter = try EAKF(layout: known.layout, localization: known.localization)
    var states = known.forecast.flat
    var moments = EnsembleMoments(of: states.span, members: known.members, observing: known.observations.network)
    var span = states.mutableSpan
    try filter.analyse(
      &span, first: 0, members: known.members, moments: &moments, observations: known.observations, cycle: 0)
    #expect(largestDifference(states, known.eakf.flat) < 1e-12)
  }

  @Test(arguments: cases.indices) func stochasticEnKF(_ index: Int) throws {
    let known = Self.cases[index]
    let filter = try StochasticEnKF(layout: known.layout, localization: known.localization, seed: 1)
    var states = known.forecast.flat
    let perturbations = known.perturbation.flatMap { $0 }
    var span = states.mutableSpan
    try filter.analyse(
      &span, members: known.members, local: 0..<known.members, observations: known.observations,
      perturbations: perturbations.span)
    #expect(largestDifference(states, known.enkf.flat) < 1e-12)
  }
}
