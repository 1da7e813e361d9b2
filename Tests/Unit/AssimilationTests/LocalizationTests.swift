import DaunceAssimilation
import DaunceState
import Testing

@Suite struct LocalizationTests {
  private func rejects(_ localization: Localization) -> Bool {
    (try? LocalizationTable(localization, layout: skeletonLayout(cells: 8))) == nil
  }

  @Test(arguments: [0.4, 1.0, 3.0, 4.5, 8.0, 100.0]) func tableHoldsTheFunctionOfDistance(halfWidth: Double) throws {
    let layout = skeletonLayout(cells: 16)
    let table = try LocalizationTable(Localization(halfWidth: halfWidth, coupling: .all), layout: layout)
    for i in [0, 5, 15, 16, 40] {
      for j in 0..<layout.count {
        let distance = ringDistance(i % 16, j % 16, of: 16)
        #expect(table.weight(i, j) == GaspariCohn.value(Double(distance) / halfWidth))
      }
    }
  }

  @Test func couplingSelectsVariables() throws {
    let layout = skeletonLayout(cells: 8)
    let own = try LocalizationTable(Localization(halfWidth: nil, coupling: .own), layout: layout)
    #expect(own.weight(3, 7) == 1)
    #expect(own.weight(3, 8) == 0)
    var pairs = [Bool](repeating: false, count: 16)
    for v in 0..<4 { pairs[v * 5] = true }
    (pairs[3], pairs[12]) = (true, true)
    let chosen = try LocalizationTable(Localization(halfWidth: nil, coupling: .pairs(pairs)), layout: layout)
    #expect(chosen.couples(0, 3) && chosen.couples(3, 0) && !chosen.couples(0, 1))
  }

  @Test func correlationFallsSmoothlyToZero() {
    for r in stride(from: 0.0, to: 3, by: 0.01) {
      let (here, there) = (GaspariCohn.value(r), GaspariCohn.value(r + 0.01))
      #expect(here >= there && there >= 0 && here - there < 0.02)
    }
  }

  @Test func refusesWhatMakesNoSense() {
    for halfWidth in [0, -1, .nan, .infinity] { #expect(rejects(Localization(halfWidth: halfWidth, coupling: .all))) }
    #expect(rejects(Localization(halfWidth: 1, coupling: .pairs([true]))))
    var oneWay = [Bool](repeating: true, count: 16)
    oneWay[1] = false
    #expect(rejects(Localization(halfWidth: 1, coupling: .pairs(oneWay))))
    var noSelf = [Bool](repeating: true, count: 16)
    noSelf[5] = false
    #expect(rejects(Localization(halfWidth: 1, coupling: .pairs(noSelf))))
  }

  @Test func outOfReachKeepsItsBits() throws {
    let layout = skeletonLayout(cells: 32)
    let members = 6
    let states = skeletonEnsemble(layout, members: members, seed: 4)
    let observations = Observations(elements: [3 * 32 + 1], values: [0.3], errorVariances: [0.001])
    let localization = Localization(halfWidth: 2, coupling: .own)
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
