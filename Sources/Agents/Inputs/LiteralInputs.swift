import DaunceState

/// The inputs that the paper lists, and nothing else: of every field its own member in a window and the two last finite
/// differences in time at the cell; then time and position. What was observed reaches such an agent through training
/// only.
package struct LiteralInputs {
  private let grid: AgentGrid

  package init(_ grid: AgentGrid) {
    self.grid = grid
  }

  /// Number of inputs.
  package var count: Int {
    grid.layout.fields.count * (grid.window.size + 2) + 1 + grid.positions.count + grid.window.edges.count
  }

  /// Says what they are.
  func list(in catalogue: InputCatalogue) {
    for field in grid.layout.fields {
      catalogue.add("\(field.name): member", grid.window.size)
      catalogue.add("\(field.name): last difference in time", 1)
      catalogue.add("\(field.name): difference in time before", 1)
    }
    catalogue.add("time since the start", 1)
    catalogue.add("position", grid.positions.count)
    if !grid.window.edges.isEmpty { catalogue.add("ends of an axis", grid.window.edges.count) }
  }

  /// Writes the inputs of all cells: `[input][cell]`, rows `stride` apart.
  ///
  /// Values are distances from the field's reference divided by 1.5 climatological standard deviations, differences are
  /// divided by a quarter of that because they are smaller; time by 1000 observation times; position runs from -1 to 1.
  ///
  /// - Parameters:
  ///   - state: the member's present analysis, `[layout.count]`, and those one and two observation times ago.
  ///   - time: observation times since the start.
  ///   - row: scratch, `[cell]`.
  package func fill(
    _ start: UnsafeMutablePointer<Float>, stride: Int, state: UnsafePointer<Double>, previous: UnsafePointer<Double>,
    beforePrevious: UnsafePointer<Double>, time: Int, row: UnsafeMutablePointer<Float>
  ) {
    let (n, window) = (grid.cells, grid.window)
    var out = start
    for v in grid.layout.fields.indices {
      let (unit, reference) = (1 / (1.5 * grid.layout.fields[v].scale), grid.layout.fields[v].reference)
      let x = grid.values(v, of: state)
      let x1 = grid.values(v, of: previous, slot: 1)
      let x2 = grid.values(v, of: beforePrevious, slot: 2)
      for c in 0..<n { row[c] = Float((x[c] - reference) * unit) }
      for place in 0..<window.size {
        window.copy(place, from: row, to: out)
        out += stride
      }
      for c in 0..<n { out[c] = Float((x[c] - x1[c]) * 4 * unit) }
      out += stride
      for c in 0..<n { out[c] = Float((x1[c] - x2[c]) * 4 * unit) }
      out += stride
    }
    for c in 0..<n { out[c] = Float(Double(time) / 1000) }
    for fixed in [grid.positions, window.edges] {
      for values in fixed {
        out += stride
        for c in 0..<n { out[c] = values[c] }
      }
    }
  }
}
