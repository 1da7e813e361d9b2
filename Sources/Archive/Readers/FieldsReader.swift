public import DaunceObservations

/// Observations as fields: one for each variable with an error variance, over dimensions that have coordinates.
///
///     dimensions:
///       time = 60 ;  y = 32 ;  x = 64 ;
///     variables:
///       double time(time) ;  time:units = "hours since 2020-01-01" ;  double y(y) ;  double x(x) ;
///       double a(time, y, x) ;  a:error_variance = 0.0063 ;   (or error_sd)
///       double b(time, y, x) ;  double b_error_variance(time, y, x) ;
///
/// Every element is an observation, a missing one where it is NaN or the fill value. Coordinates are the dimensions'
/// own variables and those that the variable's attribute `coordinates` names. Of several truths (a dimension `truth`)
/// the first one is read.
public enum FieldsReader: ObservationReader {
  public static let name = "fields"
  public static let summary = "NetCDF whose variables have an attribute error_variance"

  private static let suffix = "_error_variance"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    file.dataset.map { !observed($0).isEmpty } ?? false
  }

  private static func observed(_ dataset: DatasetReader) -> [DatasetReader.Variable] {
    let names = Set(dataset.variables.map(\.name))
    return dataset.variables.filter { variable in
      guard !variable.dimensions.isEmpty, DatasetReader.isNumeric(variable) else { return false }
      return names.contains(variable.name + suffix)
        || ((try? dataset.attributeNames(of: variable.name)) ?? []).contains {
          $0 == "error_variance" || $0 == "error_sd"
        }
    }
  }

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    guard let dataset = file.dataset else {
      throw ArchiveError(.notNetCDF, path: file.path, found: "no NetCDF file", expected: summary)
    }
    var builder = TableBuilder(source: file.path)
    for variable in observed(dataset) {
      let window = Window(variable)
      var block = TableBuilder.Block(
        kind: variable.name, values: try dataset.field(variable, start: window.start, count: window.count))
      block.variances = try variances(dataset, variable, window)
      try addCoordinates(of: variable, window, to: &block, dataset, known: file.known)
      try builder.append(block)
    }
    return builder.finished
  }

  /// The part of a variable that is read: everything, but of several truths one.
  private struct Window {
    let start: [Int]
    let count: [Int]
    let dimensions: [String]
    var size: Int { count.reduce(1, *) }

    init(_ variable: DatasetReader.Variable) {
      start = variable.shape.map { _ in 0 }
      count = zip(variable.dimensions, variable.shape).map { $0 == "truth" ? min($1, 1) : $1 }
      dimensions = variable.dimensions
    }

    /// Numbers over some of the dimensions, in the variable's order, repeated along the others.
    func spread(_ values: [Double], over part: [Int]) -> [Double] {
      var strides = count.map { _ in 0 }
      var step = 1
      for axis in part.reversed() {
        strides[axis] = step
        step *= count[axis]
      }
      var spread: [Double] = []
      spread.reserveCapacity(size)
      var index = count.map { _ in 0 }
      var place = 0
      for _ in 0..<size {
        spread.append(values[place])
        var axis = count.count - 1
        while axis >= 0 {
          index[axis] += 1
          place += strides[axis]
          if index[axis] < count[axis] { break }
          place -= strides[axis] * count[axis]
          index[axis] = 0
          axis -= 1
        }
      }
      return spread
    }
  }

  private static func variances(
    _ dataset: DatasetReader, _ variable: DatasetReader.Variable, _ window: Window
  ) throws(ArchiveError) -> [Double] {
    let single = try dataset.number("error_variance", of: variable.name)
    let deviation = try dataset.number("error_sd", of: variable.name)
    let field = dataset.find(variable.name + suffix)
    guard [single != nil, deviation != nil, field != nil].count(where: { $0 }) == 1 else {
      throw ArchiveError(
        .contradiction, path: dataset.path, object: "variable \(variable.name)",
        found: "more than one of the attributes error_variance and error_sd and a variable \(variable.name)\(suffix)",
        expected: "one of them")
    }
    if let field {
      guard field.dimensions == variable.dimensions else {
        throw ArchiveError(
          .wrongDimensions, path: dataset.path, object: "variable \(field.name)",
          found: "dimensions (\(field.dimensions.joined(separator: ", ")))",
          expected: "(\(variable.dimensions.joined(separator: ", ")))")
      }
      return try dataset.field(field, start: window.start, count: window.count)
    }
    let variance = single ?? DatasetReader.variances(ofDeviations: [deviation ?? .nan])[0]
    return [Double](repeating: variance, count: window.size)
  }

  private static func addCoordinates(
    of variable: DatasetReader.Variable, _ window: Window, to block: inout TableBuilder.Block, _ dataset: DatasetReader,
    known: [String: [Double]]
  ) throws(ArchiveError) {
    let named = dataset.words("coordinates", of: variable.name)
    var covered: Set<Int> = []
    for name in named + variable.dimensions where name != "truth" {
      guard let coordinate = dataset.find(name), DatasetReader.isNumeric(coordinate) else { continue }
      var axes: [Int] = []
      for dimension in coordinate.dimensions {
        if let axis = variable.dimensions.firstIndex(of: dimension) { axes.append(axis) }
      }
      guard axes.count == coordinate.dimensions.count, axes == Set(axes).sorted() else {
        throw ArchiveError(
          .wrongDimensions, path: dataset.path, object: "variable \(name)",
          found: "dimensions (\(coordinate.dimensions.joined(separator: ", ")))",
          expected:
            "some of (\(variable.dimensions.joined(separator: ", "))), which \(variable.name) has, in this order")
      }
      if coordinate.dimensions.contains("truth") { continue }
      covered.formUnion(axes)
      let values = window.spread(try dataset.field(name), over: axes)
      let units = dataset.note("units", of: name)
      if name == "time" || dataset.note("standard_name", of: name) == "time" {
        (block.times, block.timeUnits, block.calendar) = (values, units, dataset.calendar(of: name))
      } else if !block.coordinates.contains(where: { $0.name == name }) {
        block.coordinates.append((name, units, values))
      }
    }
    for (axis, name) in variable.dimensions.enumerated() where name != "truth" && !covered.contains(axis) {
      guard let coordinates = known[name] else {
        throw ArchiveError(
          .missingVariable, path: dataset.path, object: "variable \(variable.name)",
          found: "a dimension \(name) without coordinates", expected: "a variable \(name)(\(name))")
      }
      guard coordinates.count == variable.shape[axis] else {
        throw ArchiveError(
          .wrongSize, path: dataset.path, object: "dimension \(name)",
          found: "\(variable.shape[axis]) cells without coordinates",
          expected: "\(coordinates.count) cells, or a variable \(name)(\(name))")
      }
      block.coordinates.append((name, "", window.spread(coordinates, over: [axis])))
    }
  }
}
