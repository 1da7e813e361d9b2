import DaunceAgents
import DaunceConstraints
import DaunceNetworks
import DaunceNumerics
import DaunceObservations
import DaunceState
import Testing

/// A pressure far from zero beside a bounded mixing ratio, on a ring of five cells; in units of `unit`, shifted by
/// `shift`.
private func layout(unit: Double = 1, shift: Double = 0) -> StateLayout {
  StateLayout(
    ring: 5, length: 5,
    fields: [
      Field(name: "p", reference: 100_000 * unit + shift, scale: 50 * unit),
      Field(name: "q", reference: 0.01, scale: 0.002, lowerBound: 0, upperBound: 0.0125),
    ])
}

private func settings(_ layout: StateLayout, _ observed: [AgentSettings.Observed], _ inputs: AgentSettings.Inputs)
  -> AgentSettings
{
  AgentSettings(
    base: .coarseStep, inputs: inputs, target: .truth, draws: .independent, bounds: .truncated, controls: [0],
    observed: observed, window: 3, hidden: [4])
}

/// Observations of elements (kind: their field), then functions of single elements (of one kind more).
private func observations(
  _ layout: StateLayout, elements: [Int], function: (PointwiseFunction, [Int])? = nil, values: [Double],
  errorVariances: [Double]
) -> ObservationSet {
  var rows = ObservationRows()
  for element in elements {
    rows.append([([element], [1])], by: ObservationOperator(fields: [layout.cell(of: element).field]))
  }
  for element in function?.1 ?? [] {
    rows.append(
      [([element], [1])],
      by: ObservationOperator(fields: [layout.cell(of: element).field], function: function?.0 ?? .identity))
  }
  let all = elements + (function?.1 ?? [])
  let kinds = elements.map { Int32(layout.cell(of: $0).field) } + (function?.1 ?? []).map { _ in Int32(2) }
  return ObservationSet(
    ObservationNetwork(rows: rows, kinds: kinds, places: all.map(layout.place(of:))), values: values,
    errorVariances: errorVariances)
}

private let square = ObservationOperator(fields: [0], function: .square)

@Suite struct CellObservationsTests {
  private let layout = StateLayout(ring: 5, length: 5, fields: [Field(name: "x"), Field(name: "y")])

  private func placed(_ set: ObservationSet, seesSquare: Bool = true) -> CellObservations {
    let kinds: [AgentSettings.Observed] =
      [.init(field: 0, of: layout, errorVariance: 0.5)]
      + (seesSquare ? [.init(name: "square_x", number: 2, operation: square, errorVariance: 2)] : [])
    let settings = settings(layout, kinds, .member)
    let cells = CellObservations(ObservationPlacement(settings, grid: AgentGrid(layout, grid: 0, window: 3)))
    cells.take(set)
    return cells
  }

  /// One kind is taken as it is, kinds that agents don't see are left out, the rest is missing.
  @Test func everyKindStandsAtItsCells() {
    let cells = placed(
      observations(
        layout, elements: [1, 3, 7], function: (.square, [0, 1]), values: [0.1, 0.3, 9, 4, 5],
        errorVariances: [0.7, 0.9, 1, 3, 0.1]))
    let (y, r) = (cells.values.values, cells.errorVariances.values)
    #expect(y[1] == 0.1 && y[3] == 0.3 && y[5] == 4 && y[6] == 5)
    #expect(y.indices.filter { y[$0].isNaN } == [0, 2, 4, 7, 8, 9])
    #expect(r == [0.5, 0.7, 0.5, 0.9, 0.5, 3, 0.1, 2, 2, 2])
    #expect(cells.deviations.values == r.map { $0.squareRoot() })
    #expect(cells.placed?.isOwn == [true, false])
    // h of a state where it is observed, 0 elsewhere; what is the state itself is left alone.
    var simulated = [Double](repeating: 7, count: 10)
    cells.simulate([3, -4, 1, 1, 1, 9, 9, 9, 9, 9], into: &simulated)
    #expect(simulated == [7, 7, 7, 7, 7, 9, 16, 0, 0, 0])
    // The next time has nothing of the one before.
    cells.take(.none)
    #expect(cells.values.values.allSatisfy { $0.isNaN })
    #expect(cells.errorVariances.values == [0.5, 0.5, 0.5, 0.5, 0.5, 2, 2, 2, 2, 2])
  }

