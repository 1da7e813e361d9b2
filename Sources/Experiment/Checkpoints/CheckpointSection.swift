import DaunceArchive
import DaunceEnsemble
import DaunceState
import Foundation

/// Snapshots as files, and back.
extension Snapshot {
  private static let sharedPrefix = "shared_"
  private static let memberPrefix = "members_"

  /// What one rank writes: its members' numbers (`[local member][number]`), and on rank 0 the shared ones.
  func file(withShared: Bool) -> ArrayFile {
    var arrays: [NamedArray] = []
    if withShared {
      for (name, numbers) in shared.sorted(by: { $0.key < $1.key }) {
        arrays.append(NamedArray(Self.sharedPrefix + name, shape: [numbers.count], numbers))
      }
    }
    for (name, numbers) in members.sorted(by: { $0.key < $1.key }) where !numbers.isEmpty {
      arrays.append(
        NamedArray(
          Self.memberPrefix + name, shape: [numbers.count, numbers[0].count], NumberArray.joined(numbers)))
    }
    return ArrayFile(arrays: arrays)
  }

  /// Adds what is in a file: shared numbers if they are wanted, and the rows of `rows`, which are counted in the file's
  /// own members.
  mutating func add(_ file: ArrayFile, shared: Bool, rows: Range<Int>) {
    for array in file.arrays {
      if shared, array.name.hasPrefix(Self.sharedPrefix) {
        share(String(array.name.dropFirst(Self.sharedPrefix.count)), array.values)
      } else if array.name.hasPrefix(Self.memberPrefix), array.shape.count == 2 {
        let name = String(array.name.dropFirst(Self.memberPrefix.count))
        for row in rows where row < array.shape[0] {
          append(name, array.values[row * array.shape[1]..<(row + 1) * array.shape[1]])
        }
      }
    }
  }
}

extension NumberArray {
  fileprivate subscript(range: Range<Int>) -> Self {
    switch self {
    case .doubles(let values): .doubles(Array(values[range]))
    case .floats(let values): .floats(Array(values[range]))
    case .integers(let values): .integers(Array(values[range]))
    case .bytes(let values): .bytes(Array(values[range]))
    }
  }

  /// Numbers of one type, one after the other.
  fileprivate static func joined(_ parts: [Self]) -> Self {
    switch parts[0] {
    case .doubles: .doubles(parts.flatMap { Double.unwrap($0) ?? [] })
    case .floats: .floats(parts.flatMap { Float.unwrap($0) ?? [] })
    case .integers: .integers(parts.flatMap { Int64.unwrap($0) ?? [] })
    case .bytes: .bytes(parts.flatMap { UInt8.unwrap($0) ?? [] })
    }
  }
}

/// Scores, reports and the like in a snapshot, as JSON that gives every number back bit for bit.
extension Snapshot {
  mutating func encode(_ name: String, _ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    set(name, [UInt8](try encoder.encode(value)))
  }

  func decode<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(type, from: Data(try values(name, of: UInt8.self)))
    } catch is DecodingError {
      throw SnapshotError(name: name, found: "a record of another form")
    }
  }
}
