import DaunceObservations

/// The observations of an obs_seq file, read in the file's order and given in the order of its list.
struct DARTBlocks {
  private let header: DARTHeader
  private var scan: DARTScanner
  private let valueCopy: Int
  private let limits: [Double?]
  /// Row of `memberValues` of each copy, or -1.
  private let memberOfCopy: [Int]
  private var result: ObservationTable
  private var names = Names()
  private var kindOfType: [Int: Int32] = [:]
  /// Label of the locations, and their columns.
  private var location: DARTLocation?
  private var columns: [[Double]] = []
  private var vertical: (code: Int, line: Int)?
  /// Observation after each one; -1 at the end (`[count]`).
  private var following: [Int] = []
  /// A line that was read but belongs to the next block.
  private var pending: Range<Int>?

  init(_ header: DARTHeader, _ scan: DARTScanner) {
    self.header = header
    self.scan = scan
    valueCopy = header.value
    limits = header.limits
    let members = header.members
    var rows = [Int](repeating: -1, count: header.copies.count)
    for (row, copy) in members.enumerated() { rows[copy] = row }
    memberOfCopy = rows
    result = ObservationTable(source: scan.path)
    result.memberValues = members.map { _ in [] }
  }

  mutating func table() throws(ArchiveError) -> ObservationTable {
    for i in 0..<header.count { try block(i) }
    if pending == nil { pending = scan.next() }
    if let pending { throw scan.refuse(pending, "the end of the file after \(header.count) observations") }
    result.kinds = names.all
    result.timeUnits = "seconds since 1601-01-01T00:00:00Z"
    if let location {
      for (axis, values) in zip(location.axes, columns) {
        let units = axis.name == "vertical" ? DARTLocation.verticalUnits(vertical?.code) : axis.units
        result.coordinates.append((axis.name, units, values))
      }
    }
    let order = try order()
    return order == Array(0..<header.count) ? result : result.reordered(order)
  }

  // MARK: One observation

  private mutating func block(_ i: Int) throws(ArchiveError) {
    let line: Range<Int>
    if let pending { line = pending } else { line = try scan.line("OBS \(i + 1)") }
    pending = nil
    guard try scan.integers(["OBS"], in: line, "OBS \(i + 1)")[0] == i + 1 else {
      throw scan.refuse(line, "OBS \(i + 1), the next one of \(header.count)")
    }
    for copy in memberOfCopy.indices {
      let number = try scan.number("a number: the copy \"\(header.copies[copy])\"")
      let value = number == -888_888 ? .nan : number
      if copy == valueCopy { result.values.append(value) }
      if memberOfCopy[copy] >= 0 { result.memberValues[memberOfCopy[copy]].append(value) }
    }
    try marks()
    let links = try scan.integers(["", "", ""], "three whole numbers: previous, next and group")
    following.append(links[1])
    try scan.expect("obdef")
    try place()
    let word = try scan.line("kind")
    guard scan.text.equals(word, "kind") || scan.text.equals(word, "type") else { throw scan.refuse(word, "kind") }
    let type = try scan.integers([""], "a type's number")[0]
    result.kind.append(try kind(type))
    try ending()
  }

  private mutating func marks() throws(ArchiveError) {
    var quality: Int32 = 0
    for (column, limit) in limits.enumerated() {
      let mark = try scan.number("a number: the mark \"\(header.marks[column])\"")
      guard let limit, quality == 0, !(0...limit ~= mark) else { continue }
      quality = Int32(exactly: mark.rounded()) ?? -1
      if quality == 0 { quality = -1 }
    }
    result.quality.append(quality)
  }

  private mutating func kind(_ type: Int) throws(ArchiveError) -> Int32 {
    if let kind = kindOfType[type] { return kind }
    guard let name = type < 0 ? "identity" : header.types[type] else {
      throw ArchiveError(
        .outOfBounds, path: scan.path, object: "line \(scan.number)", found: "the type \(type)",
        expected: "one of the header's types: \(header.types.keys.sorted().map(String.init).joined(separator: ", "))")
    }
    let kind = names.number(name)
    if type >= 0 { kindOfType[type] = kind }
    return kind
  }

  private mutating func place() throws(ArchiveError) {
    let word = try scan.line("the kind of location")
    if let location {
      guard scan.text.string(word) == location.label else {
        throw scan.refuse(word, "\(location.label), as for the observations before")
      }
    } else {
      guard let found = DARTLocation(scan.text.string(word)) else {
        throw scan.refuse(word, "one of \(DARTLocation.labels)")
      }
      location = found
      columns = found.axes.map { _ in [] }
    }
    guard let location else { return }
    var values: [Double] = []
    // Fortran may put them on several lines.
    while values.count < location.width {
      let line = try scan.line("\(location.width) numbers of a location")
      var offset = line.lowerBound
      while let word = scan.text.word(from: &offset, to: line.upperBound) {
        guard let value = scan.text.number(word), values.count < location.width else {
          throw scan.refuse(line, "\(location.width) numbers of a location")
        }
        values.append(value == -888_888 ? .nan : value)
      }
    }
    for (axis, column) in location.axes.enumerated() where column.name != "vertical" {
      columns[axis].append(values[axis] * column.factor)
    }
    if location.hasVertical { columns[2].append(try vertical(values[2], code: values[3])) }
  }

