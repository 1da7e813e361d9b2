import DaunceAssimilation
import DaunceConstraints
import DaunceEnsemble
import DaunceObservations
import DaunceState
import Testing

/// Filters on staggered grids of a plane, with observations of anything.
@Suite struct OperatorTests {
  private let plane = StaggeredPlane()

  private func eakf(_ inflation: Inflation = .none) throws -> EAKF {
    try EAKF(layout: plane.layout, localization: plane.localization, inflation: inflation)
  }

  private func analysis(_ filter: some InMemoryFilter, _ observations: ObservationSet) throws -> [Double] {
    try filter.analysis(of: plane.states, members: plane.members, observations)
  }

  /// The covariance form, one member after the other.
  private func analysisFromMoments(_ filter: EAKF, _ observations: ObservationSet) throws -> [Double] {
    let n = plane.layout.count
    return try (0..<plane.members).flatMap { m in
      var moments = EnsembleMoments(
        of: plane.states.span, members: plane.members, observing: observations.network)
      var state = Array(plane.states[m * n..<(m + 1) * n])
      var span = state.mutableSpan
      try filter.analyse(
        &span, first: m, members: plane.members, moments: &moments, observations: observations, cycle: 0)
      return state
    }
  }

  @Test func eakfIsTheSerialFilterOfAllPairs() throws {
    let analysis = try analysis(eakf(), plane.everything)
    #expect(largestDifference(analysis, plane.serial(plane.everything)) < 1e-13)
    #expect(largestDifference(analysis, try plane.local(plane.everything)) < 1e-13)
    #expect(largestDifference(analysis, plane.states) > 0.1)
  }