  /// Values 1 and 4 with variances 1 and 2 in one cell: precisions 1 and 1/2, mean 2, variance 2/3.
  @Test func severalInACellAreTheirMeanByPrecision() {
    let operation = ObservationOperator(fields: [0])
    var rows = ObservationRows()
    rows.append([([1, 2], [0.8, 0.2])], by: operation)
    rows.append([([1, 2], [0.6, 0.4])], by: operation)
    rows.append([([4], [1])], by: operation)
    let network = ObservationNetwork(
      rows: rows, kinds: [0, 0, 0], places: [Place([1.2]), Place([1.4]), Place([4])])
    let cells = placed(ObservationSet(network, values: [1, 4, 6], errorVariances: [1, 2, 3]), seesSquare: false)
    #expect(abs(cells.values.values[1] - 2) < 1e-15 && cells.values.values[4] == 6)
    #expect(abs(cells.errorVariances.values[1] - 2.0 / 3) < 1e-15 && cells.errorVariances.values[4] == 3)
    // h(x) = 0.8 * 10 + 0.2 * 20 = 12 and 0.6 * 10 + 0.4 * 20 = 14, by the same weights; 50 at the last cell.
    var simulated = [Double](repeating: 7, count: 5)
    cells.simulate([0, 10, 20, 0, 50, 0, 0, 0, 0, 0], into: &simulated)
    for (found, expected) in zip(simulated, [0, 38.0 / 3, 0, 0, 50]) { #expect(abs(found - expected) < 1e-13) }
  }

  /// Gaps leave the error variances, and the numbers that decide are those of the state's elements.
  @Test func gapsAreMadeByElement() throws {
    func lost(_ stream: RandomStream) -> [Bool] { (0..<5).map { stream.uniform(at: 2 + 5 + $0) < 0.33 } }
    // One of those that take a third of the cells, and some of these.
    let stream = try #require(
      (0..<100).map { RandomStream(seed: $0, purpose: .test) }
        .first { $0.uniform(at: 1) >= 0.5 && Set(lost($0)).count == 2 })
    let settings = settings(layout, [.init(field: 1, of: layout, errorVariance: 0.5)], .member)
    let cells = CellObservations(ObservationPlacement(settings, grid: AgentGrid(layout, grid: 0, window: 3)))
    cells.take(
      observations(layout, elements: [5, 6, 7, 8, 9], values: [1, 2, 3, 4, 5], errorVariances: [1, 1, 1, 1, 1]))
    cells.makeGaps(fraction: 1, stream: stream)
    #expect(cells.values.values.map { $0.isNaN } == lost(stream))
    #expect(cells.errorVariances.values == [1, 1, 1, 1, 1])
  }
}

@Suite struct ObservedInputsTests {
  private let forecast = [99_950.0, 100_100, 100_000, 100_050, 99_900, 0.011, 0.009, 0.01, 0.012, 0.008]

