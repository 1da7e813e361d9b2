import DaunceAgents
import DaunceModels
import DaunceNetworks
import DaunceNumerics
import DaunceObservations
import DaunceState
import Testing

/// A base that stays where it is, with functions to be seen.
private final class Known: BaseForecast {
  let layout: StateLayout
  let invariants: [LinearInvariant] = []
  let auxiliaryCount = 0
  let functions: [any StateFunction] = [KineticEnergy(), MeanValue()]
  init(_ layout: StateLayout) { self.layout = layout }
  func advance(_ state: inout MutableSpan<Double>, cycle: Int) {}
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {}
}

/// What agents see of the functions that are held in bands, by hand.
@Suite struct ConstraintInputsTests {
  private let layout = StateLayout(ring: 8, length: 8, fields: [Field(name: "u", scale: 2)])

  @Test func agentsSeeTheirDistanceAndTheStepBack() {
    let settings = AgentSettings(
      base: .coarseStep, inputs: .member, target: .truth, draws: .independent, bounds: .truncated, controls: [0],
      observed: [.init(field: 0, of: layout, errorVariance: 1)], window: 1, hidden: [],
      seenBands: [.init(name: "kinetic", lower: 2, upper: 3), .init(name: "mean", lower: 0, upper: 1)])
    let grid = AgentGrid(layout, grid: 0, window: 1)
    let features = Features(settings: settings, base: Known(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    let state = [2.0, -1, 3, 1, 2, -2, 1, 4]
    let catalogue = InputCatalogue()
    let rows = inputs(features, observed, forecast: state, catalogue: catalogue)
    // Member, observation, flag; then three for each function.
    #expect(rows.count == 3 + 2 * 3 && catalogue.groups.reduce(0) { $0 + $1.count } == rows.count)
    // <u^2> / 2 is 40 / 16 = 2.5, in the middle; the mean is 1.25, one and a half half-widths above it.
    for c in 0..<8 {
      #expect(rows[3][c] == 0 && rows[4][c] == 0 && rows[5][c] == 0)
      #expect(abs(Double(rows[6][c]) - 0.916290731874155) < 1e-6)
      #expect(abs(Double(rows[7][c]) - 0.75) < 1e-6)
      // The same step everywhere: -0.75 in u, over its scale.
      #expect(abs(Double(rows[8][c]) + 0.375) < 1e-6)
    }
    // Twice the state: 10, fifteen half-widths above; one step along the gradient.
    let double = inputs(features, observed, forecast: state.map { 2 * $0 })
    for c in 0..<8 {
      #expect(abs(Double(double[3][c]) - 2.772588722239781) < 1e-6)
      #expect(double[4][c] == 2)
      // -(10 - 2.5) g / |g|^2 with g = 2 u / 8: -7.5 * 8 * 2 u / (4 * 40), over 2.
      #expect(abs(Double(double[5][c]) - max(-4, min(4, -0.375 * state[c]))) < 1e-6)
    }
  }

  /// A policy fits only with that many inputs.
  @Test func policiesHaveThatManyInputs() throws {
    var settings = AgentSettings(
      base: .coarseStep, inputs: .member, target: .truth, draws: .independent, bounds: .truncated, controls: [0],
      observed: [.init(field: 0, of: layout, errorVariance: 1)], window: 1, hidden: [])
    let policy = try #require(Network(sizes: [6, 2], parameters: [Float](repeating: 0, count: 14)))
    #expect(!settings.fits(policy, layout: layout, auxiliary: 0))
    settings.seenBands = [.init(name: "mean", lower: 0, upper: 1)]
    #expect(settings.fits(policy, layout: layout, auxiliary: 0))
  }
}
