public import DaunceObservations

/// Observations as a list in NetCDF: variables along one dimension of any name.
///
///     dimensions:
///       obs = 1000 ;  member = 20 ;
///     variables:
///       double value(obs) ;                 NaN or fill value where missing
///       double error_variance(obs) ;        or error_sd, error: standard deviations; optional
///       string variable(obs) ;              optional; or char variable(obs, n), or integers with flag_values and
///                                           flag_meanings
///       double time(obs) ;  time:units = "seconds since 2020-01-01T00:00:00Z" ;   optional
///       int quality(obs) ;                  optional; 0 is good
///       double hx(member, obs) ;            optional: h(x) of every member
///       double x(obs) ;  x:units = "m" ;    every other numeric variable along the dimension is a coordinate
public enum PointsReader: ObservationReader {
  public static let name = "points"
  public static let summary = "NetCDF with value(obs) and columns of the same dimension"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    file.dataset?.find("value").map { $0.dimensions.count == 1 } ?? false
  }

  private static let known = ["value", "error_variance", "error_sd", "error", "variable", "time", "quality", "hx"]

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    guard let dataset = file.dataset else {
      throw ArchiveError(.notNetCDF, path: file.path, found: "no NetCDF file", expected: summary)
    }
    let over = try dataset.variable("value").dimensions
    var table = ObservationTable(source: file.path)
    table.values = try dataset.column("value", over: over)
    table.errorVariances = try variances(dataset, over, table.count)
    (table.kinds, table.kind) = try kinds(dataset, over, table.count)
    if dataset.find("time") != nil {
      table.times = try dataset.column("time", over: over)
      (table.timeUnits, table.calendar) = (dataset.note("units", of: "time"), dataset.calendar(of: "time"))
    }
    let hasMarks = dataset.find("quality") != nil
    table.quality =
      try hasMarks
      ? dataset.marks("quality", over: over, missing: 0) : [Int32](repeating: 0, count: table.count)
    for variable in dataset.variables where variable.dimensions == over && !known.contains(variable.name) {
      guard DatasetReader.isNumeric(variable) else { continue }
      // Numbers of the observations are no place.
      if variable.name == over[0], !["double", "float"].contains(variable.typeName) { continue }
      table.coordinates.append(
        (variable.name, dataset.note("units", of: variable.name), try dataset.field(variable.name)))
    }
    table.memberValues = try memberValues(dataset, over, table.count)
    return table
  }

  private static func variances(
    _ dataset: DatasetReader, _ over: [String], _ count: Int
  ) throws(ArchiveError) -> [Double] {
    let found = ["error_variance", "error_sd", "error"].filter { dataset.find($0) != nil }
    guard found.count < 2 else {
      throw ArchiveError(
        .contradiction, path: dataset.path, found: "variables \(found.joined(separator: " and "))",
        expected: "one way of giving the error")
    }
    guard let name = found.first else { return [Double](repeating: .nan, count: count) }
    let errors = try dataset.column(name, over: over)
    return name == "error_variance" ? errors : DatasetReader.variances(ofDeviations: errors)
  }

  private static func kinds(
    _ dataset: DatasetReader, _ over: [String], _ count: Int
  ) throws(ArchiveError) -> ([String], [Int32]) {
    guard let variable = dataset.find("variable") else { return ([""], [Int32](repeating: 0, count: count)) }
    guard variable.dimensions.first == over[0] else {
      throw ArchiveError(
        .wrongDimensions, path: dataset.path, object: "variable variable",
        found: "dimensions (\(variable.dimensions.joined(separator: ", ")))",
        expected: "(\(over[0])) of strings or integers, or (\(over[0]), n) of characters")
    }
    guard DatasetReader.isNumeric(variable) else {
      let texts = try dataset.texts("variable")
      guard texts.count == count else {
        throw ArchiveError(
          .wrongSize, path: dataset.path, object: "variable variable", found: "\(texts.count) names",
          expected: "\(count)")
      }
      var names = Names()
      let kind = texts.map { names.number($0) }
      return (names.all, kind)
    }
    return try flags(dataset, over)
  }

  /// Names by number (CF, section 3.5).
  private static func flags(_ dataset: DatasetReader, _ over: [String]) throws(ArchiveError) -> ([String], [Int32]) {
    let meanings = dataset.words("flag_meanings", of: "variable")
    let numbers = try dataset.numbers("flag_values", of: "variable") ?? []
    guard !meanings.isEmpty, numbers.count == meanings.count else {
      throw ArchiveError(
        .missingAttribute, path: dataset.path, object: "variable variable",
        found: "\(numbers.count) flag_values and \(meanings.count) flag_meanings", expected: "as many, and at least one"
      )
    }
    var names = Names()
    let kinds = meanings.map { names.number($0) }
    var kind: [Int32] = []
    for (i, value) in try dataset.column("variable", over: over).enumerated() {
      guard let place = numbers.firstIndex(of: value) else {
        throw ArchiveError(
          .outOfBounds, path: dataset.path, object: "variable variable", found: "\(value) at index \(i)",
          expected: "one of its flag_values")
      }
      kind.append(kinds[place])
    }
    return (names.all, kind)
  }

  private static func memberValues(
    _ dataset: DatasetReader, _ over: [String], _ count: Int
  ) throws(ArchiveError) -> [[Double]] {
    guard let variable = dataset.find("hx") else { return [] }
    guard variable.dimensions.count == 2, variable.dimensions[1] == over[0] else {
      throw ArchiveError(
        .wrongDimensions, path: dataset.path, object: "variable hx",
        found: "dimensions (\(variable.dimensions.joined(separator: ", ")))", expected: "(member, \(over[0]))")
    }
    var values: [[Double]] = []
    for m in 0..<variable.shape[0] {
      values.append(try dataset.field(variable, start: [m, 0], count: [1, count]))
    }
    return values
  }
}