  /// Two kinds and errors that differ: every input of every cell, by hand.
  @Test func theEnsembleIsComparedWithEachObservationByItsOwnError() {
    let layout = layout()
    let kinds = [
      AgentSettings.Observed(field: 0, of: layout, errorVariance: 100, seesError: true),
      .init(name: "threshold", number: 2, operation: .init(fields: [1], function: .square), errorVariance: 1e-6),
    ]
    let settings = settings(layout, kinds, .ensemble)
    let grid = AgentGrid(layout, grid: 0, window: 3)
    let features = Features(settings: settings, base: Still(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    observed.take(
      observations(
        layout, elements: [1, 2], function: (.square, [8]), values: [100_040, 99_980, 2e-4],
        errorVariances: [100, 400, 4e-6]))
    let mean = [100_000.0, 100_020, 100_000, 100_010, 99_990]
    let spread = [10.0, 20, 30, 40, 50]
    let catalogue = InputCatalogue()
    let rows = inputs(features, observed, forecast: forecast, mean: mean, spread: spread, catalogue: catalogue)
    #expect(catalogue.groups.reduce(0) { $0 + $1.count } == rows.count)
    #expect(catalogue.groups.map(\.name).contains("threshold: observation"))
    // Forecast 3, observation 3, flag, error, mean 3, spread, its logarithm, innovation, gain; q; function 3, flag and
    // two innovations.
    #expect(rows.count == 3 + 3 + 1 + 1 + 3 + 2 + 2 + 1 + 3 + 1 + 2)
    func check(_ row: Int, _ expected: [Double], _ what: Comment) {
      for (c, value) in expected.enumerated() { #expect(abs(Double(rows[row][c]) - value) < 2e-6, what) }
    }
    check(1, [-50, 100, 0, 50, -100].map { $0 / 75 }, "forecast")
    check(2, [100, 0, 50, -100, -50].map { $0 / 75 }, "forecast at the right neighbour")
    // The mean stands where there is no observation.
    check(4, [0, 40, -20, 10, -10].map { $0 / 75 }, "observation")
    check(6, [1, 0, 0, 1, 1], "flag")
    check(7, [0, 0, 1.3862943611, 0, 0], "log(r / r0)")
    check(13, [0, 1, -0.5, 0, 0], "innovation of two standard deviations of its own error")
    check(14, [0, 1 * 400 / 500, -0.5 * 900 / 1300, 0, 0], "the same by the gain")
    check(15, [0.001, -0.001, 0, 0.002, -0.002].map { $0 / 0.003 }, "the other field")
    // x^2 is 1e-4 at the reference and 0.44e-4 more a scale above it, but the typical error is 1e-3.
    check(17, [0, 0, 0, (2e-4 - 1e-4) / 1.5e-3, 0], "observed function")
    check(16, [0, 0, 0, 0, (2e-4 - 1e-4) / 1.5e-3], "observed function at the left neighbour")
    check(19, [1, 1, 1, 0, 1], "its flag")
    for row in [20, 21] { check(row, [0, 0, 0, (2e-4 - 0.012 * 0.012) / 4e-3, 0], "its innovation") }
  }

  /// Observations between cells are compared with the state there, not with that at the nearest cell.
  @Test func innovationsAreAgainstTheObservedPlace() {
    let layout = layout()
    let settings = settings(layout, [.init(field: 0, of: layout, errorVariance: 100)], .ensemble)
    let grid = AgentGrid(layout, grid: 0, window: 3)
    let features = Features(settings: settings, base: Still(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    var rows = ObservationRows()
    rows.append([([1, 2], [0.6, 0.4])], by: ObservationOperator(fields: [0]))
    let network = ObservationNetwork(rows: rows, kinds: [0], places: [Place([1.4])])
    observed.take(ObservationSet(network, values: [100_022], errorVariances: [100]))
    let mean = [100_000.0, 100_020, 100_000, 100_010, 99_990]
    let tile = inputs(features, observed, forecast: forecast, mean: mean, spread: [10, 10, 10, 10, 10])
    // 100,022 against 0.6 * 20 + 0.4 * 0 = 12 beyond 100,000: half of two standard deviations.
    #expect(abs(tile[12][1] - 0.5) < 1e-6)
    #expect(tile[12][2] == 0)
  }

  /// The mean of three cells is compared with that of the forecast, and cells beside its centre see the innovation too.
  @Test func innovationsOfMeansAreInWindows() {
    let layout = layout()
    let operation = ObservationOperator(fields: [0], footprint: 3)
    let kinds = [AgentSettings.Observed(name: "mean_3_p", number: 2, operation: operation, errorVariance: 100)]
    let settings = settings(layout, kinds, .ensemble)
    let grid = AgentGrid(layout, grid: 0, window: 3)
    let features = Features(settings: settings, base: Still(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    var builder = RowBuilder(layout)
    var rows = ObservationRows()
    rows.append(builder.rows(of: operation, at: layout.place(of: 1)) ?? [], by: operation)
    let network = ObservationNetwork(rows: rows, kinds: [2], places: [layout.place(of: 1)])
    observed.take(ObservationSet(network, values: [100_026 + 2.0 / 3], errorVariances: [100]))
    let mean = [100_000.0, 100_020, 100_000, 100_010, 99_990]
    let tile = inputs(features, observed, forecast: forecast, mean: mean, spread: [10, 10, 10, 10, 10])
    // Forecast 3, mean 3, spread, its logarithm; q; window 3, flag, innovations 3 and 3.
    #expect(tile.count == 3 + 3 + 2 + 1 + 3 + 1 + 3 + 3)
    // The forecast's mean is (-50 + 100 + 0) / 3 beyond 100,000, 10 less; that of the ensemble's mean 20 / 3, 20 less.
    for (row, innovation) in [(14, 0.5), (17, 1.0)] {
      for (place, cell) in [2, 1, 0].enumerated() {
        for c in 0..<5 { #expect(abs(Double(tile[row - 1 + place][c]) - (c == cell ? innovation : 0)) < 1e-5) }
      }
    }
  }

  /// The same problem in hectopascals from another zero: the same actions in that unit, to rounding.
  @Test func unitsDoNotMatter() {
    let (plain, other) = (actions(unit: 1, shift: 0), actions(unit: 0.01, shift: -1000))
    for c in 0..<5 {
      #expect(abs(plain[c] - (other[c] + 1000) * 100) < 1e-3, "cell \(c)")
      #expect(abs(plain[c] - 100_000) > 0.5 && abs(plain[c] - 100_000) < 500, "cell \(c): \(plain[c])")
    }
  }

  private func actions(unit: Double, shift: Double) -> [Double] {
    let layout = layout(unit: unit, shift: shift)
    func own(_ x: Double) -> Double { x * unit + shift }
    let kinds = [
      AgentSettings.Observed(field: 0, of: layout, errorVariance: 100 * unit * unit, seesError: true),
      .init(name: "absolute_p", number: 2, operation: .init(fields: [0]), errorVariance: 400 * unit * unit),
    ]
    let settings = settings(layout, kinds, .ensemble)
    let grid = AgentGrid(layout, grid: 0, window: 3)
    let features = Features(settings: settings, base: Still(layout), grid: grid, members: 2)
    let observed = CellObservations(ObservationPlacement(settings, grid: grid))
    observed.take(
      observations(
        layout, elements: [1, 2], function: (.identity, [3]), values: [100_040, 99_980, 100_030].map(own),
        errorVariances: [100, 400, 400].map { $0 * unit * unit }))
    let policy = Network(
      sizes: [features.count, 4, 2], outputGain: 1, stream: RandomStream(seed: 2, purpose: .test))
    let head = PolicyHead(settings: settings, layout: layout)
    let mean = [100_000.0, 100_020, 100_000, 100_010, 99_990].map(own)
    let x = forecast.prefix(5).map(own) + forecast.dropFirst(5)
    var actions = [Double](repeating: 0, count: 5)
    withInputs(features, observed, forecast: x, mean: mean, spread: [10, 20, 30, 40, 50].map { $0 * unit }) {
      tile, cells, vectors in
      let activations = Activations(network: policy, vectors: vectors)
      for i in tile.indices { activations.input[i] = tile[i] }
      policy.forward(activations)
      let uniforms = [0.1, 0.3, 0.5, 0.7, 0.9]
      head.sample(0, into: &actions, scales: nil, anchors: mean, activations, uniforms: uniforms)
    }
    return actions
  }
}

@Suite struct UpperBoundTests {
  /// Draws keep both bounds, by every law.
  @Test(arguments: [AgentSettings.Bounds.truncated, .clip, .softplus])
  func actionsStayBelowTheirUpperBound(bounds: AgentSettings.Bounds) {
    let layout = layout()
    var settings = settings(layout, [], .member)
    (settings.controls, settings.bounds) = ([1], bounds)
    let head = PolicyHead(settings: settings, layout: layout)
    let policy = Network(sizes: [1, 2], outputGain: 0, stream: RandomStream(seed: 2, purpose: .test))
    let tile = Activations(network: policy, vectors: 1)
    policy.forward(tile)
    let anchors = [0.0124, 0.0125, 0.012, 0.001, 0.0]
    var actions = [Double](repeating: 0, count: 5)
    head.sample(0, into: &actions, scales: nil, anchors: anchors, tile, uniforms: [0.99, 0.9, 0.5, 0.01, 0.01])
    #expect(actions[0] == 0.0125 && actions[1] == 0.0125)
    #expect(actions.allSatisfy { $0 >= 0 && $0 <= 0.0125 })
    #expect(actions[2] < 0.0125)
  }

  /// Three units of mass are missing, and the middle cell has room for half of one.
  @Test func conservationKeepsUpperBounds() {
    let layout = StateLayout(ring: 3, length: 3, fields: [Field(name: "u", upperBound: 2)])
    let mass = LinearInvariant(name: "mass", coefficients: [1, 1, 1])
    let projection = InvariantProjection(invariants: [mass], layout: layout, controls: [0])
    var actions = [0.0, 1.5, 0]
    projection.project(&actions, scales: [1, 1, 1], base: [1.5, 1.5, 1.5])
    for (found, expected) in zip(actions, [1.25, 2, 1.25]) { #expect(abs(found - expected) < 1e-12) }
  }
}
