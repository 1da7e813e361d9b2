import DaunceAssimilation
import DaunceConstraints
import Foundation
import DaunceNumerics
import DaunceObservations
import DaunceState
import Testing

/// Sample mean and covariance (divisor N - 1) of `[member][element]`.
func moments(_ states: [Double], members: Int) -> (mean: [Double], covariance: [Double]) {
  let n = states.count / members
  let mean = (0..<n).map { i in (0..<members).reduce(0) { $0 + states[$1 * n + i] } / Double(members) }
  let covariance = (0..<n * n).map { e in
    (0..<members).reduce(0) {
      $0 + (states[$1 * n + e / n] - mean[e / n]) * (states[$1 * n + e % n] - mean[e % n])
    } / Double(members - 1)
  }
  return (mean, covariance)
}

/// The Kalman update of a mean and covariance, one observation after the other.
func kalman(
  _ prior: (mean: [Double], covariance: [Double]), _ observations: ObservationSet
) -> (mean: [Double], covariance: [Double]) {
  var (mean, p) = prior
  let n = mean.count
  for k in 0..<observations.count {
    let j = observations.network.rows.element(k) ?? -1
    let column = (0..<n).map { p[$0 * n + j] }
    let total = column[j] + observations.errorVariances[k]
    let innovation = observations.values[k] - mean[j]
    for i in 0..<n {
      mean[i] += column[i] / total * innovation
      for l in 0..<n { p[i * n + l] -= column[i] * column[l] / total }
    }
  }
  return (mean, p)
}

@Suite struct FilterTests {
  private let layout = plainLayout(cells: 5)
  private let observations = observe(
    plainLayout(cells: 5), [0, 2, 3], values: [1.0, -0.5, 0.3], errorVariances: [0.5, 0.2, 1.0])

  /// Correlated normal members.
  private func sample(members: Int, seed: UInt64) -> [Double] {
    (0..<members).flatMap { m in
      let stream = RandomStream(seed: seed, purpose: .test, member: m)
      var value = stream.normal(at: 99)
      return (0..<5).map { i in
        value = 0.7 * value + stream.normal(at: i)
        return value + Double(i) / 2
      }
    }
  }

  private func exactPrior() -> (mean: [Double], covariance: [Double]) {
    var p = [Double](repeating: 0, count: 25)
    var variance = 1.0
    for i in 0..<5 {
      variance = 0.49 * variance + 1
      p[i * 5 + i] = variance
      for j in (i + 1)..<max(i + 1, 5) {
        let value = variance * pow(0.7, Double(j - i))
        (p[i * 5 + j], p[j * 5 + i]) = (value, value)
      }
    }
    return ((0..<5).map { Double($0) / 2 }, p)
  }

