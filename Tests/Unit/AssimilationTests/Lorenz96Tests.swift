import DaunceAssimilation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

/// The field's standard test: Lorenz-96, 40 variables, all observed every 0.05 with unit error variance.
@Suite struct Lorenz96Tests {
  /// Time mean of the analysis RMSE after 200 cycles of spin-up.
  private func error(
    _ filter: some InMemoryFilter, members: Int, model: Lorenz96, cycles: Int = 1200
  ) throws -> Double {
    let n = model.layout.count
    var truth = model.initialState(RandomStream(seed: 1, purpose: .natureInitial))
    func step(_ state: inout [Double]) {
      var span = state.mutableSpan
      model.forecast(&span, steps: 1, noise: RandomStream(seed: 0, purpose: .forecastNoise))
    }
    for _ in 0..<1000 { step(&truth) }
    var states = (0..<members).flatMap { m in
      let stream = RandomStream(seed: 1, purpose: .initialEnsemble, member: m)
      return (0..<n).map { truth[$0] + stream.normal(at: $0) }
    }
    var sum = 0.0
    for cycle in 0..<cycles {
      step(&truth)
      for m in 0..<members {
        var member = Array(states[m * n..<(m + 1) * n])
        step(&member)
        for i in 0..<n { states[m * n + i] = member[i] }
      }
      let noise = RandomStream(seed: 1, purpose: .observation, cycle: cycle)
      let observations = observe(
        model.layout, Array(0..<n), values: (0..<n).map { truth[$0] + noise.normal(at: $0) },
        errorVariances: [Double](repeating: 1, count: n))
      states = try filter.analysis(of: states, members: members, observations, cycle: cycle)
      guard cycle >= 200 else { continue }
      var square = 0.0
      for i in 0..<n {
        let mean = (0..<members).reduce(0) { $0 + states[$1 * n + i] } / Double(members)
        square += (mean - truth[i]) * (mean - truth[i])
      }
      sum += (square / Double(n)).squareRoot()
    }
    return sum / Double(cycles - 200)
  }

  /// Published: about 0.19 to 0.20.
  @Test func eakf() throws {
    let model = try Lorenz96()
    let filter = try EAKF(
      layout: model.layout, localization: ringLocalization(model.layout, halfWidth: 8),
      inflation: Inflation(factor: 1.02.squareRoot()))
    let error = try error(filter, members: 20, model: model)
    #expect((0.17...0.215).contains(error), "RMSE \(error)")
  }

  /// Published without localization: 0.22 with 40 members.
  @Test func stochasticEnKF() throws {
    let model = try Lorenz96()
    let filter = try StochasticEnKF(
      layout: model.layout, localization: .none(kinds: 1, fields: 1), inflation: Inflation(factor: 1.06), seed: 1)
    let error = try error(filter, members: 40, model: model)
    #expect((0.19...0.25).contains(error), "RMSE \(error)")
  }
}