  /// The vertical coordinate; the surface is one in metres, and the code -2 is none.
  private mutating func vertical(_ value: Double, code: Double) throws(ArchiveError) -> Double {
    guard let code = Int(exactly: code), [-2, -1, 1, 2, 3, 4].contains(code) else {
      throw ArchiveError(
        .outOfBounds, path: scan.path, object: "line \(scan.number)", found: "the kind of vertical \(code)",
        expected: "-2 (none), -1 (surface), 1 (level), 2 (pressure), 3 (height) or 4 (scale height)")
    }
    if code == -2 { return .nan }
    guard let first = vertical, first.code != code else {
      vertical = vertical ?? (code, scan.number)
      return value
    }
    if code == -1 { return value }
    guard first.code == -1 else {
      throw ArchiveError(
        .contradiction, path: scan.path, object: "line \(scan.number)",
        found: "a vertical coordinate of kind \(code) (\(DARTLocation.verticalName(code)))",
        expected: "kind \(first.code) (\(DARTLocation.verticalName(first.code))), as on line \(first.line)")
    }
    vertical = (code, scan.number)
    return value
  }

  /// Time and error variance: the last two lines before the next block. Some types have lines of their own before them.
  private mutating func ending() throws(ArchiveError) {
    var (before, last): (Range<Int>?, Range<Int>?)
    var (beforeLine, lastLine) = (scan.number, scan.number)
    while let line = scan.next() {
      var offset = line.lowerBound
      if let word = scan.text.word(from: &offset, to: line.upperBound), scan.text.equals(word, "OBS") {
        pending = line
        break
      }
      (before, last, beforeLine, lastLine) = (last, line, lastLine, scan.number)
    }
    func refuse(_ line: Range<Int>, _ number: Int, _ expected: String) -> ArchiveError {
      ArchiveError(
        .damaged, path: scan.path, object: "line \(number)", found: scan.text.quoted(line), expected: expected)
    }
    guard let before, let last else {
      throw ArchiveError(
        .truncated, path: scan.path, object: "line \(lastLine)",
        found: pending == nil ? "the end of the file" : "the end of observation \(result.kind.count)",
        expected: "seconds and days, and the error variance")
    }
    guard let variance = scan.text.number(last) else { throw refuse(last, lastLine, "an error variance") }
    result.errorVariances.append(variance == -888_888 ? .nan : variance)
    var offset = before.lowerBound
    guard let a = scan.text.word(from: &offset, to: before.upperBound), let seconds = scan.text.integer(a),
      let b = scan.text.word(from: &offset, to: before.upperBound), let days = scan.text.integer(b),
      scan.text.word(from: &offset, to: before.upperBound) == nil, 0..<86400 ~= seconds, 0...10_000_000 ~= days
    else { throw refuse(before, beforeLine, "seconds of a day and days since 1601-01-01") }
    result.times.append(Double(days) * 86400 + Double(seconds))
  }

  // MARK: The list

  /// Numbers of the observations from `first` on.
  private func order() throws(ArchiveError) -> [Int] {
    var order: [Int] = []
    order.reserveCapacity(following.count)
    var seen = [Bool](repeating: false, count: following.count)
    var next = header.first
    while next != -1, header.count > 0 {
      guard 1...header.count ~= next, !seen[next - 1] else {
        let after = order.last.map { "after observation \($0 + 1)" } ?? "as the first one"
        throw ArchiveError(
          .wrongOrder, path: scan.path, found: "observation \(next) \(after)",
          expected: "each of the observations 1 to \(header.count) once")
      }
      seen[next - 1] = true
      order.append(next - 1)
      next = following[next - 1]
    }
    guard order.count == header.count else {
      throw ArchiveError(
        .wrongOrder, path: scan.path, found: "\(order.count) observations in the list from \(header.first) on",
        expected: "all \(header.count)")
    }
    return order
  }
}

/// How DART writes places.
struct DARTLocation {
  let label: String
  let axes: [(name: String, units: String, factor: Double)]
  /// Numbers of one location.
  let width: Int
  var hasVertical: Bool { width == 4 }

  static let labels = "loc1d, loc2D, loc2s, loc3d, loc3Dxyz"

  /// `nil` for other labels. Case tells the sphere (`loc3d`) from a box.
  init?(_ label: String) {
    let degrees = 180 / Double.pi
    let sphere = [("longitude", "degrees_east", degrees), ("latitude", "degrees_north", degrees)]
    self.label = label
    switch label {
    case "loc1d": axes = [("location", "1", 1)]
    case "loc2D", "loc2d": axes = [("x", "", 1), ("y", "", 1)]
    case "loc2s": axes = sphere
    case "loc3d": axes = sphere + [("vertical", "", 1)]
    case "loc3Dxyz", "loc3D", "locxyz": axes = [("x", "", 1), ("y", "", 1), ("z", "", 1)]
    default: return nil
    }
    width = label == "loc3d" ? 4 : axes.count
  }

  static func verticalUnits(_ code: Int?) -> String {
    switch code {
    case -1, 3: "m"
    case 2: "Pa"
    default: "1"
    }
  }

  static func verticalName(_ code: Int) -> String {
    switch code {
    case -1: "surface"
    case 1: "level"
    case 2: "pressure"
    case 3: "height"
    default: "scale height"
    }
  }
}

extension ObservationTable {
  /// The observations in another order.
  fileprivate func reordered(_ order: [Int]) -> ObservationTable {
    func sorted<Element>(_ all: [Element]) -> [Element] { all.isEmpty ? [] : order.map { all[$0] } }
    var table = self
    table.kind = sorted(kind)
    table.times = sorted(times)
    table.values = sorted(values)
    table.errorVariances = sorted(errorVariances)
    table.quality = sorted(quality)
    table.coordinates = coordinates.map { ($0.name, $0.units, sorted($0.values)) }
    table.memberValues = memberValues.map { sorted($0) }
    return table
  }
}
