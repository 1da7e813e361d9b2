package import DaunceNetworks
import DaunceNumerics
import DaunceObservations
import DaunceState

/// Fills the policy's inputs for one member: local features of every cell, normalised to about [-1, 1]; fields are about
/// their reference in units of their scale.
///
/// For each controlled or observed field: a window of the base forecast and of the observation (the forecast where it is
/// missing, with a flag), their square roots where the field is bounded below, and the logarithm of the observation's
/// error variance over its typical value where that varies; the other fields and the model's auxiliary fields at the
/// cell; with `inputs: ensemble` the mean in a window of three cells, the spread, its logarithm and the innovation
/// against the mean, raw and times the Kalman gain of that spread; with `inputs: covariances` that and the terms of
/// `LocalGain`; with `base: persistence` the two last finite differences in time. Observations of anything else
/// than a field of the agents' grid come after the fields, see `putFunction`. `inputs: literal` replaces all of that,
/// see `LiteralInputs`, and so does `base: analysis`, see `AnalysisInputs`.
package final class Features {
  /// What is known of one member at one time. Buffers are borrowed for the call.
  package struct View {
    /// Base forecast, `[layout.count]`.
    let forecast: UnsafePointer<Double>
    let observed: CellObservations
    /// h(x) of the forecast, and of the forecast with the ensemble's mean in the controls' place, for the kinds that are
    /// not the state itself: `[kind][cell]`.
    let simulated: UnsafePointer<Double>
    let simulatedMean: UnsafePointer<Double>
    /// Ensemble mean and standard deviation of the base forecast of the controls, `[control][cell]` each.
    let mean: UnsafePointer<Double>
    let spread: UnsafePointer<Double>
    /// Regressions on the window's cells, `[control][place][cell]`; used with `inputs: covariances`.
    let regressions: UnsafePointer<Double>
    /// Ensemble mean and standard deviation of the forecast that the base is an analysis of, `[control][cell]`; used
    /// with `base: analysis`.
    let forecastMean: UnsafePointer<Double>
    let forecastSpread: UnsafePointer<Double>
    /// Analyses one and two observation times ago, `[layout.count]`; used with `base: persistence`.
    let previous: UnsafePointer<Double>
    let beforePrevious: UnsafePointer<Double>
    /// Observation times since the start; used with `inputs: literal`.
    let time: Int

    package init(
      forecast: UnsafePointer<Double>, observed: CellObservations, simulated: UnsafePointer<Double>,
      simulatedMean: UnsafePointer<Double>, mean: UnsafePointer<Double>, spread: UnsafePointer<Double>,
      regressions: UnsafePointer<Double>, forecastMean: UnsafePointer<Double>, forecastSpread: UnsafePointer<Double>,
      previous: UnsafePointer<Double>, beforePrevious: UnsafePointer<Double>, time: Int
    ) {
      (self.forecast, self.observed) = (forecast, observed)
      (self.simulated, self.simulatedMean) = (simulated, simulatedMean)
      (self.mean, self.spread, self.regressions) = (mean, spread, regressions)
      (self.forecastMean, self.forecastSpread) = (forecastMean, forecastSpread)
      (self.previous, self.beforePrevious, self.time) = (previous, beforePrevious, time)
    }
  }

  /// A field as agents see it.
  private struct Field {
    let number: Int
    let control: Int?
    /// Number among the observed kinds of its own observations.
    let kind: Int?
    /// Their typical error variance, where inputs are to tell how far from it they are.
    let error: Double?
    let reference: Double
    let scale: Double
    let lowerBound: Double?
    /// How many inputs its own observations make, and what agents see of the ensemble in it.
    let observationInputs, ensembleInputs: Int
    /// Of inputs: deviations from the reference are multiplied by it.
    var unit: Double { 1 / (1.5 * scale) }
  }

  /// An observed kind that is no field of the agents' grid, with its typical values.
  private struct Function {
    let kind: Int
    /// As of a field.
    let error: Double?
    let reference: Double
    let scale: Double
    /// Whether it is a mean of cells around, for all of which the innovation counts.
    let isMean: Bool
  }

  /// Number of inputs.
  package let count: Int
  /// Cells that agents act on.
  package var cells: Int { grid.cells }
  private let settings: AgentSettings
  private let grid: AgentGrid
  private let fields: [Field]
  private let functions: [Function]
  private let base: any BaseForecast
  private let literal: LiteralInputs?
  private let analysis: AnalysisInputs?
  private let constraints: ConstraintInputs
  private var auxiliary: [Double]
  private let row: Workspace<Float>
  private let innovations: Workspace<Double>

  /// - Parameter members: of the ensemble.
  package init(settings: AgentSettings, base: any BaseForecast, grid: AgentGrid, members: Int) {
    self.settings = settings
    self.base = base
    self.grid = grid
    let layout = grid.layout
    let kinds = settings.observed
    let observed = kinds.map { $0.field(of: layout, onGrid: grid.number) }
    let errors = kinds.map { $0.seesError ? $0.errorVariance : nil }
    fields = layout.fields.enumerated().map { v, field in
      let kind = observed.firstIndex(of: v)
      let counts = Self.counts(v, kind, settings: settings, layout: layout)
      return Field(
        number: v, control: settings.controls.firstIndex(of: v), kind: kind, error: kind.flatMap { errors[$0] },
        reference: field.reference, scale: field.scale, lowerBound: field.lowerBound,
        observationInputs: counts.observation, ensembleInputs: counts.ensemble)
    }
    functions = kinds.indices.filter { observed[$0] == nil }.map { j in
      let range = kinds[j].range(in: layout)
      return Function(
        kind: j, error: errors[j], reference: range.reference, scale: range.scale,
        isMean: kinds[j].operation.footprint > 1)
    }
    literal = settings.inputs == .literal ? LiteralInputs(grid) : nil
    analysis = settings.base == .analysis ? AnalysisInputs(settings, base: base, members: members, grid: grid) : nil
    constraints = ConstraintInputs(settings, functions: base.functions, grid: grid)
    auxiliary = [Double](repeating: 0, count: base.auxiliaryCount * grid.cells)
    // Whole vectors, for the logarithm; 1 has one.
    let vectors = (grid.cells + Lanes.scalarCount - 1) / Lanes.scalarCount
    row = Workspace(repeating: 1, count: vectors * Lanes.scalarCount)
    innovations = Workspace(repeating: .nan, count: grid.cells)
    count = Self.count(settings: settings, layout: layout, auxiliary: base.auxiliaryCount)
  }

  /// Writes the inputs of all cells into `tile` (`[input][cell]`, padded to whole vectors).
  ///
  /// - Parameters:
  ///   - catalogue: told what the inputs are.
  ///   - lane: where the first cell is in the tile's vector; others than 0 for members side by side.
  ///   - other: how many lanes before it the inputs of another member of the same ensemble at the same time stand, which
  ///     share what all members see alike; 0: the tile was last filled for it here.
  package func fill(
    _ tile: UnsafeMutableBufferPointer<Lanes>, _ view: View, vectors: Int, catalogue: InputCatalogue? = nil,
    lane: Int = 0, other: Int? = nil
  ) {
    let stride = vectors * Lanes.scalarCount
    guard let first = UnsafeMutableRawPointer(tile.baseAddress)?.assumingMemoryBound(to: Float.self) else { return }
    let start = first + lane
    if let literal {
      if let catalogue { literal.list(in: catalogue) }
      return literal.fill(
        start, stride: stride, state: view.forecast, previous: view.previous, beforePrevious: view.beforePrevious,
        time: view.time, row: row.start)
    }
    var out = InputRows(
      out: start, stride: stride, cells: grid.cells, row: row.start, catalogue: catalogue,
      other: catalogue == nil && settings.seesEnsemble ? other : nil)
    if let analysis {
      analysis.fill(view, &out)
    } else {
      putFields(view, vectors, &out)
    }
    constraints.fill(view, &out)
    for values in grid.window.edges {
      for c in 0..<grid.cells { row.start[c] = values[c] }
      out.put("ends of an axis")
    }
    putAuxiliary(view.forecast, &out)
  }

  private func putFields(_ view: View, _ vectors: Int, _ out: inout InputRows) {
    for field in fields {
      let x = grid.values(field.number, of: view.forecast)
      putForecast(field, x, &out)
      let mean = settings.seesEnsemble ? field.control.map { view.mean + $0 * grid.cells } : nil
      if let kind = field.kind, mean == nil || !out.passShared(field.observationInputs) {
        putObservation(field, kind, instead: mean ?? x, view, &out)
      }
      if let mean, let control = field.control, !out.passShared(field.ensembleInputs) {
        putEnsemble(field, control, mean, view, vectors, &out)
      }
      if settings.base == .persistence { putDifferences(field, x, view, &out) }
    }
    for function in functions { putFunction(function, view, &out) }
  }

  private func name(_ field: Field) -> String { grid.layout.fields[field.number].name }

  private func putForecast(_ field: Field, _ x: UnsafePointer<Double>, _ out: inout InputRows) {
    let (n, row, reference, unit) = (grid.cells, row.start, field.reference, field.unit)
    for c in 0..<n { row[c] = Float((x[c] - reference) * unit) }
    guard field.control != nil || field.kind != nil else { return out.put("\(name(field)): member") }
    out.put(grid.window, "\(name(field)): member")
    guard let lower = field.lowerBound else { return }
    for c in 0..<n { row[c] = Float((max(0, x[c] - lower) * unit).squareRoot()) }
    out.put("\(name(field)): root of the member above its bound")
    for c in 0..<n { row[c] = Float(min((x[c] - reference) / field.scale, 1)) }
    out.put("\(name(field)): member, large values cut off")
  }

  /// A field's own observations.
  ///
  /// - Parameter fallback: what stands where there is none (`[cell]`).
  private func putObservation(
    _ field: Field, _ kind: Int, instead fallback: UnsafePointer<Double>, _ view: View, _ out: inout InputRows
  ) {
    let (n, row, reference, unit) = (grid.cells, row.start, field.reference, field.unit)
    let y = view.observed.values.start + kind * n
    for c in 0..<n { row[c] = Float(((y[c].isNaN ? fallback[c] : y[c]) - reference) * unit) }
    out.put(grid.window, "\(name(field)): observation")
    if let lower = field.lowerBound {
      for c in 0..<n { row[c] = (max(0, row[c] - Float((lower - reference) * unit))).squareRoot() }
      out.put("\(name(field)): root of the observation above the bound")
    }
    putFlag(y, name(field), &out)
    if let error = field.error { putError(kind, typical: error, name(field), view, &out) }
  }

  private func putFlag(_ y: UnsafePointer<Double>, _ name: @autoclosure () -> String, _ out: inout InputRows) {
    for c in 0..<grid.cells { row.start[c] = y[c].isNaN ? 1 : 0 }
    out.put("\(name()): missing or not")
  }

  /// Logarithm of the error variance over the kind's typical one.
  private func putError(
    _ kind: Int, typical: Double, _ name: @autoclosure () -> String, _ view: View, _ out: inout InputRows
  ) {
    let r = view.observed.errorVariances.start + kind * grid.cells
    for c in 0..<grid.cells { row.start[c] = Float(r[c] / typical) }
    out.takeLogarithm()
    out.put("\(name()): log error variance")
  }

  private func putEnsemble(
    _ field: Field, _ control: Int, _ mean: UnsafePointer<Double>, _ view: View, _ vectors: Int, _ out: inout InputRows
  ) {
    let (n, row, reference, unit, scale) = (grid.cells, row.start, field.reference, field.unit, field.scale)
    let spread = view.spread + control * n
    for c in 0..<n { row[c] = Float((mean[c] - reference) * unit) }
    out.put(grid.vicinity, "\(name(field)): ensemble mean")
    for c in 0..<n { row[c] = Float(spread[c] / scale) }
    out.put("\(name(field)): spread")
    for c in 0..<n { row[c] = Float(spread[c] / scale + 1e-4) }
    out.takeLogarithm(factor: 0.3, shift: 1)
    out.put("\(name(field)): log spread")
    guard let kind = field.kind else { return }
    takeInnovation(kind, against: view.observed.isOwn(kind) ? mean : view.simulatedMean + kind * n, view)
    out.put("\(name(field)): innovation")
    let r = view.observed.errorVariances.start + kind * n
    for c in 0..<n {
      let s = spread[c] * spread[c]
      row[c] *= Float(s / (s + r[c]))
    }
    out.put("\(name(field)): innovation times gain")
    guard settings.inputs == .covariances else { return }
    LocalGain.fill(
      out.out, stride: out.stride, window: grid.window,
      regressions: view.regressions + control * grid.window.size * n, innovations: innovations.start, scale: scale)
    out.skip(grid.window.size + 1, "\(name(field)): regressions on innovations")
  }

  /// - Parameter simulated: `[kind][cell]`.
  private func putInnovation(
    _ function: Function, against simulated: UnsafePointer<Double>, _ view: View, _ out: inout InputRows
  ) {
    takeInnovation(function.kind, against: simulated + function.kind * grid.cells, view)
    if function.isMean {
      out.put(grid.window, "\(settings.observed[function.kind].name): innovation")
    } else {
      out.put("\(settings.observed[function.kind].name): innovation")
    }
  }

  /// Puts into `row` what observations are beyond `simulated` (`[cell]` each), in units of two of their
  /// standard deviations; 0 where there is none.
  private func takeInnovation(_ kind: Int, against simulated: UnsafePointer<Double>, _ view: View) {
    let (n, row, innovations) = (grid.cells, row.start, innovations.start)
    let (y, noise) = (view.observed.values.start + kind * n, view.observed.deviations.start + kind * n)
    for c in 0..<n { innovations[c] = y[c] - simulated[c] }
    for c in 0..<n { row[c] = y[c].isNaN ? 0 : Float(min(max(innovations[c] / (2 * noise[c]), -4), 4)) }
  }

  private func putDifferences(_ field: Field, _ x: UnsafePointer<Double>, _ view: View, _ out: inout InputRows) {
    let (n, row, unit) = (grid.cells, row.start, field.unit)
    let previous = grid.values(field.number, of: view.previous, slot: 1)
    let before = grid.values(field.number, of: view.beforePrevious, slot: 2)
    for c in 0..<n { row[c] = Float((previous[c] - x[c]) * -4 * unit) }
    out.put("\(name(field)): last difference in time")
    for c in 0..<n { row[c] = Float((previous[c] - before[c]) * 4 * unit) }
    out.put("\(name(field)): difference in time before")
  }

  /// Observations of a function of the state: a window of them, a flag where there is none, the error, the innovation
  /// against the member's own h(x), and against that of the ensemble's mean where agents see it; of means of cells a
  /// window of innovations, for they are about all of its cells.
  private func putFunction(_ function: Function, _ view: View, _ out: inout InputRows) {
    let (n, row, kind) = (grid.cells, row.start, function.kind)
    let y = view.observed.values.start + kind * n
    let unit = 1 / (1.5 * function.scale)
    for c in 0..<n { row[c] = y[c].isNaN ? 0 : Float(min(max((y[c] - function.reference) * unit, -10), 10)) }
    out.put(grid.window, "\(settings.observed[kind].name): observation")
    putFlag(y, settings.observed[kind].name, &out)
    if let error = function.error { putError(kind, typical: error, settings.observed[kind].name, view, &out) }
    putInnovation(function, against: view.simulated, view, &out)
    if settings.seesEnsemble { putInnovation(function, against: view.simulatedMean, view, &out) }
  }

  private func putAuxiliary(_ state: UnsafePointer<Double>, _ out: inout InputRows) {
    let n = grid.cells
    guard !auxiliary.isEmpty else { return }
    let values = Span(_unsafeStart: state, count: grid.layout.count)
    var fields = auxiliary.mutableSpan
    base.auxiliaryFields(of: values, into: &fields)
    for k in 0..<auxiliary.count / n {
      for c in 0..<n { out.out[c] = Float(auxiliary[k * n + c]) }
      out.skip(1, "field \(k + 1) of the model's own")
    }
  }
}
