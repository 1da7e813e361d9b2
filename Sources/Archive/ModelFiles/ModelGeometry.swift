import DaunceState

/// The space that the fields of files lie in, and their grids in it.
struct ModelGeometry {
  let layout: StateLayout
  /// Cells of each grid that have no place, because their coordinates are missing: they are no part of the state.
  let unplaced: [[Int]]
  /// Names of the variables that the places come from.
  let coordinateNames: [String]

  private let path: String
  private let options: ModelFileOptions
  private let coordinates: [[ModelCoordinate]]
  /// Directions in the order of the axes.
  private let directions: [String]
  private let isSphere: Bool

  init(_ reader: DatasetReader, _ schema: ModelSchema, _ options: ModelFileOptions) throws(ArchiveError) {
    path = reader.path
    self.options = options
    var read: [String: ModelCoordinate] = [:]
    var names: [String] = []
    var coordinates: [[ModelCoordinate]] = []
    for field in schema.fields {
      var own: [ModelCoordinate] = []
      for name in try reader.coordinateNames(of: field, schema, options) {
        var known = read[name]
        if known == nil { known = try reader.coordinate(name, schema, options) }
        guard let coordinate = known else { continue }
        if let other = own.first(where: { $0.direction == coordinate.direction }) {
          throw ArchiveError(
            .contradiction, path: reader.path, object: "variable \(field.name)",
            found: "two coordinates along one axis, \(other.name) and \(name)", expected: "one")
        }
        if read[name] == nil { names.append(name) }
        read[name] = coordinate
        own.append(coordinate)
      }
      coordinates.append(own)
    }
    self.coordinates = coordinates
    coordinateNames = names
    (directions, isSphere) = try Self.directions(coordinates.joined(), reader.path)
    try Self.checkNames(reader, schema, options, coordinates.joined())

    var grids: [Grid] = []
    var (unplaced, keys, numbers) = ([[Int]](), [[String]](), [Int]())
    for (field, own) in zip(schema.fields, coordinates) {
      let key = field.gridDimensions + [""] + own.map(\.name)
      if let known = keys.firstIndex(of: key) {
        numbers.append(known)
        continue
      }
      numbers.append(keys.count)
      keys.append(key)
      let (grid, missing) = try Self.grid(field, own, directions, reader.path)
      grids.append(grid)
      unplaced.append(missing)
    }
    self.unplaced = unplaced
    var fields: [Field] = []
    for (variable, number) in zip(schema.fields, numbers) {
      fields.append(try Self.field(reader, variable.name, options.bounds[variable.name], grid: number))
    }
    let axes = try Self.axes(coordinates.joined(), directions, grids, isSphere, options, reader.path)
    layout = StateLayout(
      geometry: Geometry(axes: axes, sphereRadius: isSphere ? Geometry.earthRadius : nil), grids: grids,
      fields: fields)
  }

  // MARK: Axes

  /// The directions of all coordinates: on a sphere longitude and latitude first, otherwise the fastest dimension's
  /// first and heights last.
  private static func directions(
    _ coordinates: some Sequence<ModelCoordinate>, _ path: String
  ) throws(ArchiveError) -> ([String], isSphere: Bool) {
    var found: [String] = []
    for coordinate in Array(coordinates).reversed() where !found.contains(coordinate.direction) {
      found.append(coordinate.direction)
    }
    let sphere = [ModelCoordinate.longitude, ModelCoordinate.latitude]
    let isSphere = sphere.allSatisfy(found.contains)
    let first = isSphere ? sphere : ["axis X", "axis Y"].filter(found.contains)
    let last = [ModelCoordinate.vertical].filter(found.contains)
    let directions = first + found.filter { !first.contains($0) && !last.contains($0) } + last
    guard directions.count <= 3 else {
      let names = directions.map { direction in
        var names: [String] = []
        for coordinate in coordinates where coordinate.direction == direction && !names.contains(coordinate.name) {
          names.append(coordinate.name)
        }
        return names.joined(separator: " and ")
      }
      throw ArchiveError(
        .wrongDimensions, path: path,
        found: "coordinates along \(directions.count) directions (\(names.joined(separator: ", ")))",
        expected: "at most three: those of one direction share the attribute `axis`, or the options say which they are")
    }
    return (directions, isSphere)
  }

