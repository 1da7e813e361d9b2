import CNetCDF

/// Which of a file's variables are the state, and what each of their dimensions is.
struct ModelSchema {
  /// A variable of the state as it lies in a file.
  struct FieldVariable {
    let variable: DatasetReader.Variable
    /// Place of the member dimension among its dimensions.
    let memberAxis: Int?
    /// Places of the dimensions that are neither member nor time, in the file's order.
    let gridAxes: [Int]

    var name: String { variable.name }
    var gridDimensions: [String] { gridAxes.map { variable.dimensions[$0] } }

    /// The block of one member: where it starts, and how much it is along each dimension.
    func block(member: Int) -> (start: [Int], count: [Int]) {
      var (start, count) = (variable.shape.map { _ in 0 }, variable.shape.map { _ in 1 })
      for axis in gridAxes { count[axis] = variable.shape[axis] }
      if let memberAxis { start[memberAxis] = member }
      return (start, count)
    }
  }

  /// The dimension along which members lie in a single file; `nil` where each has a file.
  let memberDimension: String?
  /// Members in the file.
  let memberCount: Int
  let fields: [FieldVariable]

  private let reader: DatasetReader
  private let options: ModelFileOptions
  private let times: TimeDimensions

  /// - Parameter isSingle: whether the file holds all members.
  init(_ reader: DatasetReader, _ options: ModelFileOptions, isSingle: Bool) throws(ArchiveError) {
    self.reader = reader
    self.options = options
    times = try TimeDimensions(reader)
    memberDimension = try isSingle ? Self.memberDimension(reader, options) : nil
    memberCount = try memberDimension.map { name throws(ArchiveError) in try reader.length(of: name) } ?? 1
    var names = options.fields ?? []
    if options.fields == nil { names = try Self.allFields(reader, memberDimension, times) }
    guard !names.isEmpty else {
      throw ArchiveError(
        .missingVariable, path: reader.path,
        found: "no floating-point or packed variable over \(memberDimension ?? "a grid")",
        expected: "the names of the state's fields")
    }
    var fields: [FieldVariable] = []
    for name in names {
      guard !fields.contains(where: { $0.name == name }) else {
        throw ArchiveError(
          .contradiction, path: reader.path, object: "variable \(name)", found: "its name twice among the fields",
          expected: "each field once")
      }
      fields.append(try Self.field(reader, name, memberDimension, memberCount, times))
    }
    self.fields = fields
  }

  // MARK: Members

  private static func memberDimension(
    _ reader: DatasetReader, _ options: ModelFileOptions
  ) throws(ArchiveError) -> String {
    let names = reader.dimensions.map(\.name)
    if names.contains(options.memberDimension) { return options.memberDimension }
    if options.memberDimension == ModelFileOptions().memberDimension {
      if let other = ModelFileOptions.memberDimensions.first(where: names.contains) { return other }
      for variable in reader.variables where variable.dimensions.count == 1 {
        if try reader.phrase("standard_name", of: variable.name) == "realization" { return variable.dimensions[0] }
      }
    }
    throw ArchiveError(
      .missingDimension, path: reader.path, object: "dimension \(options.memberDimension)",
      found: "no such dimension, so a single member",
      expected: "it among the file's dimensions (\(names.isEmpty ? "none" : names.joined(separator: ", "))), or a file "
        + "for each member")
  }

  // MARK: Fields

  /// Names of the variables that are the state where nobody says which, in the file's order.
  private static func allFields(
    _ reader: DatasetReader, _ member: String?, _ times: TimeDimensions
  ) throws(ArchiveError) -> [String] {
    let others = try reader.coordinateNames()
    var names: [String] = []
    for variable in reader.variables where !others.contains(variable.name) {
      guard try reader.isReal(variable) else { continue }
      let isField = member.map(variable.dimensions.contains) ?? !variable.dimensions.allSatisfy { times.contains($0) }
      if isField { names.append(variable.name) }
    }
    return names
  }

