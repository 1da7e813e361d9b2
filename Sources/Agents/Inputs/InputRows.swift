/// Puts inputs one after the other into a tile, from a row of all cells.
struct InputRows {
  /// The next input.
  private(set) var out: UnsafeMutablePointer<Float>
  let stride: Int
  let cells: Int
  /// `[cell]`, padded to whole vectors.
  let row: UnsafeMutablePointer<Float>

  /// Told what inputs are, where somebody asks for it.
  private let catalogue: InputCatalogue?
  /// Whether the tile was last filled for another member of the same ensemble at the same time.
  private let isNextMember: Bool

  init(
    out: UnsafeMutablePointer<Float>, stride: Int, cells: Int, row: UnsafeMutablePointer<Float>,
    catalogue: InputCatalogue? = nil, isNextMember: Bool = false
  ) {
    (self.out, self.stride, self.cells, self.row) = (out, stride, cells, row)
    self.catalogue = catalogue
    self.isNextMember = isNextMember
  }

  /// Whether the next inputs, the same for all members of an ensemble, still stand from the member before; if so, they
  /// are passed over.
  @inline(__always)
  mutating func passShared(_ inputs: Int) -> Bool {
    if isNextMember { out += inputs * stride }
    return isNextMember
  }

  /// The row at the cell itself.
  @inline(__always)
  mutating func put(_ name: @autoclosure () -> String) {
    catalogue?.add(name(), 1)
    out.update(from: row, count: cells)
    out += stride
  }

  /// The row at every place of a window.
  @inline(__always)
  mutating func put(_ window: Neighbourhood, _ name: @autoclosure () -> String) {
    catalogue?.add(name(), window.size)
    for place in 0..<window.size {
      window.copy(place, from: row, to: out)
      out += stride
    }
  }

  /// Replaces the row by `factor log(row) + shift`.
  func takeLogarithm(factor: Float = 1, shift: Float = 0) {
    for v in 0..<(cells + Lanes.scalarCount - 1) / Lanes.scalarCount {
      let lanes = UnsafeMutableRawPointer(row + v * Lanes.scalarCount).assumingMemoryBound(to: Lanes.self)
      lanes.pointee = factor * logarithm(lanes.pointee) + shift
    }
  }

  /// Leaves inputs to somebody else.
  @inline(__always)
  mutating func skip(_ inputs: Int, _ name: @autoclosure () -> String) {
    catalogue?.add(name(), inputs)
    out += inputs * stride
  }
}

/// What the inputs of agents are, in their order: a name for each window or single input.
package final class InputCatalogue {
  /// Names with the number of inputs that belong to each.
  package private(set) var groups: [(name: String, count: Int)] = []

  package init() {}

  func add(_ name: String, _ count: Int) { groups.append((name, count)) }
}