  /// Without localization the order of independent observations does not matter, and the mean is Kalman's for a linear
  /// operator: here a sum of two fields between cells.
  @Test func carriedSumsAreKalmans() throws {
    let layout = plane.layout
    var builder = RowBuilder(layout)
    var rows = ObservationRows()
    let operation = ObservationOperator(fields: [0, 1])
    let places = [Place([1.3, 0.6]), Place([4.7, 2.5])]
    for place in places {
      let found = builder.rows(of: operation, at: place)
      rows.append(try #require(found), by: operation)
    }
    let observations = ObservationSet(
      ObservationNetwork(rows: rows, kinds: [0, 0], places: places), values: [0.5, -0.2],
      errorVariances: [0.03, 0.05])
    let none = DistanceLocalization.none(kinds: 1, fields: 3)
    let filter = try EAKF(layout: layout, localization: none)
    let analysis = moments(try analysis(filter, observations), members: plane.members)
    let n = layout.count
    let seen = plane.observed(observations, of: plane.states)
    let extended = (0..<plane.members).flatMap { m in Array(plane.states[m * n..<(m + 1) * n]) + seen[m] }
    let direct = observe(plainLayout(cells: n + 2), [n, n + 1], values: [0.5, -0.2], errorVariances: [0.03, 0.05])
    let known = kalman(moments(extended, members: plane.members), direct)
    #expect(largestDifference(analysis.mean, Array(known.mean[..<n])) < 1e-13)
    let block = (0..<n * n).map { known.covariance[$0 / n * (n + 2) + $0 % n] }
    #expect(largestDifference(analysis.covariance, block) < 1e-13)
  }

  @Test func bothFormsAgree() throws {
    for inflation in [Inflation.none, try Inflation(factor: 1.1, perturbationRelaxation: 0.3)] {
      let filter = try eakf(inflation)
      let gathered = try analysis(filter, plane.everything)
      #expect(largestDifference(try analysisFromMoments(filter, plane.everything), gathered) < 1e-13)
    }
  }

  /// With inflation and both relaxations, against the same element by element.
  @Test func relaxationsAreThoseOfLocalAnalysis() throws {
    for (spread, perturbations) in [(0.0, 0.4), (0.3, 0), (0.3, 0.4)] {
      let inflation = try Inflation(
        factor: 1.05, relaxation: spread, perturbationRelaxation: perturbations)
      let filter = try eakf(Inflation(factor: 1.05, relaxation: spread, perturbationRelaxation: perturbations))
      let difference = largestDifference(
        try analysis(filter, plane.everything), try plane.local(plane.everything, inflation))
      #expect(difference < 1e-13)
    }
  }

  /// The gain P H^T S^-1, by elimination.
  private func gain(_ observations: ObservationSet) -> (columns: [[Double]], innovations: [Double]) {
    let (p, order) = plane.covariance(plane.states, observations)
    let n = plane.layout.count
    let columns = (n..<order).map { k in (0..<n).map { p[$0 * order + k] } }
    let count = order - n
    let s = (0..<count * count).map { e in
      let (k, l) = (e / count, e % count)
      return p[(n + k) * order + n + l] + (k == l ? observations.errorVariances[k] : 0)
    }
    return (columns, s)
  }

  @Test func stochasticEnKFHasTheGainOfAllPairs() throws {
    let observations = plane.everything
    let (n, count) = (plane.layout.count, observations.count)
    let filter = try StochasticEnKF(layout: plane.layout, localization: plane.localization, seed: 2)
    let analysis = try analysis(filter, observations)
    let drawn = try filter.perturbations(members: plane.members, observations: observations, cycle: 0)
    let (columns, s) = gain(observations)
    let seen = plane.observed(observations, of: plane.states)
    for m in 0..<plane.members {
      let weights = solution(s, (0..<count).map { observations.values[$0] + drawn[m * count + $0] - seen[m][$0] })
      for i in 0..<n {
        let known = plane.states[m * n + i] + (0..<count).reduce(0) { $0 + columns[$1][i] * weights[$1] }
        #expect(abs(analysis[m * n + i] - known) < 1e-12)
      }
    }
  }

  private var constraints: ConstraintSet {
    let sum = (0..<plane.layout.count).map { plane.layout.range(1).contains($0) ? 1.0 : 0 }
    return ConstraintSet(layout: plane.layout, invariants: [LinearInvariant(name: "u", coefficients: sum)])
  }

  /// Members projected with a full matrix.
  private func project(_ analysis: [Double], _ matrix: [Double]) throws -> [Double] {
    let n = plane.layout.count
    let projection = try ConstrainedProjection(constraints, order: n, solver: .dual)
    let covariance = DenseCovariance(matrix, order: n)
    var result = analysis
    var span = result.mutableSpan
    for m in 0..<plane.members {
      let forecast = Array(plane.states[m * n..<(m + 1) * n])
      _ = projection.project(&span, offset: m * n, forecast: forecast.span, covariance: covariance)
    }
    return result
  }

  @Test func constrainedEAKFProjectsWithTheLocalizedCovariance() throws {
    let filter = try ConstrainedEAKF(
      layout: plane.layout, localization: plane.localization, constraints: constraints, ridge: 0)
    let analysis = try analysis(filter, plane.everything)
    let free = try plane.local(plane.everything)
    let known = try project(free, plane.covariance(free, .none).matrix)
    #expect(largestDifference(analysis, known) < 1e-9)
    #expect(largestDifference(analysis, free) > 1e-3)
    let report = filter.lastReport
    #expect(report.changed == plane.members && report.notConverged == 0 && report.activeBounds > 0)
    expectBounds(analysis)
  }

  @Test func constrainedEnKFProjectsWithTheKalmanCovariance() throws {
    let observations = plane.everything
    let filter = try ConstrainedEnKF(
      layout: plane.layout, localization: plane.localization, constraints: constraints, seed: 2, ridge: 0)
    let analysis = try analysis(filter, observations)
    let free = try self.analysis(
      StochasticEnKF(layout: plane.layout, localization: plane.localization, seed: 2), observations)
    var matrix = plane.covariance(plane.states, .none).matrix
    let n = plane.layout.count
    let (columns, s) = gain(observations)
    for j in 0..<n {
      let weights = solution(s, columns.map { $0[j] })
      for i in 0..<n { for k in columns.indices { matrix[i * n + j] -= columns[k][i] * weights[k] } }
    }
    #expect(largestDifference(analysis, try project(free, matrix)) < 1e-8)
    #expect(largestDifference(analysis, free) > 1e-3)
    expectBounds(analysis)
  }

  private func expectBounds(_ states: [Double]) {
    let n = plane.layout.count
    #expect((0..<plane.members).allSatisfy { m in states[m * n..<m * n + 30].allSatisfy { $0 >= -0.4 && $0 <= 0.9 } })
  }

  @Test func flooringClipsToBothBounds() throws {
    let filter = try EAKF(layout: plane.layout, localization: plane.localization, floor: true)
    let free = try analysis(eakf(), plane.everything)
    let n = plane.layout.count
    let known = free.indices.map { $0 % n < 30 ? min(0.9, max(-0.4, free[$0])) : free[$0] }
    #expect(known.contains(0.9) && known.contains(-0.4))
    #expect(try analysis(filter, plane.everything) == known)
  }

  /// A logarithm of what is negative in some members: the others' analysis, with the observation counted.
  @Test func observationsWithoutANumberAreLeftOut() throws {
    let some: [(kind: Int, x: Double, y: Double)] = [
      (StaggeredPlane.t, 1, 1), (StaggeredPlane.speed, 3, 2), (StaggeredPlane.absolute, 2, 3),
    ]
    let more = some[..<2] + [(kind: StaggeredPlane.logarithm, x: 4.0, y: 2.0)] + some[2...]
    let without = plane.observe(some)
    var with = plane.observe(Array(more))
    with.values = [0.3, 0.4, 0.1, 0.5]
    with.errorVariances = [0.02, 0.03, 0.5, 0.04]
    let seen = plane.observed(with, of: plane.states).map { $0[2] }
    #expect(seen.contains { $0.isNaN } && seen.contains { !$0.isNaN })
    let filter = try eakf()
    let known = try analysis(filter, without)
    #expect(filter.leftOut == 0)
    #expect(try analysis(filter, with) == known)
    #expect(filter.leftOut == 1)
    #expect(largestDifference(try analysisFromMoments(filter, with), known) < 1e-13)
    #expect(filter.leftOut == 1)
    for filter in [
      try StochasticEnKF(layout: plane.layout, localization: plane.localization, seed: 2) as any InMemoryFilter,
      try ConstrainedEAKF(layout: plane.layout, localization: plane.localization, constraints: constraints),
      try ConstrainedEnKF(layout: plane.layout, localization: plane.localization, constraints: constraints, seed: 2),
    ] {
      let known = try filter.analysis(of: plane.states, members: plane.members, without)
      let analysis = try filter.analysis(of: plane.states, members: plane.members, with)
      #expect(largestDifference(analysis, known) < 1e-10)
      #expect(filter.leftOut == 1)
    }
  }

  /// Networks that come in turn, more of them than are remembered, are not mistaken for each other.
  @Test func networksMayAlternate() throws {
    let sets = (0..<11).map { i in
      plane.observe([(StaggeredPlane.absolute, Double(i % 6), 1), (StaggeredPlane.t, 2, Double(i % 5))])
    }
    let known = try sets.map { try analysis(eakf(), $0) }
    #expect(Set(known).count == 11)
    let filter = try eakf()
    for round in 0..<3 {
      for i in sets.indices where round < 2 || i < 5 { #expect(try analysis(filter, sets[i]) == known[i]) }
    }
  }

  /// Few observed elements are summed, with what they need carried; the choice depends on sizes alone.
  @Test func plansCountWhatIsCarried() {
    func plan(_ members: Int, _ carried: Int) -> ReductionPlan {
      ReductionPlan.choose(members: members, stateElements: 100, observations: 10, carried: carried)
    }
    // 36 bytes and a rounding for each of n + n p - p (p - 1) / 2 sums, against 8 N n.
    #expect(plan(48, 0) == .covariance && plan(47, 0) == .gather)
    #expect(plan(48, 10) == .gather && plan(53, 10) == .covariance)
  }
}