  private static func field(
    _ reader: DatasetReader, _ name: String, _ member: String?, _ members: Int, _ times: TimeDimensions
  ) throws(ArchiveError) -> FieldVariable {
    let variable = try reader.variable(name)
    let object = "variable \(name)"
    guard numberSize(variable.type) != nil else {
      throw ArchiveError(
        .wrongType, path: reader.path, object: object, found: "values of type \(variable.typeName)",
        expected: "numbers")
    }
    _ = try reader.plausibleCount(variable, variable.count)
    let memberAxis = member.flatMap { variable.dimensions.firstIndex(of: $0) }
    guard member == nil || memberAxis != nil else {
      throw ArchiveError(
        .wrongDimensions, path: reader.path, object: object,
        found: "dimensions (\(variable.dimensions.joined(separator: ", ")))",
        expected: "\(member ?? "") among them, as members are along it")
    }
    var gridAxes: [Int] = []
    for (axis, dimension) in variable.dimensions.enumerated() where axis != memberAxis {
      let length = variable.shape[axis]
      guard length > 0 else {
        throw ArchiveError(
          .wrongSize, path: reader.path, object: object, found: "dimension \(dimension) = 0", expected: "values")
      }
      let isOther = member == nil && (["member"] + ModelFileOptions.memberDimensions).contains(dimension)
      if times.contains(dimension) || isOther {
        guard length == 1 else {
          throw ArchiveError(
            .wrongSize, path: reader.path, object: object, found: "\(dimension) = \(length)",
            expected: isOther
              ? "one file with all members, or one member in each file"
              : "one time in the file: states of several times are no state (ncks -d \(dimension),0 takes one)")
        }
      } else {
        gridAxes.append(axis)
      }
    }
    return FieldVariable(variable: variable, memberAxis: memberAxis, gridAxes: gridAxes)
  }

  /// Whether `dimension` is left out of grids.
  func isTimeOrMember(_ dimension: String) -> Bool { dimension == memberDimension || times.contains(dimension) }
}

/// The dimensions of a file that are time.
struct TimeDimensions {
  private let names: Set<String>

  init(_ reader: DatasetReader) throws(ArchiveError) {
    var names: Set<String> = []
    let growing = try reader.growingDimensions()
    for dimension in reader.dimensions {
      let coordinate = reader.find(dimension.name)?.name
      let axis = try coordinate.flatMap { name throws(ArchiveError) in try reader.phrase("axis", of: name) }
      let units = try coordinate.flatMap { name throws(ArchiveError) in try reader.phrase("units", of: name) }
      if dimension.name.lowercased() == "time" || axis == "T" || units?.contains(" since ") == true {
        names.insert(dimension.name)
      } else if growing.contains(dimension.name), coordinate == nil || dimension.length == 1, axis == nil {
        // Records are times, unless stations or the like have places along them.
        let isListed = try reader.hasListedPlaces(along: dimension.name)
        if dimension.length == 1 || !isListed { names.insert(dimension.name) }
      }
    }
    self.names = names
  }

  func contains(_ dimension: String) -> Bool { names.contains(dimension) }
}

extension DatasetReader {
  /// A text attribute without blanks around it; `nil` if there is none, or none that is a text.
  func phrase(_ name: String, of variable: String) throws(ArchiveError) -> String? {
    guard let found = try attribute(name, of: variable) else { return nil }
    guard found.type == NC_CHAR || found.type == NC_STRING && found.length == 1 else { return nil }
    let words = try text(name, of: variable)?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return words?.isEmpty == true ? nil : words
  }

  /// Whether a variable holds real numbers: floating-point, or packed.
  func isReal(_ variable: Variable) throws(ArchiveError) -> Bool {
    if variable.type == NC_FLOAT || variable.type == NC_DOUBLE { return true }
    guard numberSize(variable.type) != nil else { return false }
    if try attribute("scale_factor", of: variable.name) != nil { return true }
    return try attribute("add_offset", of: variable.name) != nil
  }

  /// Variables that say where others are: named like a dimension, named by others as their coordinates, limits of cells
  /// or map projection, and longitudes and latitudes.
  func coordinateNames() throws(ArchiveError) -> Set<String> {
    var names = Set(dimensions.map(\.name))
    for variable in variables {
      for attribute in ["coordinates", "bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms"] {
        let text = try phrase(attribute, of: variable.name) ?? ""
        names.formUnion(text.split(separator: " ").map(String.init))
      }
      if try horizontalDirection(of: variable) != nil { names.insert(variable.name) }
    }
    return names
  }

  /// Names of the dimensions that grow.
  func growingDimensions() throws(ArchiveError) -> Set<String> {
    var (count, ids) = (Int32(0), [Int32](repeating: 0, count: max(dimensions.count, 1)))
    try check(nil) { nc_inq_unlimdims(dataset, &count, nil) }
    guard count > 0, count <= dimensions.count else { return [] }
    try check(nil) { nc_inq_unlimdims(dataset, &count, &ids) }
    var names: Set<String> = []
    for id in ids[..<Int(count)] {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try check(nil) { nc_inq_dimname(dataset, id, &name) }
      names.insert(string(name))
    }
    return names
  }

  /// Whether longitudes and latitudes are given for every element along a dimension.
  func hasListedPlaces(along dimension: String) throws(ArchiveError) -> Bool {
    for variable in variables where variable.dimensions == [dimension] {
      if try horizontalDirection(of: variable) != nil { return true }
    }
    return false
  }
}
