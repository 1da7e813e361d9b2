public import DaunceObservations

/// Observation sequences of DART (obs_seq files) as text.
///
/// A header names types, copies and marks; then every observation has a block:
///
///     OBS            1
///        288.1                            copies: the observation, h(x) of members, ...
///        0.0                              marks
///       -1           2          -1        previous and next observation, covariance group
///     obdef
///     loc3d
///        4.188  0.698  50000.  2          longitude and latitude in radians, vertical, kind of vertical
///     kind
///        5
///     43200     153005                    seconds and days since 1601-01-01
///        1.0                              error variance
///
/// Observations come in the order of the list that starts at `first`. The value is the copy whose name contains
/// `observation`, else the first one; copies `prior ensemble member K` are h(x). -888888 is missing. Marks whose names
/// contain `QC` or `quality control` are good up to 1, the NCEP ones up to 3. Locations: `loc1d` gives `location`,
/// `loc2s` and `loc3d` give `longitude` and `latitude` in degrees and `vertical`, the Cartesian ones `x`, `y`, `z`.
/// Identity observations, whose type is minus a state element's number, are of the kind `identity`.
public enum DARTReader: ObservationReader {
  public static let name = "dart"
  public static let summary = "DART's obs_seq as text"

  public static func recognises(_ file: ObservationFileContents) -> Bool {
    guard file.dataset == nil else { return false }
    var lines = file.text.lines
    if let line = lines.nextFilled(), file.text.equals(line, "obs_sequence") { return true }
    return isBinary(file.text)
  }

  /// Fortran's unformatted records begin with their length in four or eight bytes.
  private static func isBinary(_ text: ByteText) -> Bool {
    [4, 8].contains { text.count > $0 + 12 && text.equals($0..<$0 + 12, "obs_sequence") }
  }

  public static func read(_ file: ObservationFileContents) throws(ArchiveError) -> ObservationTable {
    guard !isBinary(file.text) else {
      throw ArchiveError(
        .unknownFormat, path: file.path, found: "a binary obs_seq file",
        expected: "a text one: DART writes it with write_binary_obs_sequence = .false. (&obs_sequence_nml)")
    }
    var scan = DARTScanner(file)
    let header = try DARTHeader(&scan)
    var blocks = DARTBlocks(header, scan)
    return try blocks.table()
  }
}

/// Lines and numbers of an obs_seq file, with errors that name the line.
struct DARTScanner {
  let text: ByteText
  let path: String
  private var lines: ByteText.Lines
  var number: Int { lines.number }

  init(_ file: ObservationFileContents) {
    (text, path, lines) = (file.text, file.path, file.text.lines)
  }

  /// The next line that is not blank; `nil` at the end of the file.
  mutating func next() -> Range<Int>? { lines.nextFilled() }

  mutating func line(_ expected: String) throws(ArchiveError) -> Range<Int> {
    if let line = next() { return line }
    throw ArchiveError(
      .truncated, path: path, object: "line \(number)", found: "the end of the file", expected: expected)
  }

  func refuse(_ line: Range<Int>, _ expected: String) -> ArchiveError {
    ArchiveError(.damaged, path: path, object: "line \(number)", found: text.quoted(line), expected: expected)
  }

  /// The next line, which has to be this word.
  mutating func expect(_ word: StaticString) throws(ArchiveError) {
    let line = try line("\(word)")
    guard text.equals(line, word) else { throw refuse(line, "\(word)") }
  }

  /// A line of one number.
  mutating func number(_ expected: String) throws(ArchiveError) -> Double {
    let line = try line(expected)
    guard let value = text.number(line) else { throw refuse(line, expected) }
    return value
  }

  /// A line of whole numbers, as many as `labels`; each label but an empty one stands before its number.
  mutating func integers(_ labels: [String], _ expected: String) throws(ArchiveError) -> [Int] {
    let line = try line(expected)
    return try integers(labels, in: line, expected)
  }

  func integers(_ labels: [String], in line: Range<Int>, _ expected: String) throws(ArchiveError) -> [Int] {
    var offset = line.lowerBound
    var values: [Int] = []
    for label in labels {
      if !label.isEmpty {
        guard let word = text.word(from: &offset, to: line.upperBound), text.string(word) == label else {
          throw refuse(line, expected)
        }
      }
      guard let word = text.word(from: &offset, to: line.upperBound), let value = text.integer(word) else {
        throw refuse(line, expected)
      }
      values.append(value)
    }
    guard text.word(from: &offset, to: line.upperBound) == nil else { throw refuse(line, expected) }
    return values
  }
}

/// What stands before the observations.
struct DARTHeader {
  /// Names of types by their numbers.
  private(set) var types: [Int: String] = [:]
  private(set) var copies: [String] = []
  private(set) var marks: [String] = []
  let count: Int
  let first: Int

  init(_ scan: inout DARTScanner) throws(ArchiveError) {
    try scan.expect("obs_sequence")
    let title = try scan.line("obs_type_definitions")
    guard ["obs_type_definitions", "obs_kind_definitions"].contains(scan.text.string(title)) else {
      throw scan.refuse(title, "obs_type_definitions or obs_kind_definitions")
    }
    let number = try scan.integers([""], "the number of types")[0]
    for _ in 0..<max(number, 0) {
      let line = try scan.line("a type's number and name")
      var offset = line.lowerBound
      guard let word = scan.text.word(from: &offset, to: line.upperBound), let type = scan.text.integer(word),
        let name = scan.text.word(from: &offset, to: line.upperBound), types[type] == nil
      else { throw scan.refuse(line, "a number, not given before, and a type's name") }
      types[type] = scan.text.string(name)
    }
    let widths = try scan.integers(["num_copies:", "num_qc:"], "num_copies: and num_qc: with numbers")
    guard widths[0] > 0, widths[1] >= 0 else {
      throw ArchiveError(
        .outOfBounds, path: scan.path, object: "line \(scan.number)",
        found: "\(widths[0]) copies and \(widths[1]) marks", expected: "at least one copy")
    }
    let counts = try scan.integers(["num_obs:", "max_num_obs:"], "num_obs: and max_num_obs: with numbers")
    count = max(counts[0], 0)
    for _ in 0..<widths[0] { copies.append(scan.text.string(try scan.line("a copy's name"))) }
    for _ in 0..<widths[1] { marks.append(scan.text.string(try scan.line("a mark's name"))) }
    first = try scan.integers(["first:", "last:"], "first: and last: with numbers")[0]
  }

  /// Number of the copy that is observed.
  var value: Int { copies.firstIndex { $0.lowercased().contains("observation") } ?? 0 }

  /// Copies that are members' h(x), in the order of the members.
  var members: [Int] {
    let word = "prior ensemble member"
    let found = copies.enumerated().compactMap { copy, name in
      name.lowercased().hasPrefix(word)
        ? Int(name.dropFirst(word.count).filter { $0 != " " }).map { (member: $0, copy: copy) } : nil
    }
    return found.sorted { ($0.member, $0.copy) < ($1.member, $1.copy) }.map(\.copy)
  }

  /// Largest good mark of each column; `nil` for columns that are no marks of quality.
  var limits: [Double?] {
    marks.map { name in
      let name = name.lowercased()
      guard name.contains("qc") || name.contains("quality control") else { return nil }
      return name.contains("ncep") ? 3 : 1
    }
  }
}
