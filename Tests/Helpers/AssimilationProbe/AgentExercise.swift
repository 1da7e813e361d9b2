import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceNumerics
import DaunceObservations
import DaunceState

/// A base whose filter moves every value by a third towards 2, and whose model adds noise.
private final class Analysis: AnalysisBase {
  let layout: StateLayout
  var invariants: [LinearInvariant] { [] }
  var auxiliaryCount: Int { 0 }
  var interval: Double { 1 }
  init(_ layout: StateLayout) { self.layout = layout }
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {}
  func forecast(_ state: inout MutableSpan<Double>, cycle: Int, noise: RandomStream) throws {
    for i in state.indices { state[i] += noise.normal(at: i) }
  }
  func makeFilter(seed: UInt64) throws -> any EnsembleUpdate { Third() }

  final class Third: EnsembleUpdate {
    func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
      for m in ensemble.states.indices { ensemble.states[m] = ensemble.states[m].map { $0 + (2 - $0) / 3 } }
    }
  }
}

/// Agents that correct an analysis, with networks of which the answer is known.
struct AgentExercise {
  let world: Communicator
  let members: Int
  private let layout = StateLayout(
    ring: 12, length: 12, fields: [Field(name: "u", reference: 1, scale: 3), Field(name: "v")])
  private var settings: AgentSettings {
    AgentSettings(
      base: .analysis, inputs: .ensemble, target: .truth, draws: .anomalies, bounds: .truncated, controls: [0],
      observed: [.init(field: 0, of: layout, errorVariance: 1)], window: 3, hidden: [])
  }

  /// Prints how far agents are from the analysis that they leave alone, from the one that they shift by a quarter of the
  /// spread while they halve the anomalies, and from the one whose spread they would raise without end; and a digest.
  func run() throws {
    try report("alone", outputs: (0, 0), shift: 0, factor: 1)
    try report("shifted", outputs: (0.25, -0.693_147_2), shift: 0.25, factor: 0.5)
    try report("limited", outputs: (0, 9), shift: 0, factor: 4.481_689)
  }

  private func report(_ name: String, outputs: (Float, Float), shift: Double, factor: Double) throws {
    // 3 windows, two at the cell, 2 windows of observations, the other field.
    let inputs = 5 * 3 + 3
    let parameters = [Float](repeating: 0, count: 2 * inputs) + [outputs.0, outputs.1]
    guard let policy = Network(sizes: [inputs, 2], parameters: parameters),
      let value = Network(sizes: [inputs, 1], parameters: [Float](repeating: 0, count: inputs + 1))
    else { return print("\(name): no network") }
    let distribution = try Distribution(members: members, ranks: world.size, rank: world.rank)
    let agent = Agent(
      policy: policy, value: value, policyOptimiser: Adam(parameters: 0), valueOptimiser: Adam(parameters: 0),
      multipliers: [])
    let update = try AgentUpdate(
      agents: distribution.local.map { _ in agent }, settings: settings, base: Analysis(layout),
      distribution: distribution, communicator: world, seed: 3)
    var ensemble = DistributedEnsemble(layout: layout, distribution: distribution, communicator: world)
    ensemble.states = distribution.local.map { m in (0..<layout.count).map { Double($0 + m * m) * 0.02 } }
    try update.forecast(&ensemble, cycle: 1)
    try update.update(&ensemble, observations: .none, cycle: 1)
    let all = GatheredEnsemble(width: layout.count, distribution: distribution, communicator: world)
    try all.gather(ensemble.states)
    guard world.isRoot else { return }
    let expected = expectation(shift: shift, factor: factor)
    let difference = zip(all.members, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    print("\(name): \(difference)")
    print("\(name)-digest: \(digest(all.members))")
  }

  /// The same by hand: forecast, filter, shift of the mean and factor on anomalies of `u`.
  private func expectation(shift: Double, factor: Double) -> [Double] {
    var states = (0..<members).map { m -> [Double] in
      let noise = RandomStream(seed: 3, purpose: .forecastNoise, member: m, cycle: 1)
      let forecast = (0..<layout.count).map { Double($0 + m * m) * 0.02 + noise.normal(at: $0) }
      return forecast.map { $0 + (2 - $0) / 3 }
    }
    for i in layout.range(0) {
      let x = states.map { $0[i] }
      let mean = x.reduce(0, +) / Double(members)
      let spread = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members - 1)).squareRoot()
      for m in 0..<members { states[m][i] = mean + shift * spread + factor * (x[m] - mean) }
    }
    return states.flatMap { $0 }
  }
}
