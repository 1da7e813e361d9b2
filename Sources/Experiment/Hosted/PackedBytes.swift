import DaunceArchive
import DaunceEnsemble
import DaunceState

/// Numbers and texts as bytes, one after the other, for messages and for a host's checkpoints.
struct PackedBytes {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ value: Int) { put([Int64(value)]) }

  mutating func put(_ text: String) { put(Array(text.utf8)) }

  /// A count and the numbers.
  mutating func put<Element: BitwiseCopyable>(_ values: [Element]) {
    withUnsafeBytes(of: Int64(values.count)) { bytes.append(contentsOf: $0) }
    values.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ numbers: NumberArray) {
    switch numbers {
    case .doubles(let values): put(0); put(values)
    case .floats(let values): put(1); put(values)
    case .integers(let values): put(2); put(values)
    case .bytes(let values): put(3); put(values)
    }
  }
}

/// Reads them again; what has been cut off or is of another form throws.
struct UnpackedBytes {
  private let bytes: [UInt8]
  private var next = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether nothing is left.
  var isAtEnd: Bool { next == bytes.count }

  mutating func values<Element: BitwiseCopyable>(of type: Element.Type = Element.self) throws(SnapshotError) -> [Element] {
    let stride = MemoryLayout<Element>.stride
    guard bytes.count - next >= 8 else { throw SnapshotError(name: "bytes", found: "an early end") }
    let count = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: next, as: Int64.self)) }
    guard count >= 0, count <= (bytes.count - next - 8) / stride else {
      throw SnapshotError(name: "bytes", found: "an early end")
    }
    let start = next + 8
    next = start + count * stride
    return bytes.withUnsafeBytes { bytes in
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: start + $0 * stride, as: Element.self) }
    }
  }

  mutating func integer() throws(SnapshotError) -> Int {
    let found: [Int64] = try values()
    guard found.count == 1 else { throw SnapshotError(name: "bytes", found: "another form") }
    return Int(found[0])
  }

  mutating func text() throws(SnapshotError) -> String { String(decoding: try values(of: UInt8.self), as: UTF8.self) }

  mutating func numbers() throws(SnapshotError) -> NumberArray {
    switch try integer() {
    case 0: .doubles(try values())
    case 1: .floats(try values())
    case 2: .integers(try values())
    case 3: .bytes(try values())
    default: throw SnapshotError(name: "bytes", found: "numbers of an unknown type")
    }
  }
}
