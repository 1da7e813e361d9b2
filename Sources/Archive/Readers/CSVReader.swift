public import DaunceObservations

/// Observations as a table of text, one a line.
///
///     # any number of comments
///     variable,time,longitude [degrees_east],latitude,value,error_variance
///     temperature,2020-01-01T00:00:00Z,10.5,50,285.1,1
///     temperature,2020-01-01T00:00:00Z,11.5,50,,1
///
/// Columns come in any order, separated by commas, semicolons or tabs. `value` is required; `variable`, `time`,
/// `quality`, `hx_0`, `hx_1` ... (h(x) of every member) and one of `error_variance`, `error` (or `error_sd`, a standard
/// deviation) and `relative_error` (that over the value's size) are known; every other column is a coordinate. A unit
/// may follow a name in brackets. Empty fields, `nan` and `NA` are missing.
public enum CSVReader: ObservationReader {
  public static let name = "csv"
  public static let summary = "text whose first line names columns, value among them"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    guard file.dataset == nil else { return false }
    var lines = file.text.lines
    guard let header = CSVHeader(file.text, &lines) else { return false }
    return header.columns.contains { $0.role == .value }
  }

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    var lines = file.text.lines
    guard let header = CSVHeader(file.text, &lines) else {
      throw ArchiveError(.truncated, path: file.path, found: "no header line", expected: summary)
    }
    try header.check(path: file.path)
    var rows = CSVRows(file: file, header: header)
    while let line = lines.next() {
      let filled = file.text.trimmed(line)
      if filled.isEmpty || file.text[filled.lowerBound] == UInt8(ascii: "#") { continue }
      try rows.take(line, number: lines.number)
    }
    return rows.table
  }
}

/// The columns of a CSV file.
struct CSVHeader {
  enum Role: Hashable {
    case variable, time, value, variance, deviation, relative, quality
    case member(Int)
    case coordinate
  }

  let columns: [(name: String, units: String, role: Role)]
  let separator: UInt8
  let line: Int

  /// The first line that is neither blank nor a comment; `nil` if there is none, or if its quotation marks are not
  /// closed.
  init?(_ text: ByteText, _ lines: inout ByteText.Lines) {
    var found: Range<Int>?
    while let line = lines.nextFilled(), found == nil {
      if text[line.lowerBound] != UInt8(ascii: "#") {
        found = line
        break
      }
    }
    guard let found else { return nil }
    line = lines.number
    separator = Self.separator(text, found)
    var columns: [(String, String, Role)] = []
    var scan = CSVFields(text: text, line: found, separator: separator)
    while let field = scan.next() {
      var (name, units) = (CSVFields.unquoted(text, field), "")
      if name.last == "]", let bracket = name.firstIndex(of: "[") {
        units = String(name[name.index(after: bracket)...].dropLast())
        name = String(name[..<bracket])
        while name.last == " " { name.removeLast() }
      }
      columns.append((name, units, Self.role(name)))
      // More columns than a table can have: another kind of text.
      if columns.count > 65_536 { return nil }
    }
    guard !scan.isOpen else { return nil }
    self.columns = columns
  }

  /// The first of tab, semicolon and comma outside of quotation marks.
  private static func separator(_ text: ByteText, _ line: Range<Int>) -> UInt8 {
    var isQuoted = false
    for i in line {
      let byte = text[i]
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if !isQuoted, [0x09, 0x3B, 0x2C].contains(byte) { return byte }
    }
    return UInt8(ascii: ",")
  }

  private static func role(_ name: String) -> Role {
    switch name {
    case "variable": .variable
    case "time": .time
    case "value": .value
    case "error_variance": .variance
    case "error", "error_sd": .deviation
    case "relative_error": .relative
    case "quality": .quality
    case _ where name.hasPrefix("hx_"): Int(name.dropFirst(3)).map { .member($0) } ?? .coordinate
    default: .coordinate
    }
  }

  /// Names have to be there, and only once.
  func checkNames(path: String) throws(ArchiveError) {
    var names: Set<String> = []
    for (place, column) in columns.enumerated() {
      if column.name.isEmpty {
        throw refuse(path, "column \(place + 1) without a name", "a name for every column")
      }
      guard names.insert(column.name).inserted else { throw refuse(path, "two columns \(column.name)", "each name once") }
    }
  }

