import Foundation

/// A JSON value; numbers that are missing or not finite become null.
package enum JSON: Encodable {
  case object([String: JSON])
  case array([JSON])
  case number(Double?)
  case integer(Int)
  case unsigned(UInt64)
  case text(String)
  case flag(Bool)
  case null

  /// An array of integers.
  package static func integers(_ values: [Int]) -> JSON { .array(values.map { .integer($0) }) }

  /// Writes the value without its kind.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .object(let members): try container.encode(members)
    case .array(let elements): try container.encode(elements)
    case .number(let value?) where value.isFinite: try container.encode(value)
    case .number, .null: try container.encodeNil()
    case .integer(let value): try container.encode(value)
    case .unsigned(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .flag(let value): try container.encode(value)
    }
  }

  /// Indented text with sorted keys and a final line end.
  package func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }
}
