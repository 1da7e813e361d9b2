import DaunceNetworks
import DaunceNumerics

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
  /// How far before the own inputs those of another member of the same ensemble at the same time stand; 0: they stood
  /// here.
  private let other: Int?

  init(
    out: UnsafeMutablePointer<Float>, stride: Int, cells: Int, row: UnsafeMutablePointer<Float>,
    catalogue: InputCatalogue? = nil, other: Int? = nil
  ) {
    (self.out, self.stride, self.cells, self.row) = (out, stride, cells, row)
    self.catalogue = catalogue
    self.other = other
  }

  /// Whether the next inputs, the same for all members of an ensemble, are there from another member; if so, they are
  /// taken over or, where they stand already, passed over.
  @inline(__always)
  mutating func passShared(_ inputs: Int) -> Bool {
    guard let other else { return false }
    if other > 0 {
      for i in 0..<inputs { (out + i * stride).update(from: out + i * stride - other, count: cells) }
    }
    out += inputs * stride
    return true
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
