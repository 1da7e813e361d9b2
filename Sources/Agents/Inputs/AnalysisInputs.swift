import Glibc
import DaunceNumerics
import DaunceState

/// What agents see that correct a filter's analysis: what the filter has done around a cell, and what it had to go by.
///
/// First the logarithm of the analysis spread of every control, which `PolicyHead` measures actions in. Then of every
/// control a window of the analysis mean, of its increment over the forecast spread and of the logarithm of the analysis
/// spread, and at the cell the logarithm of the forecast spread. Of every observed kind a window of innovations
/// against the analysis mean, 0 where there is none, and of what is observed, which tells a cell where it is in the
/// network; the logarithm of the error variance where that varies. At last the other fields of the member at the cell,
/// the ends of bounded axes and the model's auxiliary fields. Everything is about in [-1, 1]. Agents for many situations
/// also see the logarithms of the number of members and of the interval, and how long ago the ensemble began.
struct AnalysisInputs {
  private let grid: AgentGrid
  private let settings: AgentSettings
  /// Of members and interval; `nil` where agents don't see the situation.
  private let situation: (members: Float, interval: Float)?

  init(_ settings: AgentSettings, base: any BaseForecast, members: Int, grid: AgentGrid) {
    (self.settings, self.grid) = (settings, grid)
    situation = settings.typicalInterval.map { typical in
      let interval = (base as? any AnalysisBase)?.interval ?? typical
      return (Float(0.5 * log(Double(members) / Self.typicalMembers)), Float(log(interval / typical)))
    }
  }

  /// Members that agents know theirs relative to.
  static let typicalMembers = 10.0
  /// Observation times in which what agents see of the beginning falls to a third.
  static let memory = 10.0

  /// Number of inputs, auxiliary fields and edges left out.
  static func count(_ settings: AgentSettings, layout: StateLayout, window: Int) -> Int {
    let others = layout.fields.indices.count { !settings.controls.contains($0) }
    return settings.controls.count * (3 * window + 2) + others + (settings.typicalInterval == nil ? 0 : 3)
      + settings.observed.reduce(0) { $0 + 2 * window + ($1.seesError ? 1 : 0) }
  }

  /// Spreads are no smaller than this part of their field's scale.
  static let leastSpread = 1e-4

  /// Writes the inputs of all cells.
  func fill(_ view: Features.View, _ out: inout InputRows) {
    if !out.passShared(settings.controls.count * (2 + 3 * grid.window.size)) { putControls(view, &out) }
    for (j, kind) in settings.observed.enumerated() { putObservations(j, kind, view, &out) }
    for (v, field) in grid.layout.fields.enumerated() where !settings.controls.contains(v) {
      let x = grid.values(v, of: view.forecast)
      for c in 0..<grid.cells { out.row[c] = Float((x[c] - field.reference) / (1.5 * field.scale)) }
      out.put("\(field.name): member")
    }
    guard let situation else { return }
    putEverywhere(situation.members, "number of members", &out)
    putEverywhere(situation.interval, "observation interval", &out)
    putEverywhere(Float(exp(-Double(view.time) / Self.memory)), "time since the start", &out)
  }

  /// What agents see of the ensemble in the fields that they set.
  private func putControls(_ view: Features.View, _ out: inout InputRows) {
    for (k, v) in settings.controls.enumerated() {
      putLogarithm(of: view.spread + k * grid.cells, over: grid.layout.fields[v].scale, factor: 1, shift: 0, &out)
      out.put("\(grid.layout.fields[v].name): log spread of the analysis, unit of actions")
    }
    for (k, v) in settings.controls.enumerated() { putControl(k, grid.layout.fields[v], view, &out) }
  }

  private func putEverywhere(_ value: Float, _ name: @autoclosure () -> String, _ out: inout InputRows) {
    out.row.update(repeating: value, count: grid.cells)
    out.put(name())
  }

  /// Makes `log(spread / scale)`, times a factor and shifted, the row.
  private func putLogarithm(
    of spread: UnsafePointer<Double>, over scale: Double, factor: Float, shift: Float, _ out: inout InputRows
  ) {
    let inverse = 1 / scale
    for c in 0..<grid.cells { out.row[c] = Float(max(spread[c] * inverse, Self.leastSpread)) }
    out.takeLogarithm(factor: factor, shift: shift)
  }

  private func putControl(_ k: Int, _ field: Field, _ view: Features.View, _ out: inout InputRows) {
    let (n, first, row) = (grid.cells, k * grid.cells, out.row)
    let (mean, forecast, forecastSpread) = (view.mean + first, view.forecastMean + first, view.forecastSpread + first)
    let unit = 1 / (1.5 * field.scale)
    for c in 0..<n { row[c] = Float((mean[c] - field.reference) * unit) }
    out.put(grid.window, "\(field.name): analysis mean")
    let least = Self.leastSpread * field.scale
    for c in 0..<n { row[c] = Float(min(max((mean[c] - forecast[c]) / (forecastSpread[c] + least), -4), 4)) }
    out.put(grid.window, "\(field.name): increment of the filter")
    putLogarithm(of: view.spread + first, over: field.scale, factor: 0.5, shift: 1, &out)
    out.put(grid.window, "\(field.name): log spread of the analysis")
    putLogarithm(of: forecastSpread, over: field.scale, factor: 0.5, shift: 1, &out)
    out.put("\(field.name): log spread of the forecast")
  }

  private func putObservations(
    _ j: Int, _ kind: AgentSettings.Observed, _ view: Features.View, _ out: inout InputRows
  ) {
    let (n, observed, row) = (grid.cells, view.observed, out.row)
    let (y, noise) = (observed.values.start + j * n, observed.deviations.start + j * n)
    var simulated = view.simulatedMean + j * n
    if observed.isOwn(j), let own = kind.field(of: grid.layout, onGrid: grid.number) {
      let control = settings.controls.firstIndex(of: own)
      simulated = control.map { view.mean + $0 * n } ?? grid.values(own, of: view.forecast)
    }
    for c in 0..<n { row[c] = y[c].isNaN ? 0 : Float(min(max((y[c] - simulated[c]) / (2 * noise[c]), -4), 4)) }
    out.put(grid.window, "\(kind.name): innovation")
    for c in 0..<n { row[c] = y[c].isNaN ? 0 : 1 }
    out.put(grid.window, "\(kind.name): observed or not")
    guard kind.seesError else { return }
    let r = observed.errorVariances.start + j * n
    for c in 0..<n { row[c] = Float(r[c] / kind.errorVariance) }
    out.takeLogarithm()
    out.put("\(kind.name): log error variance")
  }
}
