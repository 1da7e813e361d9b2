import DaunceState

/// Fills the policy's inputs for one member: local features of every cell, normalised to about [-1, 1].
///
/// For each controlled or observed variable: a window of the base forecast and of the observation (the forecast where
/// it is missing, with a flag), their square roots where the variable is bounded below; the other variables and the
/// model's auxiliary fields at the cell; with `inputs: ensemble` the mean in a window of three cells, the spread, its
/// logarithm and the innovation against the mean, raw and times the Kalman gain of that spread; with `inputs:
/// covariances` that and the terms of `LocalRegression`; with `base: persistence` the two last finite differences in
/// time. `inputs: literal` replaces all of that, see `LiteralInputs`.
public final class Features {
  /// What is known of one member at one time. Buffers are borrowed for the call.
  struct View {
    /// Base forecast, `[variable][cell]`.
    let forecast: UnsafePointer<Double>
    /// Observed values by state element, NaN where there is none, `[variable][cell]`.
    let observation: UnsafePointer<Double>
    /// Ensemble mean and standard deviation of the base forecast of the controls, `[control][cell]` each.
    let mean: UnsafePointer<Double>
    let spread: UnsafePointer<Double>
    /// Regressions on the window's cells, `[control][offset][cell]`; used with `inputs: covariances`.
    let regressions: UnsafePointer<Double>
    /// Analyses one and two observation times ago, `[variable][cell]`; used with `base: persistence`.
    let previous: UnsafePointer<Double>
    let beforePrevious: UnsafePointer<Double>
    /// Observation times since the start; used with `inputs: literal`.
    let time: Int
  }

  /// Number of inputs.
  public let count: Int
  let settings: AgentSettings
  let layout: StateLayout
  private let base: any BaseForecast
  private var auxiliary: [Double]
  private let row: Workspace<Float>

  init(settings: AgentSettings, base: any BaseForecast) {
    self.settings = settings
    self.base = base
    layout = base.layout
    auxiliary = [Double](repeating: 0, count: base.auxiliaryCount * layout.cells)
    // Whole vectors, for the logarithm; 1 has one.
    let vectors = (layout.cells + Lanes.scalarCount - 1) / Lanes.scalarCount
    row = Workspace(repeating: 1, count: vectors * Lanes.scalarCount)
    count = Self.count(settings: settings, layout: layout, auxiliary: base.auxiliaryCount)
  }

  /// Number of inputs for given settings.
  static func count(settings: AgentSettings, layout: StateLayout, auxiliary: Int) -> Int {
    if settings.inputs == .literal { return LiteralInputs(layout: layout, window: settings.window).count }
    var count = auxiliary
    for v in layout.fields.indices {
      let controlled = settings.controls.contains(v)
      let observed = settings.observed.contains(v)
      let bounded = layout.fields[v].lowerBound != nil
      if controlled || observed {
        count += settings.window + (bounded ? 2 : 0)
      } else {
        count += 1
      }
      if observed { count += settings.window + 1 + (bounded ? 1 : 0) }
      if controlled, settings.seesEnsemble { count += 5 + (observed ? 2 : 0) }
      if controlled, observed, settings.inputs == .covariances { count += settings.window + 1 }
    }
    if settings.base == .persistence { count += 2 * layout.fields.count }
    return count
  }

