/// One prognostic field of a model.
public struct Variable: Sendable, Hashable {
  /// Short name, as in files: `a`.
  public let name: String
  /// Standard description for a file's `long_name`.
  public let longName: String
  /// Smallest admissible value, in the field's own unit; `nil` where the field is unbounded.
  public let lowerBound: Double?
  /// Standard deviation of a long free run, in the field's own unit: scales inputs and perturbations.
  public let scale: Double

  /// A field; `lowerBound` and `scale` in its own unit.
  public init(name: String, longName: String, lowerBound: Double? = nil, scale: Double) {
    self.name = name
    self.longName = longName
    self.lowerBound = lowerBound
    self.scale = scale
  }
}

/// A periodic one-dimensional grid of equal cells.
public struct CircleGrid: Sendable, Hashable {
  /// Number of cells.
  public let cells: Int
  /// Circumference in the model's unit of length.
  public let length: Double

  /// A circle of `cells` equal cells and circumference `length`.
  public init(cells: Int, length: Double) {
    self.cells = cells
    self.length = length
  }

  /// Centres of the cells, `x_i = i L / n`.
  public var coordinates: [Double] {
    (0..<cells).map { Double($0) * length / Double(cells) }
  }

  /// Shortest distance between two cells along the circle, in cells.
  public func distance(_ i: Int, _ j: Int) -> Int {
    let d = abs(i - j) % cells
    return min(d, cells - d)
  }

  /// Index of the cell `offset` cells east of `cell`, wrapped around.
  public func neighbour(of cell: Int, offset: Int) -> Int {
    let i = (cell + offset) % cells
    return i < 0 ? i + cells : i
  }
}

/// How a model's fields lie in one contiguous `[variable][cell]` buffer.
public struct CircleLayout: Sendable, Hashable {
  public let grid: CircleGrid
  public let variables: [Variable]

  /// The given fields, in this order, on `grid`.
  public init(grid: CircleGrid, variables: [Variable]) {
    self.grid = grid
    self.variables = variables
  }

  /// Number of elements of a state.
  public var count: Int { variables.count * grid.cells }

  /// Elements of variable number `v`.
  public func range(_ v: Int) -> Range<Int> { v * grid.cells..<(v + 1) * grid.cells }

  /// Variable and cell of a state element.
  public func place(of element: Int) -> (variable: Int, cell: Int) {
    (element / grid.cells, element % grid.cells)
  }

  /// Position of the variable called `name`, if there is one.
  public func variableIndex(_ name: String) -> Int? {
    variables.firstIndex { $0.name == name }
  }
}
