import DaunceObservations

/// Puts the observations of several variables one behind the other into one table.
struct TableBuilder {
  /// A coordinate of every observation of a block.
  typealias Column = (name: String, units: String, values: [Double])

  /// What one variable gives; all arrays are of one length, or empty where there is nothing.
  struct Block {
    var kind: String
    var values: [Double]
    var variances: [Double] = []
    var quality: [Int32] = []
    var times: [Double] = []
    var timeUnits = ""
    var calendar = "standard"
    var coordinates: [Column] = []
  }

  private var table: ObservationTable
  private var names = Names()

  init(source: String) { table = ObservationTable(source: source) }

  /// Adds a variable's observations. Columns that it does not have, or that those before did not have, are missing.
  mutating func append(_ block: Block) throws(ArchiveError) {
    let (before, count) = (table.count, block.values.count)
    table.kind += [Int32](repeating: names.number(block.kind), count: count)
    table.values += block.values
    table.errorVariances += filled(block.variances, count)
    table.quality += block.quality.isEmpty ? [Int32](repeating: 0, count: count) : block.quality
    if !block.times.isEmpty, table.times.isEmpty {
      table.times = [Double](repeating: .nan, count: before)
      (table.timeUnits, table.calendar) = (block.timeUnits, block.calendar)
    }
    if !block.times.isEmpty { try agree(table.timeUnits, block.timeUnits, "times", block.kind) }
    if !block.times.isEmpty || !table.times.isEmpty { table.times += filled(block.times, count) }
    for column in block.coordinates {
      if let place = table.coordinates.firstIndex(where: { $0.name == column.name }) {
        guard table.coordinates[place].values.count == before else { continue }
        try agree(table.coordinates[place].units, column.units, "coordinate \(column.name)", block.kind)
        table.coordinates[place].values += column.values
      } else {
        table.coordinates.append(
          (column.name, column.units, [Double](repeating: .nan, count: before) + column.values))
      }
    }
    for place in table.coordinates.indices where table.coordinates[place].values.count == before {
      table.coordinates[place].values += [Double](repeating: .nan, count: count)
    }
  }

  private func filled(_ values: [Double], _ count: Int) -> [Double] {
    values.isEmpty ? [Double](repeating: .nan, count: count) : values
  }

  private func agree(_ a: String, _ b: String, _ what: String, _ kind: String) throws(ArchiveError) {
    guard a == b else {
      throw ArchiveError(
        .contradiction, path: table.source, object: "\(what) of \(kind)", found: "the unit \"\(b)\"",
        expected: "\"\(a)\", as for the variables before")
    }
  }

  /// Everything so far.
  var finished: ObservationTable {
    var table = table
    table.kinds = names.all
    return table
  }
}

extension DatasetReader {
  /// The text of an attribute, or an empty one: also where the attribute is a number.
  func note(_ name: String, of variable: String? = nil) -> String { (try? text(name, of: variable)) ?? "" }

  /// The calendar of a variable of times.
  func calendar(of variable: String) -> String {
    let calendar = note("calendar", of: variable)
    return calendar.isEmpty ? "standard" : calendar
  }

  /// Words of an attribute.
  func words(_ name: String, of variable: String? = nil) -> [String] {
    note(name, of: variable).split { " \t\n,".contains($0) }.map(String.init)
  }

  /// The numbers of a variable over these dimensions alone.
  func column(_ name: String, over dimensions: [String]) throws(ArchiveError) -> [Double] {
    let variable = try variable(name)
    guard variable.dimensions == dimensions else {
      throw ArchiveError(
        .wrongDimensions, path: path, object: "variable \(name)",
        found: "dimensions (\(variable.dimensions.joined(separator: ", ")))",
        expected: "(\(dimensions.joined(separator: ", ")))")
    }
    return try field(name)
  }

  /// Standard deviations as variances; the square would hide a minus, so that stays.
  static func variances(ofDeviations deviations: [Double]) -> [Double] {
    deviations.map { $0 < 0 ? $0 : $0 * $0 }
  }

  /// Whole marks of quality; missing ones are `missing`.
  func marks(_ name: String, over dimensions: [String], missing: Int32) throws(ArchiveError) -> [Int32] {
    let values = try column(name, over: dimensions)
    var marks: [Int32] = []
    marks.reserveCapacity(values.count)
    for (i, value) in values.enumerated() {
      guard let mark = value.isNaN ? missing : Int32(exactly: value) else {
        throw ArchiveError(
          .wrongType, path: path, object: "variable \(name)", found: "\(value) at index \(i)",
          expected: "a whole number, 0 for good")
      }
      marks.append(mark)
    }
    return marks
  }

  /// Whether a variable holds numbers.
  static func isNumeric(_ variable: Variable) -> Bool { numberSize(variable.type) != nil }

  /// What a coordinate measures by its standard name or, for places on the Earth, its units; `nil` if neither tells.
  func meaning(of name: String) -> String? {
    let standard = note("standard_name", of: name)
    if !standard.isEmpty { return standard }
    switch note("units", of: name) {
    case "degrees_north", "degree_north", "degrees_N", "degree_N", "degreesN": return "latitude"
    case "degrees_east", "degree_east", "degrees_E", "degree_E", "degreesE": return "longitude"
    default: return note("units", of: name).contains(" since ") ? "time" : nil
    }
  }
}