  /// Writes the inputs of all cells into `tile` (`[input][cell]`, padded to whole vectors).
  func fill(_ tile: UnsafeMutableBufferPointer<Lanes>, _ view: View, vectors: Int) {
    let n = layout.cells
    let stride = vectors * Lanes.scalarCount
    guard let start = UnsafeMutableRawPointer(tile.baseAddress)?.assumingMemoryBound(to: Float.self) else {
      return
    }
    if settings.inputs == .literal {
      return LiteralInputs(layout: layout, window: settings.window).fill(
        start, stride: stride, state: view.forecast, previous: view.previous, beforePrevious: view.beforePrevious,
        time: view.time)
    }
    var out = start
    let row = row.start

    /// Puts `row`, rotated by `offset` cells, into the next input.
    func put(offset: Int = 0) {
      let shift = offset < 0 ? offset + n : offset
      out.update(from: row + shift, count: n - shift)
      (out + n - shift).update(from: row, count: shift)
      out += stride
    }
    func putWindow(_ width: Int) {
      for offset in -(width / 2)...(width / 2) { put(offset: offset) }
    }

    for v in layout.fields.indices {
      let variable = layout.fields[v]
      let x = view.forecast + v * n
      let y = view.observation + v * n
      let unit = 1 / (1.5 * variable.scale)
      let control = settings.controls.firstIndex(of: v)
      let observed = settings.observed.contains(v)
      for c in 0..<n { row[c] = Float(x[c] * unit) }
      if control != nil || observed { putWindow(settings.window) } else { put() }
      if control != nil || observed, let lower = variable.lowerBound {
        for c in 0..<n { row[c] = Float((max(0, x[c] - lower) * unit).squareRoot()) }
        put()
        for c in 0..<n { row[c] = Float(min(x[c] / variable.scale, 1)) }
        put()
      }
      let ensemble = settings.seesEnsemble && control != nil
      let mean = view.mean + (control ?? 0) * n
      let spread = view.spread + (control ?? 0) * n
      if observed {
        let fallback = ensemble ? mean : x
        for c in 0..<n { row[c] = Float((y[c].isNaN ? fallback[c] : y[c]) * unit) }
        putWindow(settings.window)
        if let lower = variable.lowerBound {
          for c in 0..<n { row[c] = (max(0, row[c] - Float(lower * unit))).squareRoot() }
          put()
        }
        for c in 0..<n { row[c] = y[c].isNaN ? 1 : 0 }
        put()
      }
      if ensemble {
        for c in 0..<n { row[c] = Float(mean[c] * unit) }
        putWindow(3)
        for c in 0..<n { row[c] = Float(spread[c] / variable.scale) }
        put()
        for c in 0..<n { row[c] = Float(spread[c] / variable.scale + 1e-4) }
        for v in 0..<vectors {
          let lanes = UnsafeMutableRawPointer(row + v * Lanes.scalarCount).assumingMemoryBound(to: Lanes.self)
          lanes.pointee = 0.3 * logarithm(lanes.pointee) + 1
        }
        put()
        if observed {
          let noise = settings.errorVariance.squareRoot()
          for c in 0..<n {
            row[c] = y[c].isNaN ? 0 : Float(min(max((y[c] - mean[c]) / (2 * noise), -4), 4))
          }
          put()
          for c in 0..<n {
            let s = spread[c] * spread[c]
            row[c] *= Float(s / (s + settings.errorVariance))
          }
          put()
        }
        if observed, settings.inputs == .covariances, let control {
          LocalRegression.fill(
            out, stride: stride, window: settings.window, cells: n,
            regressions: view.regressions + control * settings.window * n, observation: y, mean: mean,
            scale: variable.scale)
          out += (settings.window + 1) * stride
        }
      }
      if settings.base == .persistence {
        for c in 0..<n { row[c] = Float((view.previous[v * n + c] - x[c]) * -4 * unit) }
        put()
        for c in 0..<n {
          row[c] = Float((view.previous[v * n + c] - view.beforePrevious[v * n + c]) * 4 * unit)
        }
        put()
      }
    }
    putAuxiliary(view.forecast, at: out, stride: stride)
  }

  private func putAuxiliary(_ state: UnsafePointer<Double>, at start: UnsafeMutablePointer<Float>, stride: Int) {
    let n = layout.cells
    guard !auxiliary.isEmpty else { return }
    let values = Span(_unsafeStart: state, count: layout.count)
    var fields = auxiliary.mutableSpan
    base.auxiliaryFields(of: values, into: &fields)
    for k in 0..<auxiliary.count / n {
      for c in 0..<n { start[k * stride + c] = Float(auxiliary[k * n + c]) }
    }
  }
}