  private func refuse(_ path: String, _ found: String, _ expected: String) -> ArchiveError {
    ArchiveError(.invalidName, path: path, object: "line \(line)", found: found, expected: expected)
  }

  /// The same, and members are numbered from 0 without a gap.
  func check(path: String) throws(ArchiveError) {
    try checkNames(path: path)
    let errors = columns.filter { [.variance, .deviation, .relative].contains($0.role) }.map(\.name)
    guard errors.count < 2 else {
      throw refuse(path, "columns \(errors.joined(separator: " and "))", "one way of giving the error")
    }
    let members = columns.compactMap { if case .member(let m) = $0.role { m } else { nil } }
    guard members.sorted() == Array(0..<members.count) else {
      throw refuse(path, "columns hx_ of members \(members.sorted().prefix(20))", "members 0, 1, ... without a gap")
    }
  }
}

/// Fields of one line.
struct CSVFields {
  let text: ByteText
  private let line: Range<Int>
  private let separator: UInt8
  private var offset: Int
  private var isAtEnd = false
  /// Whether a quotation mark was not closed.
  private(set) var isOpen = false

  init(text: ByteText, line: Range<Int>, separator: UInt8) {
    self.text = text
    self.line = line
    self.separator = separator
    offset = line.lowerBound
  }

  /// The next field without blanks around it and without its quotation marks.
  mutating func next() -> Range<Int>? {
    guard !isAtEnd else { return nil }
    let start = offset
    var isQuoted = false
    while offset < line.upperBound {
      let byte = text[offset]
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if byte == separator, !isQuoted {
        break
      }
      offset += 1
    }
    isOpen = isOpen || isQuoted
    isAtEnd = offset >= line.upperBound
    let field = text.trimmed(start..<offset)
    offset += 1
    let quote = UInt8(ascii: "\"")
    if field.count >= 2, text[field.lowerBound] == quote, text[field.upperBound - 1] == quote {
      return field.lowerBound + 1..<field.upperBound - 1
    }
    return field
  }

