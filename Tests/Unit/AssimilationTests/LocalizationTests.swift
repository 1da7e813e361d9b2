import DaunceAssimilation
import DaunceConstraints
import DaunceState
import Testing

@Suite struct LocalizationTests {
  private func rejects(_ localization: DistanceLocalization) -> Bool {
    (try? EAKF(layout: skeletonLayout(cells: 8), localization: localization)) == nil
  }

  /// Two members, -1 and 1 everywhere: the mean of every element moves with its weight.
  @Test(arguments: [0.4, 1.0, 3.0, 4.5, 8.0, 100.0]) func weightsAreTheFunctionOfDistance(halfWidth: Double) throws {
    let layout = skeletonLayout(cells: 16)
    let states = (0..<layout.count).map { _ in -1.0 } + (0..<layout.count).map { _ in 1.0 }
    let filter = try EAKF(layout: layout, localization: ringLocalization(layout, halfWidth: halfWidth))
    for i in [0, 5, 15, 16, 40] {
      let analysis = try filter.analysis(
        of: states, members: 2, observe(layout, [i], values: [3], errorVariances: [2]))
      for j in 0..<layout.count {
        // Half of the innovation, for both variances are 2.
        let weight = GaspariCohn.value(Double(ringDistance(i % 16, j % 16, of: 16)) / halfWidth)
        #expect(abs((analysis[j] + analysis[64 + j]) / 2 - 1.5 * weight) < 1e-14)
      }
    }
  }

  @Test func couplingSelectsFields() throws {
    let layout = skeletonLayout(cells: 8)
    let states = skeletonEnsemble(layout, members: 4, seed: 2)
    let filter = try EAKF(layout: layout, localization: ringLocalization(layout, halfWidth: nil, .own))
    let analysis = try filter.analysis(
      of: states, members: 4, observe(layout, [3], values: [0.01], errorVariances: [1e-5]))
    for i in states.indices { #expect((analysis[i] != states[i]) == (i % 32 < 8)) }
  }

  @Test func correlationFallsSmoothlyToZero() {
    for r in stride(from: 0.0, to: 3, by: 0.01) {
      let (here, there) = (GaspariCohn.value(r), GaspariCohn.value(r + 0.01))
      #expect(here >= there && there >= 0 && here - there < 0.02)
    }
  }

  @Test func refusesWhatMakesNoSense() throws {
    let layout = skeletonLayout(cells: 8)
    for halfWidth in [0, -1, .nan, .infinity] { #expect(rejects(ringLocalization(layout, halfWidth: halfWidth))) }
    #expect(rejects(.none(kinds: 1, fields: 3)))
    let reach = DistanceLocalization.Reach.everywhere
    #expect(rejects(DistanceLocalization(reaches: [[reach, reach, reach, reach]], observed: [])))
    let twice = DistanceLocalization.Reach.within([1, 1])
    #expect(rejects(DistanceLocalization(reaches: [[twice, twice, twice, twice]], observed: [[twice]])))
    let one = try EAKF(layout: layout, localization: .none(kinds: 3, fields: 4))
    #expect(throws: AssimilationError.kind(found: 3, kinds: 3)) {
      try one.analysis(
        of: skeletonEnsemble(layout, members: 3, seed: 1), members: 3,
        observe(layout, [30], values: [0], errorVariances: [1]))
    }
  }

  /// Fields of a covariance act on each other both ways, and on themselves.
  @Test func covariancesAreSymmetric() throws {
    let layout = skeletonLayout(cells: 8)
    let constraints = ConstraintSet(layout: layout)
    for (f, g) in [(0, 1), (2, 2)] {
      var reaches = DistanceLocalization.none(kinds: 4, fields: 4).reaches
      reaches[f][g] = .off
      let oneWay = DistanceLocalization(reaches: reaches, observed: reaches)
      #expect(throws: AssimilationError.self) {
        try ConstrainedEAKF(layout: layout, localization: oneWay, constraints: constraints)
      }
    }
    #expect(throws: AssimilationError.kind(found: 3, kinds: 3)) {
      try ConstrainedEAKF(layout: layout, localization: .none(kinds: 3, fields: 4), constraints: constraints)
    }
  }

  @Test func outOfReachKeepsItsBits() throws {
    let layout = skeletonLayout(cells: 32)
    let members = 6
    let states = skeletonEnsemble(layout, members: members, seed: 4)
    let observations = observe(layout, [3 * 32 + 1], values: [0.3], errorVariances: [0.001])
    let localization = ringLocalization(layout, halfWidth: 2, .own)
    let inflation = try Inflation(factor: 1.1, relaxation: 0.5)
    let filters: [any InMemoryFilter] = [
      try EAKF(layout: layout, localization: localization, inflation: inflation),
      try StochasticEnKF(layout: layout, localization: localization, inflation: inflation, seed: 5),
    ]
    for filter in filters {
      let analysis = try filter.analysis(of: states, members: members, observations)
      for i in states.indices {
        let (variable, cell) = layout.cell(of: i % layout.count)
        let isInReach = variable == 3 && ringDistance(cell, 1, of: layout.cells) < 4
        #expect((analysis[i] != states[i]) == isInReach, "element \(i)")
      }
    }
  }
}