  private static func axes(
    _ coordinates: some Sequence<ModelCoordinate>, _ directions: [String], _ grids: [Grid], _ isSphere: Bool,
    _ options: ModelFileOptions, _ path: String
  ) throws(ArchiveError) -> [Axis] {
    var axes: [Axis] = []
    for (number, direction) in directions.enumerated() {
      let along = coordinates.filter { $0.direction == direction }
      guard let first = along.first else { continue }
      for other in along where other.units != first.units {
        throw ArchiveError(
          .contradiction, path: path, object: "attribute units of \(other.name)", found: "\"\(other.units)\"",
          expected: "\"\(first.units)\", as \(first.name) along the same axis has")
      }
      let name = axisName(direction, first)
      let wanted = ([name] + along.map(\.name)).lazy.compactMap { options.periodic[$0] }.first
      let regular = grids.lazy.flatMap(\.dimensions).first { $0.axis == number }.flatMap(turn)
      var period: Double?
      if let wanted {
        period = wanted ?? (direction == ModelCoordinate.longitude ? 360 : regular)
        guard let period, period > 0, period.isFinite else {
          throw ArchiveError(
            .wrongPosition, path: path, object: "variable \(first.name)",
            found: wanted.map { "period \($0)" } ?? "no regular step", expected: "a period in its unit")
        }
      } else if direction == ModelCoordinate.longitude {
        let isListed = isSphere && !grids.contains { $0.dimensions.contains { $0.axis == number } }
        if isListed || regular.map({ abs(abs($0) - 360) < 1e-3 * 360 }) == true { period = 360 }
      }
      axes.append(Axis(name: name, units: first.units, period: period))
    }
    return axes
  }

  private static func axisName(_ direction: String, _ first: ModelCoordinate) -> String {
    if [ModelCoordinate.longitude, ModelCoordinate.latitude].contains(direction) { return direction }
    return direction.hasPrefix("name ") ? String(direction.dropFirst(5)) : first.name
  }

  /// Number of cells times their step, if that is the same everywhere to a thousandth.
  private static func turn(_ dimension: Grid.Dimension) -> Double? {
    let (places, count) = (dimension.coordinates, dimension.length)
    guard count > 1 else { return nil }
    let step = (places[count - 1] - places[0]) / Double(count - 1)
    for i in 1..<count where !(abs(places[i] - places[i - 1] - step) <= 1e-3 * abs(step)) { return nil }
    return Double(count) * abs(step)
  }

  // MARK: Grids

  private static func grid(
    _ field: ModelSchema.FieldVariable, _ coordinates: [ModelCoordinate], _ directions: [String], _ path: String
  ) throws(ArchiveError) -> (Grid, unplaced: [Int]) {
    let lengths = field.gridAxes.map { field.variable.shape[$0] }
    let dimensions = zip(field.gridDimensions, lengths).map { Grid.Dimension(name: $0, length: $1) }
    let isProduct = coordinates.allSatisfy { one in
      one.dimensions.count == 1 && coordinates.count { $0.dimensions == one.dimensions } == 1
        && (one.dimensions == [one.name] || Order(one.values) != .none)
    }
    if isProduct {
      var placed = dimensions
      for coordinate in coordinates {
        guard let place = field.gridDimensions.firstIndex(of: coordinate.dimensions[0]),
          let axis = directions.firstIndex(of: coordinate.direction)
        else { continue }
        let values = try ordered(coordinate, path)
        placed[place] = Grid.Dimension(name: dimensions[place].name, axis: axis, coordinates: values)
      }
      return (Grid(placed), [])
    }
    return try listed(field, coordinates, directions, dimensions, path)
  }