  /// The text of a field; two quotation marks stand for one.
  static func unquoted(_ text: ByteText, _ field: Range<Int>) -> String {
    let quote = UInt8(ascii: "\"")
    var bytes: [UInt8] = []
    var i = field.lowerBound
    while i < field.upperBound {
      bytes.append(text[i])
      i += text[i] == quote && i + 1 < field.upperBound && text[i + 1] == quote ? 2 : 1
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The table that grows line by line.
private struct CSVRows {
  let file: ObservationFileContents
  let header: CSVHeader
  /// Position of each column among the coordinates, or -1.
  private var coordinate: [Int] = []
  private var columns: [[Double]] = []
  private var names = Names()
  private var lastName: (field: Range<Int>, number: Int32)?
  /// Whether times are dates; told by the first one.
  private var hasDates: Bool?
  private var result: ObservationTable
  private let hasTime: Bool
  private let hasName: Bool

  init(file: ObservationFileContents, header: CSVHeader) {
    self.file = file
    self.header = header
    result = ObservationTable(source: file.path)
    for column in header.columns {
      coordinate.append(column.role == .coordinate ? columns.count : -1)
      if column.role == .coordinate { columns.append([]) }
      if case .member = column.role { result.memberValues.append([]) }
    }
    hasTime = header.columns.contains { $0.role == .time }
    hasName = header.columns.contains { $0.role == .variable }
    if !hasName { _ = names.number("") }
  }

  mutating func take(_ line: Range<Int>, number: Int) throws(ArchiveError) {
    var scan = CSVFields(text: file.text, line: line, separator: header.separator)
    var (column, error, errorColumn) = (0, Double.nan, -1)
    var quality = 0.0
    while let field = scan.next() {
      guard !scan.isOpen else {
        throw ArchiveError(
          .damaged, path: file.path, object: "line \(number)", found: "a quotation mark that is not closed",
          expected: "a second one on the same line")
      }
      guard column < header.columns.count else { throw wrongCount(line, number) }
      switch header.columns[column].role {
      case .variable: result.kind.append(kind(field))
      case .time: result.times.append(try time(field, column, number))
      case .value: result.values.append(try value(field, column, number))
      case .variance, .deviation, .relative: (error, errorColumn) = (try value(field, column, number), column)
      case .quality: quality = try value(field, column, number)
      case .member(let m): result.memberValues[m].append(try value(field, column, number))
      case .coordinate: columns[coordinate[column]].append(try value(field, column, number))
      }
      column += 1
    }
    guard column == header.columns.count, let value = result.values.last else { throw wrongCount(line, number) }
    if !hasName { result.kind.append(0) }
    guard let mark = quality.isNaN ? 0 : Int32(exactly: quality) else {
      throw ArchiveError(
        .wrongType, path: file.path, object: "line \(number), column quality", found: "\(quality)",
        expected: "a whole number, 0 for good")
    }
    result.quality.append(mark)
    result.errorVariances.append(try variance(error, errorColumn, value: value, isGood: mark == 0, number))
  }

  private func variance(
    _ error: Double, _ column: Int, value: Double, isGood: Bool, _ number: Int
  ) throws(ArchiveError) -> Double {
    guard column >= 0, !error.isNaN else { return .nan }
    let role = header.columns[column].role
    let deviation = role == .relative ? error * abs(value) : error
    let variance = role == .variance ? error : deviation * deviation
    // The square would hide a minus.
    if error > 0, variance > 0, variance.isFinite { return variance }
    guard isGood, !value.isNaN else { return .nan }
    throw ArchiveError(
      .badVariance, path: file.path, object: "line \(number), column \(header.columns[column].name)",
      found: role == .relative ? "\(error) of the value \(value)" : "\(error)",
      expected: "a positive error whose square is finite and not 0, or an empty field")
  }

  private mutating func kind(_ field: Range<Int>) -> Int32 {
    if let lastName, file.text.equal(lastName.field, field) { return lastName.number }
    let number = names.number(CSVFields.unquoted(file.text, field))
    lastName = (field, number)
    return number
  }

  private func value(_ field: Range<Int>, _ column: Int, _ line: Int) throws(ArchiveError) -> Double {
    if field.isEmpty { return .nan }
    if let value = file.text.number(field), !value.isInfinite { return value }
    throw ArchiveError(
      .wrongType, path: file.path, object: "line \(line), column \(header.columns[column].name)",
      found: file.text.quoted(field), expected: "a number, or nothing where it is missing")
  }

  private mutating func time(_ field: Range<Int>, _ column: Int, _ line: Int) throws(ArchiveError) -> Double {
    if field.isEmpty { return .nan }
    if hasDates != true, let value = file.text.number(field), !value.isInfinite {
      if !value.isNaN { hasDates = false }
      return value
    }
    if hasDates != false, let seconds = Timestamp.seconds(file.text, field) {
      hasDates = true
      return seconds
    }
    let expected =
      switch hasDates {
      case true?: "a date such as 2020-01-31T12:00:00Z, as on the lines before"
      case false?: "a number, as on the lines before"
      case nil: "a number, or a date such as 2020-01-31T12:00:00Z"
      }
    throw ArchiveError(
      .wrongType, path: file.path, object: "line \(line), column time", found: file.text.quoted(field),
      expected: expected)
  }

  private func wrongCount(_ line: Range<Int>, _ number: Int) -> ArchiveError {
    var scan = CSVFields(text: file.text, line: line, separator: header.separator)
    var count = 0
    while scan.next() != nil { count += 1 }
    return ArchiveError(
      .wrongSize, path: file.path, object: "line \(number)", found: "\(count) fields",
      expected: "\(header.columns.count), as many as line \(header.line) names")
  }

  /// The finished table.
  var table: ObservationTable {
    var table = result
    table.kinds = names.all
    if hasTime {
      table.timeUnits =
        hasDates == true ? Timestamp.units : header.columns.first { $0.role == .time }?.units ?? ""
    }
    for (column, place) in zip(header.columns, coordinate) where place >= 0 {
      table.coordinates.append((column.name, column.units, columns[place]))
    }
    return table
  }
}
