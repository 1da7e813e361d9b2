package import DaunceState

/// The inputs that the paper lists, and nothing else: of every variable its own member in a window and the two last
/// finite differences in time at the cell; then time and position. What was observed reaches such an agent through
/// training only.
package struct LiteralInputs {
  let layout: StateLayout
  /// Cells in the window, odd.
  let window: Int

  package init(layout: StateLayout, window: Int) {
    self.layout = layout
    self.window = window
  }

  /// Number of inputs.
  package var count: Int { layout.fields.count * (window + 2) + 2 }

  /// Writes the inputs of all cells: `[input][cell]`, rows `stride` apart.
  ///
  /// Values are divided by 1.5 climatological standard deviations, differences by a quarter of that because they are
  /// smaller; time by 1000 observation times; position runs from -1 to 1.
  ///
  /// - Parameters:
  ///   - state: the member's present analysis, `[variable][cell]`, and those one and two observation times ago.
  ///   - time: observation times since the start.
  package func fill(
    _ start: UnsafeMutablePointer<Float>, stride: Int, state: UnsafePointer<Double>, previous: UnsafePointer<Double>,
    beforePrevious: UnsafePointer<Double>, time: Int
  ) {
    let n = layout.cells
    var out = start
    for v in layout.fields.indices {
      let unit = 1 / (1.5 * layout.fields[v].scale)
      let (x, x1, x2) = (state + v * n, previous + v * n, beforePrevious + v * n)
      for offset in -(window / 2)...(window / 2) {
        for c in 0..<n { out[c] = Float(x[(c + offset + n) % n] * unit) }
        out += stride
      }
      for c in 0..<n { out[c] = Float((x[c] - x1[c]) * 4 * unit) }
      out += stride
      for c in 0..<n { out[c] = Float((x1[c] - x2[c]) * 4 * unit) }
      out += stride
    }
    for c in 0..<n { out[c] = Float(Double(time) / 1000) }
    out += stride
    for c in 0..<n { out[c] = Float(2 * Double(c) / Double(n) - 1) }
  }
}
