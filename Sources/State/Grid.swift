/// The cells that a field has values at, in the order in which they lie in memory.
public struct Grid: Sendable, Hashable {
  /// A dimension of a grid in memory, with the coordinates of its cells.
  public struct Dimension: Sendable, Hashable {
    /// As in files.
    public let name: String
    /// Number of the geometry's axis that the coordinates are along; `nil` for a dimension that is none of space.
    public let axis: Int?
    /// Of every cell, strictly ascending or descending, in the axis's units (`[length]`); empty without an axis.
    public let coordinates: [Double]
    /// Number of cells along it.
    public let length: Int

    /// A dimension along an axis.
    public init(name: String, axis: Int, coordinates: [Double]) {
      (self.name, self.axis, self.coordinates, length) = (name, axis, coordinates, coordinates.count)
    }

    /// A dimension that is no direction of space.
    public init(name: String, length: Int) {
      (self.name, axis, coordinates, self.length) = (name, nil, [], length)
    }
  }

  /// Slowest first, as in memory; none for a single value.
  public let dimensions: [Dimension]
  /// Place of every cell where the cells are no product of dimensions with coordinates: stations, unstructured and
  /// curvilinear grids (`[cells]`); empty otherwise.
  public let places: [Place]
  /// Number of cells.
  public let cells: Int

  /// A grid whose cells are all combinations of the dimensions' coordinates.
  public init(_ dimensions: [Dimension]) {
    self.dimensions = dimensions
    places = []
    cells = dimensions.reduce(1) { $0 * $1.length }
  }

  /// Cells that each have a place of their own.
  ///
  /// - Parameter dimensions: how they lie in memory; as many cells as `places`.
  public init(_ dimensions: [Dimension], places: [Place]) {
    self.dimensions = dimensions
    self.places = places
    cells = places.count
    precondition(cells == dimensions.reduce(1) { $0 * $1.length }, "one place for each cell")
  }

  /// A single value without a place: a parameter.
  public static let point = Grid([])

  /// Whether any cell is somewhere.
  public var hasPlaces: Bool { !places.isEmpty || dimensions.contains { $0.axis != nil } }

  /// The longest box of cells, counted along each dimension, over which a mean around a place can be taken: the length
  /// of the shortest dimension of more than one cell, 1 where cells have places of their own, `nil` where any does.
  public var longestFootprint: Int? {
    guard places.isEmpty else { return 1 }
    return dimensions.filter { $0.axis != nil && $0.length > 1 }.map(\.length).min()
  }

  /// Place of a cell.
  public func place(of cell: Int) -> Place {
    if !places.isEmpty { return places[cell] }
    var place = Place.nowhere
    var rest = cell
    for dimension in dimensions.reversed() {
      let (quotient, index) = rest.quotientAndRemainder(dividingBy: dimension.length)
      if let axis = dimension.axis { place.coordinates[axis] = dimension.coordinates[index] }
      rest = quotient
    }
    return place
  }
}

/// One quantity of a state, on one grid.
public struct Field: Sendable, Hashable {
  /// Short name, as in files: `t`.
  public let name: String
  /// Description for a file's `long_name`.
  public let longName: String
  /// CF standard name, where there is one.
  public let standardName: String?
  /// Unit, as in files.
  public let units: String
  /// A typical value, in the field's unit: deviations from it are what sums and networks see.
  public let reference: Double
  /// A typical deviation from `reference`, positive, in the field's unit.
  public let scale: Double
  /// Smallest admissible value, in the field's unit; `nil` where there is none.
  public let lowerBound: Double?
  /// Largest admissible value, in the field's unit; `nil` where there is none.
  public let upperBound: Double?
  /// Number of its grid in the layout.
  public let grid: Int

  /// A field; names of files and units as far as they are known.
  public init(
    name: String, longName: String? = nil, standardName: String? = nil, units: String = "1", reference: Double = 0,
    scale: Double = 1, lowerBound: Double? = nil, upperBound: Double? = nil, grid: Int = 0
  ) {
    self.name = name
    self.longName = longName ?? name
    self.standardName = standardName
    self.units = units
    self.reference = reference
    self.scale = scale
    self.lowerBound = lowerBound
    self.upperBound = upperBound
    self.grid = grid
  }
}

/// How fields lie in one contiguous buffer, the state: one after the other, each in the order of its grid's cells.
public struct StateLayout: Sendable, Hashable {
  /// The axes that places have coordinates along.
  public let geometry: Geometry
  /// What fields lie on.
  public let grids: [Grid]
  /// In the order of the state.
  public let fields: [Field]
  /// First element of each field, and the number of elements at the end (`[fields + 1]`).
  public let offsets: [Int]

  /// - Parameter fields: each on one of `grids`.
  public init(geometry: Geometry, grids: [Grid], fields: [Field]) {
    self.geometry = geometry
    self.grids = grids
    self.fields = fields
    var offsets = [0]
    for field in fields { offsets.append(offsets[offsets.count - 1] + grids[field.grid].cells) }
    self.offsets = offsets
  }

  /// Number of elements of a state.
  public var count: Int { offsets[fields.count] }

  /// Elements of field number `f`.
  public func range(_ f: Int) -> Range<Int> { offsets[f]..<offsets[f + 1] }

  /// Grid of field number `f`.
  public func grid(_ f: Int) -> Grid { grids[fields[f].grid] }

  /// Cells of the grid that all fields lie on; those of the first field where there are several grids.
  public var cells: Int { fields.isEmpty ? 0 : grid(0).cells }

  /// Field and cell of a state element.
  public func cell(of element: Int) -> (field: Int, cell: Int) {
    // Few fields: the last one that does not begin behind the element.
    var field = 0
    while field + 1 < fields.count, offsets[field + 1] <= element { field += 1 }
    return (field, element - offsets[field])
  }

  /// Place of a state element.
  public func place(of element: Int) -> Place {
    let (field, cell) = cell(of: element)
    return grid(field).place(of: cell)
  }

  /// One value for every element, from one for every field (`[count]`).
  public func spread(_ value: (Field) -> Double) -> [Double] {
    fields.indices.flatMap { [Double](repeating: value(fields[$0]), count: range($0).count) }
  }

  /// Number of the field called `name`, if there is one.
  public func fieldIndex(_ name: String) -> Int? { fields.firstIndex { $0.name == name } }
}
