import CNetCDF

/// A variable that says where cells are along one direction of space.
struct ModelCoordinate {
  let name: String
  /// What two coordinates along one axis have in common; `longitude` and `latitude` are those of a sphere.
  let direction: String
  let units: String
  /// Dimensions that it is over, without time and member.
  let dimensions: [String]
  /// Along `dimensions`, slowest first; not a number where it is missing.
  let values: [Double]

  static let longitude = "longitude"
  static let latitude = "latitude"
  static let vertical = "axis Z"
}

extension DatasetReader {
  /// `longitude` or `latitude` where the variable's metadata say that it is one.
  func horizontalDirection(of variable: Variable) throws(ArchiveError) -> String? {
    guard numberSize(variable.type) != nil else { return nil }
    let standard = try phrase("standard_name", of: variable.name)
    if standard == "longitude" { return ModelCoordinate.longitude }
    if standard == "latitude" { return ModelCoordinate.latitude }
    // CF 4.1 and 4.2; a rotated pole's coordinates have `degrees` and other standard names.
    guard standard == nil, let units = try phrase("units", of: variable.name) else { return nil }
    switch units.lowercased() {
    case "degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee": return ModelCoordinate.longitude
    case "degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen":
      return ModelCoordinate.latitude
    default: return nil
    }
  }

  /// What a coordinate is along: what the options say, a sphere's longitude or latitude, the CF attribute `axis`, the
  /// standard name, or nothing but itself.
  func direction(of variable: Variable, _ options: ModelFileOptions) throws(ArchiveError) -> String {
    if let axis = options.directions[variable.name], axis != variable.name {
      if [ModelCoordinate.longitude, ModelCoordinate.latitude].contains(axis) { return axis }
      // Where the axis is the name of another coordinate, both are along what that one is along.
      guard let other = find(axis) else { return "name \(axis)" }
      var rest = options
      rest.directions[axis] = nil
      return try direction(of: other, rest)
    }
    if let horizontal = try horizontalDirection(of: variable) { return horizontal }
    if let axis = try phrase("axis", of: variable.name)?.uppercased(), ["X", "Y", "Z"].contains(axis) {
      return "axis \(axis)"
    }
    if try phrase("positive", of: variable.name) != nil { return ModelCoordinate.vertical }
    if let standard = try phrase("standard_name", of: variable.name) { return "standard name \(standard)" }
    return "name \(variable.name)"
  }

  /// Reads a coordinate. Throws if it is no variable of numbers, or differs between times or members.
  func coordinate(
    _ name: String, _ schema: ModelSchema, _ options: ModelFileOptions
  ) throws(ArchiveError) -> ModelCoordinate {
    let variable = try variable(name)
    let object = "variable \(name)"
    guard numberSize(variable.type) != nil else {
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "values of type \(variable.typeName)",
        expected: "coordinates, which are numbers")
    }
    var (dimensions, count) = ([String](), [Int]())
    for (dimension, length) in zip(variable.dimensions, variable.shape) {
      if schema.isTimeOrMember(dimension) {
        guard length == 1 else {
          throw ArchiveError(
            .wrongDimensions, path: path, object: object, found: "coordinates along \(dimension)",
            expected: "the same places for all members and times")
        }
      } else {
        dimensions.append(dimension)
      }
      count.append(length)
    }
    let direction = try direction(of: variable, options)
    var values = try field(variable, start: count.map { _ in 0 }, count: count)
    var units = try phrase("units", of: name) ?? "1"
    if direction == ModelCoordinate.longitude || direction == ModelCoordinate.latitude {
      if units.lowercased().hasPrefix("radian") { for i in values.indices { values[i] *= 180 / .pi } }
      units = direction == ModelCoordinate.longitude ? "degrees_east" : "degrees_north"
      for value in values where abs(value) > (direction == ModelCoordinate.longitude ? 1080 : 90.001) {
        throw ArchiveError(
          .outOfBounds, path: path, object: object, found: "\(direction) \(value)", expected: "degrees, or no value")
      }
    }
    for value in values where value.isInfinite {
      throw ArchiveError(.notFinite, path: path, object: object, found: "\(value)", expected: "finite coordinates")
    }
    return ModelCoordinate(
      name: name, direction: direction, units: units, dimensions: dimensions, values: values)
  }

  /// Names of the coordinates of a field: those that the options or its attribute `coordinates` name, as far as they
  /// are over its grid, and for other dimensions the variables named like them.
  func coordinateNames(
    of field: ModelSchema.FieldVariable, _ schema: ModelSchema, _ options: ModelFileOptions
  ) throws(ArchiveError) -> [String] {
    let grid = field.gridDimensions
    var names: [String] = []
    var covered: Set<String> = []
    func take(_ variable: Variable) {
      guard !names.contains(variable.name) else { return }
      names.append(variable.name)
      covered.formUnion(variable.dimensions)
    }
    if let chosen = options.coordinates[field.name] {
      for name in chosen {
        let variable = try variable(name)
        let over = variable.dimensions.filter { !schema.isTimeOrMember($0) }
        guard !over.isEmpty, over.allSatisfy(grid.contains) else {
          throw ArchiveError(
            .wrongDimensions, path: path, object: "variable \(name)",
            found: "dimensions (\(variable.dimensions.joined(separator: ", ")))",
            expected: "some of those of \(field.name), whose coordinate it is to be (\(grid.joined(separator: ", ")))")
        }
        take(variable)
      }
    } else {
      for variable in try listedCoordinates(of: field, schema, options) { take(variable) }
    }
    for dimension in grid where !covered.contains(dimension) {
      if let own = find(dimension), own.dimensions == [dimension], numberSize(own.type) != nil { take(own) }
    }
    return names
  }

  /// The coordinates that a field's attribute `coordinates` names, as far as they place its cells. Others than
  /// longitude and latitude are mostly further names of what dimensions' own coordinates say, and left out where those are.
  private func listedCoordinates(
    of field: ModelSchema.FieldVariable, _ schema: ModelSchema, _ options: ModelFileOptions
  ) throws(ArchiveError) -> [Variable] {
    let grid = field.gridDimensions
    var found: [(variable: Variable, over: [String], isHorizontal: Bool)] = []
    for name in try phrase("coordinates", of: field.name)?.split(separator: " ") ?? [] {
      guard let variable = find(String(name)), numberSize(variable.type) != nil else { continue }
      let over = variable.dimensions.filter { !schema.isTimeOrMember($0) }
      let isFixed = zip(variable.dimensions, variable.shape).allSatisfy { !schema.isTimeOrMember($0) || $1 == 1 }
      guard !over.isEmpty, over.allSatisfy(grid.contains), isFixed else { continue }
      found.append((variable, over, try horizontalDirection(of: variable) != nil))
    }
    let placed = Set(found.filter(\.isHorizontal).flatMap(\.over))
    var taken: [Variable] = []
    for (variable, over, isHorizontal) in found {
      let hasOwn = over.contains { dimension in find(dimension)?.dimensions == [dimension] }
      let direction = try direction(of: variable, options)
      let isHeight = over.count == 1 && direction == ModelCoordinate.vertical
      let isPlaced = over.allSatisfy(placed.contains)
      if isHorizontal || (isPlaced ? isHeight : !hasOwn) { taken.append(variable) }
    }
    return taken
  }
}
