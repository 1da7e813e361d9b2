/// Checks the header of a classic NetCDF file (CDF-1, 2 and 5) against the file's length before the library parses it,
/// because the library trusts the counts in it. Grammar: "NetCDF File Format Specifications", appendix of the NetCDF
/// user's guide.
struct ClassicHeader {
  /// What is wrong with a header.
  struct Damage: Error { let found: String }

  private let bytes: UnsafeRawBufferPointer
  private let fileSize: Int
  private var offset = 4
  /// Whether counts have eight bytes (CDF-5), and whether offsets have (CDF-2 and 5).
  private let wideCounts: Bool
  private let wideOffsets: Bool
  /// Length of each dimension; 0 for the one that grows.
  private var dimensions: [Int] = []
  /// Where each variable's data start, bytes of one record or of everything, and whether it has records.
  private var variables: [(begin: Int, size: Int, isRecord: Bool)] = []

  /// Throws what is wrong with the header of the file `bytes`, which begins with `CDF` and a version.
  ///
  /// - Parameter size: bytes of the whole file where `bytes` are its first ones, among them the header.
  static func check(_ bytes: UnsafeRawBufferPointer, ofFile size: Int? = nil) throws(Damage) {
    var header = ClassicHeader(bytes, size ?? bytes.count)
    try header.walk()
  }

  private init(_ bytes: UnsafeRawBufferPointer, _ size: Int) {
    self.bytes = bytes
    fileSize = size
    wideCounts = bytes[3] == 5
    wideOffsets = bytes[3] != 1
  }

  private mutating func walk() throws(Damage) {
    // Minus one stands for a file that is still being written.
    let records = try count(allowing: wideCounts ? UInt64.max : 0xFFFF_FFFF)
    try list(tag: 10, "dimensions", atLeast: wideCounts ? 17 : 9) { header throws(Damage) in
      try header.name()
      header.dimensions.append(try header.count())
    }
    try attributes()
    try list(tag: 11, "variables", atLeast: wideCounts ? 36 : 24) { header throws(Damage) in try header.variable() }
    try checkExtent(records: records)
  }

  private mutating func variable() throws(Damage) {
    try name()
    let rank = try count()
    guard rank <= min(1024, (bytes.count - offset) / (wideCounts ? 8 : 4)) else {
      throw Damage(found: "a variable with \(rank) dimensions")
    }
    var (elements, isRecord) = (1, false)
    for axis in 0..<rank {
      let id = try count()
      guard dimensions.indices.contains(id) else { throw Damage(found: "dimension number \(id)") }
      isRecord = isRecord || axis == 0 && dimensions[id] == 0
      if axis == 0 && dimensions[id] == 0 { continue }
      elements = try product(elements, dimensions[id])
    }
    try attributes()
    let size = try product(elements, try typeSize())
    _ = try integer(wide: wideCounts)
    let begin = try integer(wide: wideOffsets)
    guard begin <= UInt64(fileSize) else { throw Damage(found: "data that start at byte \(begin)") }
    variables.append((Int(begin), size, isRecord))
  }

  private mutating func attributes() throws(Damage) {
    try list(tag: 12, "attributes", atLeast: wideCounts ? 20 : 12) { header throws(Damage) in
      try header.name()
      let size = try header.typeSize()
      try header.skip(header.product(try header.count(), size))
    }
  }

  /// Data have to end where the file does, or before.
  private func checkExtent(records: Int?) throws(Damage) {
    let single = variables.count { $0.isRecord } == 1
    var stride = 0
    // Records are padded to four bytes, unless a single variable has them.
    for variable in variables where variable.isRecord { stride += single ? variable.size : (variable.size + 3) & ~3 }
    for variable in variables {
      let before = try variable.isRecord ? product(max((records ?? 1) - 1, 0), stride) : 0
      let empty = variable.isRecord && records == 0
      let (end, overflow) = (variable.begin + (empty ? 0 : variable.size)).addingReportingOverflow(before)
      guard !overflow, end <= fileSize else { throw Damage(found: "data up to byte \(end) of \(fileSize)") }
    }
  }

  // MARK: Parts

  private mutating func list(
    tag: UInt64, _ kind: String, atLeast size: Int, _ element: (inout ClassicHeader) throws(Damage) -> Void
  ) throws(Damage) {
    let found = try integer(wide: false)
    let number = try count()
    guard found == tag || found == 0 && number == 0 else { throw Damage(found: "tag \(found) before the \(kind)") }
    guard number <= (bytes.count - offset) / size else { throw Damage(found: "\(number) \(kind)") }
    for _ in 0..<number { try element(&self) }
  }

  private mutating func name() throws(Damage) {
    let length = try count()
    guard 1...256 ~= length else { throw Damage(found: "a name of \(length) bytes") }
    try skip(length)
  }

  private mutating func typeSize() throws(Damage) -> Int {
    let type = try integer(wide: false)
    switch type {
    case 1, 2: return 1
    case 3: return 2
    case 4, 5: return 4
    case 6: return 8
    case 7 where wideCounts: return 1
    case 8 where wideCounts: return 2
    case 9 where wideCounts: return 4
    case 10 where wideCounts, 11 where wideCounts: return 8
    default: throw Damage(found: "values of type \(type)")
    }
  }

  /// Skips bytes that are padded to a multiple of four.
  private mutating func skip(_ count: Int) throws(Damage) {
    guard count <= bytes.count - offset else { throw Damage(found: "an end within the header") }
    offset = min((offset + count + 3) & ~3, bytes.count)
  }

  private mutating func integer(wide: Bool) throws(Damage) -> UInt64 {
    let size = wide ? 8 : 4
    guard size <= bytes.count - offset else { throw Damage(found: "an end within the header") }
    var value: UInt64 = 0
    for i in offset..<offset + size { value = value << 8 | UInt64(bytes[i]) }
    offset += size
    return value
  }

  private mutating func count() throws(Damage) -> Int {
    let value = try integer(wide: wideCounts)
    guard value <= UInt64(Int.max >> 8) else { throw Damage(found: "a count of \(value)") }
    return Int(value)
  }

  /// A count, or `nil` for the mark given.
  private mutating func count(allowing mark: UInt64) throws(Damage) -> Int? {
    let start = offset
    if try integer(wide: wideCounts) == mark { return nil }
    offset = start
    return try count()
  }

  private func product(_ a: Int, _ b: Int) throws(Damage) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    guard !overflow, value <= Int.max >> 8 else { throw Damage(found: "a size beyond all files") }
    return value
  }
}
