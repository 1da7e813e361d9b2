import DaunceState

/// The state of a model with the Basic Model Interface: its named variables, each on its grid.
struct BMILayout {
  /// How a variable lies in the model's memory.
  enum Number: String {
    case double, float

    /// Bytes of a number.
    var size: Int { self == .double ? 8 : 4 }
  }

  let layout: StateLayout
  /// Of every variable.
  let numbers: [Number]

  /// Asks the model for everything.
  ///
  /// - Throws: `CouplingError` for variables that are no floating-point numbers, or of another size than their grid.
  init(_ variables: [BMIVariable], of handle: BMIHandle) throws {
    var grids: [(number: Int, grid: Grid)] = []
    let indices = try variables.map { variable -> Int in
      let number = try handle.grid(of: variable.variable)
      if let known = grids.firstIndex(where: { $0.number == number }) { return known }
      grids.append((number, try Self.grid(number, suffix: grids.isEmpty ? "" : "_\(number)", of: handle)))
      return grids.count - 1
    }
    var numbers: [Number] = []
    for (variable, index) in zip(variables, indices) {
      let (type, bytes) = (try handle.type(of: variable.variable), try handle.bytes(of: variable.variable))
      guard let number = Number(rawValue: type == "float64" ? "double" : type == "float32" ? "float" : type) else {
        throw CouplingError(
          handle.library.name, "variable \(variable.variable)", found: "numbers of type \(type)", expected: "double or float")
      }
      let cells = grids[index].grid.cells
      guard bytes == cells * number.size else {
        throw CouplingError(
          handle.library.name, "variable \(variable.variable)", found: "\(bytes) bytes",
          expected: "\(cells * number.size), for \(cells) cells of its grid")
      }
      numbers.append(number)
    }
    let units = try variables.map { try handle.units(of: $0.variable) }
    let fields = zip(zip(variables, units), indices).map { pair, index in
      let (variable, units) = pair
      return Field(
        name: variable.fieldName, longName: variable.variable, units: units.isEmpty ? "1" : units, reference: variable.reference,
        scale: variable.scale, lowerBound: variable.lower, upperBound: variable.upper, grid: index)
    }
    let axes = Set(grids.flatMap { $0.grid.axisCount }).max() ?? 0
    layout = StateLayout(
      geometry: Geometry(axes: Self.axisNames.prefix(axes).map { Axis(name: $0) }), grids: grids.map(\.grid), fields: fields)
    self.numbers = numbers
  }

  /// The geometry's axes, in its order.
  private static let axisNames = ["x", "y", "z"]

  private static func grid(_ number: Int, suffix: String, of handle: BMIHandle) throws -> Grid {
    let (type, rank, size) = (try handle.type(ofGrid: number), try handle.rank(ofGrid: number), try handle.size(ofGrid: number))
    guard (0...3).contains(rank), size > 0 else {
      throw CouplingError(
        handle.library.name, "grid \(number)", found: "rank \(rank) and \(size) cells", expected: "up to three dimensions")
    }
    // The slowest dimension is along the last axis: [z][y][x].
    func name(_ dimension: Int) -> String { axisNames[rank - 1 - dimension] + suffix }
    switch type {
    case "scalar": return .point
    case "uniform_rectilinear":
      let shape = try handle.shape(ofGrid: number, rank: rank)
      let (spacing, origin) = (
        try handle.spacing(ofGrid: number, rank: rank), try handle.origin(ofGrid: number, rank: rank)
      )
      return Grid(
        shape.indices.map { d in
          Grid.Dimension(
            name: name(d), axis: rank - 1 - d, coordinates: (0..<shape[d]).map { origin[d] + spacing[d] * Double($0) })
        })
    case "rectilinear":
      let shape = try handle.shape(ofGrid: number, rank: rank)
      return Grid(
        try shape.indices.map { d in
          let axis = rank - 1 - d
          return Grid.Dimension(
            name: name(d), axis: axis, coordinates: try handle.coordinates(ofGrid: number, axis: axis, count: shape[d]))
        })
    default:
      let lengths = type == "structured_quadrilateral" ? try handle.shape(ofGrid: number, rank: rank) : [size]
      let dimensions = lengths.enumerated().map { d, length in
        Grid.Dimension(name: lengths.count == 1 ? "node\(suffix)" : "\(["i", "j", "k"][d])\(suffix)", length: length)
      }
      guard rank > 0, type != "vector", (0..<rank).allSatisfy({ handle.hasCoordinates(axis: $0) }) else { return Grid(dimensions) }
      let coordinates = try (0..<rank).map { try handle.coordinates(ofGrid: number, axis: $0, count: size) }
      return Grid(dimensions, places: (0..<size).map { cell in Place(coordinates.map { $0[cell] }) })
    }
  }
}

extension Grid {
  /// Number of axes that cells have coordinates along, up to the last one; nothing for a grid that is nowhere.
  fileprivate var axisCount: [Int] {
    if let place = places.first { return [(0..<3).last { place.coordinates[$0].isFinite }.map { $0 + 1 } ?? 0] }
    return dimensions.compactMap { $0.axis.map { $0 + 1 } }
  }
}