  @Test func eakfIsTheKalmanUpdateOfTheSampleMoments() throws {
    let states = sample(members: 9, seed: 1)
    let filter = try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1))
    let analysis = moments(try filter.analysis(of: states, members: 9, observations), members: 9)
    let known = kalman(moments(states, members: 9), observations)
    #expect(largestDifference(analysis.mean, known.mean) < 1e-13)
    #expect(largestDifference(analysis.covariance, known.covariance) < 1e-13)
  }

  @Test func enkfMeanIsTheKalmanUpdateOfTheSampleMean() throws {
    let states = sample(members: 9, seed: 1)
    let filter = try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), seed: 2)
    let analysis = moments(try filter.analysis(of: states, members: 9, observations), members: 9)
    let known = kalman(moments(states, members: 9), observations)
    #expect(largestDifference(analysis.mean, known.mean) < 1e-13)
  }

  /// Root mean square error of the analysis mean against the exact Kalman filter, over several ensembles.
  private func error(_ filter: some InMemoryFilter, members: Int) throws -> Double {
    let known = kalman(exactPrior(), observations)
    var sum = 0.0
    for seed in 0..<12 {
      let states = sample(members: members, seed: UInt64(100 + seed))
      let analysis = moments(
        try filter.analysis(of: states, members: members, observations, cycle: seed), members: members)
      for i in 0..<5 { sum += pow(analysis.mean[i] - known.mean[i], 2) }
    }
    return (sum / 60).squareRoot()
  }

  @Test func convergesToTheKalmanFilter() throws {
    for filter in [
      try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1)) as any InMemoryFilter,
      try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), seed: 3),
    ] {
      let (coarse, fine) = (try error(filter, members: 50), try error(filter, members: 3200))
      // 64 times the members, an eighth of the error.
      let rate = log(coarse / fine) / log(64)
      #expect(abs(rate - 0.5) < 0.12, "rate \(rate)")
      #expect(fine < 0.025)
    }
  }

  @Test func enkfSpreadConvergesToo() throws {
    let filter = try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), seed: 3)
    let states = sample(members: 6000, seed: 5)
    let analysis = moments(try filter.analysis(of: states, members: 6000, observations), members: 6000)
    #expect(largestDifference(analysis.covariance, kalman(exactPrior(), observations).covariance) < 0.06)
  }

  @Test func perturbationsHaveNoMeanAndTheRightVariance() throws {
    let filter = try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), seed: 7)
    let drawn = try filter.perturbations(members: 4000, observations: observations, cycle: 3)
    let (mean, covariance) = moments(drawn, members: 4000)
    for k in 0..<3 {
      #expect(abs(mean[k]) < 1e-14)
      #expect(abs(covariance[k * 3 + k] / observations.errorVariances[k] - 1) < 0.1)
    }
    #expect(abs(covariance[1]) < 0.05)
    // A missing observation changes nothing for the others.
    let fewer = observe(layout, [0, 3], values: [0, 0], errorVariances: [0.5, 1.0])
    let partial = try filter.perturbations(members: 4000, observations: fewer, cycle: 3)
    #expect(partial[0] == drawn[0] && partial[1] == drawn[2])
    #expect(try filter.perturbations(members: 4000, observations: observations, cycle: 4) != drawn)
  }

  @Test func noObservationsNoChange() throws {
    let layout = skeletonLayout(cells: 16)
    let states = skeletonEnsemble(layout, members: 4, seed: 6)
    let nothing = observe(layout, [], values: [], errorVariances: [])
    let localization = ringLocalization(layout, halfWidth: 3)
    let inflation = try Inflation(factor: 1.2, relaxation: 0.3)
    let constraints = ConstraintSet(layout: layout, invariants: skeletonInvariants(cells: 16))
    let filters: [any InMemoryFilter] = [
      try EAKF(layout: layout, localization: localization, inflation: inflation, floor: true),
      try StochasticEnKF(layout: layout, localization: localization, inflation: inflation, seed: 1),
      try ConstrainedEAKF(layout: layout, localization: localization, inflation: inflation, constraints: constraints),
      try ConstrainedEnKF(
        layout: layout, localization: localization, inflation: inflation, constraints: constraints, seed: 1),
    ]
    for filter in filters { #expect(try filter.analysis(of: states, members: 4, nothing) == states) }
  }

  @Test(arguments: [Coupling.all, .own]) func bothFormsAgree(coupling: Coupling) throws {
    let layout = skeletonLayout(cells: 24)
    let members = 7
    let states = skeletonEnsemble(layout, members: members, seed: 8)
    let elements = [3, 30, 31] + (72..<96).filter { $0 % 3 != 0 } + [95]
    let observations = observe(
      layout, elements, values: elements.map { 0.01 * Double($0 % 7) },
      errorVariances: elements.map { 0.001 + 0.0001 * Double($0) })
    let localization = ringLocalization(layout, halfWidth: 3, coupling)
    for inflation in [Inflation.none, try Inflation(factor: 1.1), try Inflation(factor: 1.05, relaxation: 0.4)] {
      let filter = try EAKF(layout: layout, localization: localization, inflation: inflation, floor: true)
      let gathered = try filter.analysis(of: states, members: members, observations)
      // Members 2 and 3 on a rank of their own.
      var local = Array(states[2 * layout.count..<4 * layout.count])
      var known = EnsembleMoments(of: states.span, members: members, observing: observations.network)
      var span = local.mutableSpan
      try filter.analyse(
        &span, first: 2, members: members, moments: &known, observations: observations, cycle: 0)
      #expect(largestDifference(local, Array(gathered[2 * layout.count..<4 * layout.count])) < 1e-14)
    }
  }

  @Test func localMembersDoNotDependOnTheOthers() throws {
    let layout = skeletonLayout(cells: 16)
    let states = skeletonEnsemble(layout, members: 5, seed: 9)
    let observations = observe(
      layout, Array(48..<64), values: .init(repeating: 0.02, count: 16),
      errorVariances: .init(repeating: 0.01, count: 16))
    let localization = ringLocalization(layout, halfWidth: 3)
    let constraints = ConstraintSet(layout: layout, invariants: skeletonInvariants(cells: 16))
    for filter in [
      try StochasticEnKF(layout: layout, localization: localization, seed: 1) as any InMemoryFilter,
      try ConstrainedEAKF(layout: layout, localization: localization, constraints: constraints),
      try ConstrainedEnKF(layout: layout, localization: localization, constraints: constraints, seed: 1),
    ] {
      let all = try filter.analysis(of: states, members: 5, observations)
      for range in [0..<1, 1..<4, 4..<5] {
        var work = states
        var span = work.mutableSpan
        try filter.analyse(&span, members: 5, local: range, observations: observations, cycle: 0)
        let part = range.lowerBound * 64..<range.upperBound * 64
        #expect(work[part] == all[part])
      }
    }
  }

  @Test func inflationActsOnTheForecast() throws {
    let states = sample(members: 9, seed: 1)
    var prior = moments(states, members: 9)
    for i in prior.covariance.indices { prior.covariance[i] *= 1.3 * 1.3 }
    let filter = try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1), inflation: Inflation(factor: 1.3))
    let analysis = moments(try filter.analysis(of: states, members: 9, observations), members: 9)
    let known = kalman(prior, observations)
    #expect(largestDifference(analysis.mean, known.mean) < 1e-13)
    #expect(largestDifference(analysis.covariance, known.covariance) < 1e-13)
  }

  @Test func relaxationMixesSpreads() throws {
    let states = sample(members: 9, seed: 1)
    let prior = moments(states, members: 9)
    for make in [
      { try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1), inflation: $0) },
      { try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), inflation: $0, seed: 4) },
    ] as [(Inflation) throws -> any InMemoryFilter] {
      let plain = moments(try make(.none).analysis(of: states, members: 9, observations), members: 9)
      let filter = try make(Inflation(relaxation: 0.25))
      let relaxed = moments(try filter.analysis(of: states, members: 9, observations), members: 9)
      #expect(largestDifference(plain.mean, relaxed.mean) < 1e-13)
      for i in 0..<5 {
        let expected =
          0.75 * plain.covariance[i * 6].squareRoot() + 0.25 * prior.covariance[i * 6].squareRoot()
        #expect(abs(relaxed.covariance[i * 6].squareRoot() - expected) < 1e-13)
      }
    }
  }

  @Test func relaxationMixesPerturbations() throws {
    let states = sample(members: 9, seed: 1)
    let prior = moments(states, members: 9).mean
    for make in [
      { try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1), inflation: $0) },
      { try StochasticEnKF(layout: layout, localization: .none(kinds: 1, fields: 1), inflation: $0, seed: 4) },
    ] as [(Inflation) throws -> any InMemoryFilter] {
      let plain = try make(.none).analysis(of: states, members: 9, observations)
      let mean = moments(plain, members: 9).mean
      let filter = try make(Inflation(perturbationRelaxation: 0.25))
      let relaxed = try filter.analysis(of: states, members: 9, observations)
      let expected = plain.indices.map { i in
        mean[i % 5] + 0.75 * (plain[i] - mean[i % 5]) + 0.25 * (states[i] - prior[i % 5])
      }
      #expect(largestDifference(relaxed, expected) < 1e-13)
    }
  }

  @Test func refusesWhatMakesNoSense() throws {
    #expect(throws: AssimilationError.self) { try Inflation(factor: 0) }
    #expect(throws: AssimilationError.self) { try Inflation(relaxation: 1.5) }
    #expect(throws: AssimilationError.self) { try Inflation(perturbationRelaxation: -0.1) }
    let filter = try EAKF(layout: layout, localization: .none(kinds: 1, fields: 1))
    let states = sample(members: 3, seed: 1)
    #expect(throws: AssimilationError.members(found: 1)) {
      try filter.analysis(of: Array(states[..<5]), members: 1, observations)
    }
    #expect(throws: AssimilationError.observedElement(found: 5, elements: 5)) {
      try filter.analysis(
        of: states, members: 3, observe(layout, [5], values: [0], errorVariances: [1]))
    }
    #expect(throws: AssimilationError.errorVariance(observation: 0, found: 0)) {
      try filter.analysis(
        of: states, members: 3, observe(layout, [1], values: [0], errorVariances: [0]))
    }
  }

  /// A filter may leave the admissible range, and broken members must not stop it: failures are found by its caller.
  @Test func negativeAndBrokenMembersDoNotThrow() throws {
    let layout = skeletonLayout(cells: 16)
    var states = skeletonEnsemble(layout, members: 4, seed: 6)
    let observations = observe(
      layout, Array(48..<64), values: .init(repeating: -1, count: 16),
      errorVariances: .init(repeating: 1e-4, count: 16))
    let localization = ringLocalization(layout, halfWidth: 3)
    let constraints = ConstraintSet(
      layout: layout, invariants: skeletonInvariants(cells: 16),
      bands: [Band(function: Energy(cells: 16), lower: 0.05, upper: 0.07)])
    let plain = try EAKF(layout: layout, localization: localization)
    #expect(try plain.analysis(of: states, members: 4, observations).contains { $0 < -0.01 })
    let floored = try EAKF(layout: layout, localization: localization, floor: true)
    let analysis = try floored.analysis(of: states, members: 4, observations)
    #expect(analysis.indices.allSatisfy { $0 % 64 < 48 || analysis[$0] >= 1e-4 })
    for broken in [Double.nan, .infinity] {
      states[64 + 50] = broken
      let filters: [any InMemoryFilter] = [
        plain, floored, try StochasticEnKF(layout: layout, localization: localization, seed: 1),
        try ConstrainedEAKF(layout: layout, localization: localization, constraints: constraints),
        try ConstrainedEAKF(layout: layout, localization: localization, constraints: constraints, solver: .slsqp),
        try ConstrainedEnKF(layout: layout, localization: localization, constraints: constraints, seed: 1),
      ]
      for filter in filters {
        #expect(try filter.analysis(of: states, members: 4, observations).contains { !$0.isFinite })
      }
    }
  }
}
