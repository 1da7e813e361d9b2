/// A circle of equal cells, as the one-dimensional models know it.
public struct Ring: Sendable, Hashable {
  /// Number of cells.
  public let cells: Int
  /// Circumference, in the model's unit of length.
  public let length: Double

  /// A ring of equal cells; `length` is its circumference.
  public init(cells: Int, length: Double) {
    self.cells = cells
    self.length = length
  }
}