  /// A grid whose cells each have a place of their own.
  private static func listed(
    _ field: ModelSchema.FieldVariable, _ coordinates: [ModelCoordinate], _ directions: [String],
    _ dimensions: [Grid.Dimension], _ path: String
  ) throws(ArchiveError) -> (Grid, unplaced: [Int]) {
    let cells = dimensions.reduce(1) { $0 * $1.length }
    var places = [Place](repeating: .nowhere, count: cells)
    var isMissing = [Bool](repeating: false, count: cells)
    for coordinate in coordinates {
      guard let axis = directions.firstIndex(of: coordinate.direction) else { continue }
      // How far apart neighbours along each of the field's dimensions are in the coordinate's values.
      var strides = [Int](repeating: 0, count: dimensions.count)
      var stride = 1
      for name in coordinate.dimensions.reversed() {
        guard let place = field.gridDimensions.firstIndex(of: name) else { continue }
        strides[place] = stride
        stride *= dimensions[place].length
      }
      for cell in 0..<cells {
        var (rest, index) = (cell, 0)
        for place in dimensions.indices.reversed() {
          index += rest % dimensions[place].length * strides[place]
          rest /= dimensions[place].length
        }
        let value = coordinate.values[index]
        places[cell].coordinates[axis] = value
        if value.isNaN { isMissing[cell] = true }
      }
    }
    let unplaced = isMissing.indices.filter { isMissing[$0] }
    guard unplaced.count < cells else {
      throw ArchiveError(
        .notFinite, path: path, object: "variable \(field.name)", found: "no cell with a place",
        expected: "values in its coordinates (\(coordinates.map(\.name).joined(separator: ", ")))")
    }
    return (Grid(dimensions, places: places), unplaced)
  }

  private enum Order {
    case ascending, descending, none

    init(_ values: [Double]) {
      let pairs = zip(values, values.dropFirst())
      if values.contains(where: \.isNaN) {
        self = .none
      } else if pairs.allSatisfy({ $0 < $1 }) {
        self = .ascending
      } else {
        self = pairs.allSatisfy { $0 > $1 } ? .descending : .none
      }
    }
  }

  /// A coordinate's values where they are strictly ascending or descending; longitudes may jump by a turn in between.
  private static func ordered(_ coordinate: ModelCoordinate, _ path: String) throws(ArchiveError) -> [Double] {
    var values = coordinate.values
    if Order(values) == .none, coordinate.direction == ModelCoordinate.longitude {
      for i in values.indices.dropFirst() where abs(values[i] - values[i - 1]) > 180 {
        values[i] += 360 * ((values[i - 1] - values[i]) / 360).rounded()
      }
    }
    guard Order(values) != .none else {
      let wrong = values.indices.first { values[$0].isNaN || $0 > 1 && Order(Array(values[...$0])) == .none } ?? 0
      throw ArchiveError(
        values[wrong].isNaN ? .notFinite : .wrongOrder, path: path, object: "variable \(coordinate.name)",
        found: values[wrong].isNaN ? "a missing value at index \(wrong)" : "\(values[wrong]) at index \(wrong)",
        expected: "strictly ascending or descending coordinates")
    }
    return values
  }

  // MARK: Fields

  private static func field(
    _ reader: DatasetReader, _ name: String, _ bounds: ModelFileOptions.Bounds?, grid: Int
  ) throws(ArchiveError) -> Field {
    Field(
      name: name, longName: try reader.phrase("long_name", of: name),
      standardName: try reader.phrase("standard_name", of: name), units: try reader.phrase("units", of: name) ?? "1",
      lowerBound: bounds?.lower, upperBound: bounds?.upper, grid: grid)
  }

  /// Refuses options about what is not there: they would silently do nothing.
  private static func checkNames(
    _ reader: DatasetReader, _ schema: ModelSchema, _ options: ModelFileOptions,
    _ coordinates: some Sequence<ModelCoordinate>
  ) throws(ArchiveError) {
    let fields = schema.fields.map(\.name)
    for name in (Array(options.bounds.keys) + Array(options.coordinates.keys)).sorted() where !fields.contains(name) {
      throw ArchiveError(
        .missingVariable, path: reader.path, object: "variable \(name)", found: "no such field",
        expected: "one of the state's (\(fields.joined(separator: ", ")))")
    }
    var axes: [String] = []
    for coordinate in coordinates {
      for name in [coordinate.name, axisName(coordinate.direction, coordinate)] where !axes.contains(name) {
        axes.append(name)
      }
    }
    for name in options.periodic.keys.sorted() where !axes.contains(name) {
      throw ArchiveError(
        .missingVariable, path: reader.path, object: "axis \(name)", found: "no such axis",
        expected: "one of the state's (\(axes.isEmpty ? "none" : axes.joined(separator: ", ")))")
    }
    for name in options.directions.keys.sorted() { _ = try reader.variable(name) }
  }
}
