/// A table of numbers: columns by name, all with as many rows. CSV (commas, semicolons or tabs; comments after `#`; a unit
/// may follow a name in brackets), or the one-dimensional variables of a NetCDF file along one dimension.
///
/// What is not a number is no error until its column is asked for: tables may have columns of other things.
public struct NumberTable: Sendable {
  /// The file.
  public let path: String
  /// Names in the file's order.
  public let names: [String]
  /// Units by name; empty where the file tells none.
  public let units: [String: String]
  /// Number of rows.
  public let rows: Int
  private let columns: [String: [Double]]
  /// The first field of a column that is not a number: its row and text.
  private let misfits: [String: (row: Int, text: String)]
  /// Line of each row in a text file.
  private let lines: [Int]

  /// Reads a file. Throws if it cannot be read or is no table.
  public init(path: String) throws(ArchiveError) {
    let contents = try FileContents(path: path, expected: "a table: CSV or NetCDF")
    let bytes = contents.bytes
    self.path = path
    if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) || bytes.starts(with: Array("CDF".utf8)) {
      let parts = try Self.read(DatasetReader(path: path, contents: contents))
      (names, units, rows, columns) = (parts.names, parts.units, parts.rows, parts.columns)
      (misfits, lines) = ([:], [])
    } else {
      let parts = try CSVNumbers(ByteText(contents), path: path)
      names = parts.header.columns.map(\.name)
      units = Dictionary(parts.header.columns.map { ($0.name, $0.units) }) { first, _ in first }
      rows = parts.lines.count
      columns = Dictionary(uniqueKeysWithValues: zip(names, parts.values))
      (misfits, lines) = (parts.misfits, parts.lines)
    }
    guard rows > 0 else {
      throw ArchiveError(.truncated, path: path, found: "a table without rows", expected: "at least one row")
    }
  }

  /// Whether there is a column of this name.
  public func has(_ name: String) -> Bool { columns[name] != nil }

  /// How messages call row `row`, from 0: the line of a text file, or the row from 1.
  public func place(of row: Int) -> String { row < lines.count ? "line \(lines[row])" : "row \(row + 1)" }

  /// A column's numbers, all of them finite. Throws, naming row and column, where one is missing, text or infinite.
  public func numbers(_ name: String) throws(ArchiveError) -> [Double] {
    guard let values = columns[name] else {
      throw ArchiveError(
        .missingVariable, path: path, object: "column \(name)", found: "no such column",
        expected: "one of the file's: \(names.prefix(20).joined(separator: ", "))\(names.count > 20 ? ", ..." : "")")
    }
    let misfit = misfits[name]
    for (row, value) in values.enumerated() where !value.isFinite || row == misfit?.row {
      let text = misfit.flatMap { $0.row == row ? $0.text : nil }
      throw ArchiveError(
        text == nil ? .notFinite : .wrongType, path: path, object: "\(place(of: row)), column \(name)",
        found: text ?? (value.isNaN ? "a missing value" : "\(value)"), expected: "a number")
    }
    return values
  }

  private static func read(
    _ dataset: DatasetReader
  ) throws(ArchiveError) -> (names: [String], units: [String: String], rows: Int, columns: [String: [Double]]) {
    let lists = dataset.variables.filter { $0.dimensions.count == 1 && !["char", "string"].contains($0.typeName) }
    var counts: [String: Int] = [:]
    for variable in lists { counts[variable.dimensions[0], default: 0] += 1 }
    guard let most = counts.values.max(), let dimension = lists.first(where: { counts[$0.dimensions[0]] == most })?.dimensions[0]
    else {
      throw ArchiveError(
        .missingVariable, path: dataset.path, found: "no variable with one dimension",
        expected: "a table: variables along one dimension of rows")
    }
    let rows = try dataset.length(of: dimension)
    var (names, units, columns) = ([String](), [String: String](), [String: [Double]]())
    for variable in lists where variable.dimensions == [dimension] && variable.name != dimension {
      names.append(variable.name)
      columns[variable.name] = try dataset.field(variable.name)
      units[variable.name] = try dataset.text("units", of: variable.name) ?? ""
    }
    return (names, units, rows, columns)
  }
}

/// The numbers of a CSV file, column by column.
private struct CSVNumbers {
  let header: CSVHeader
  private(set) var values: [[Double]]
  private(set) var misfits: [String: (row: Int, text: String)] = [:]
  private(set) var lines: [Int] = []

  init(_ text: ByteText, path: String) throws(ArchiveError) {
    var scan = text.lines
    guard let header = CSVHeader(text, &scan) else {
      throw ArchiveError(.truncated, path: path, found: "no line with names of columns", expected: "a table: CSV or NetCDF")
    }
    try header.checkNames(path: path)
    self.header = header
    values = header.columns.map { _ in [] }
    while let line = scan.next() {
      let filled = text.trimmed(line)
      if filled.isEmpty || text[filled.lowerBound] == UInt8(ascii: "#") { continue }
      try take(line, text, path: path, number: scan.number)
    }
  }

  private mutating func take(_ line: Range<Int>, _ text: ByteText, path: String, number: Int) throws(ArchiveError) {
    var (fields, column) = (CSVFields(text: text, line: line, separator: header.separator), 0)
    while let field = fields.next() {
      if column < values.count {
        let name = header.columns[column].name
        if field.isEmpty {
          values[column].append(.nan)
        } else if let value = text.number(field) {
          values[column].append(value)
        } else {
          values[column].append(.nan)
          if misfits[name] == nil { misfits[name] = (lines.count, text.quoted(field)) }
        }
      }
      column += 1
    }
    guard column == values.count, !fields.isOpen else {
      throw ArchiveError(
        .wrongSize, path: path, object: "line \(number)", found: "\(column) fields",
        expected: "\(values.count), as many as line \(header.line) names")
    }
    lines.append(number)
  }
}
