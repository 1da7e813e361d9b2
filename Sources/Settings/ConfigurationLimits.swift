import Foundation
import Yams

/// How large a configuration may be. The parser calls itself for everything nested and writes aliases out, so a damaged
/// file of some kilobytes could otherwise overflow the stack, or expand to more text than fits in memory.
enum ConfigurationLimits {
  /// Bytes of a file; every key with its comment takes a hundredth of it.
  static let bytes = 1 << 20
  /// Brackets that open, closed again or not: no deeper can they nest.
  static let brackets = 1000
  /// Spaces before a line, and list or key indicators in it: no deeper can blocks nest.
  static let indentation = 200
  /// Aliases: k of them multiply a text by less than e^(k/e), here 360.
  static let aliases = 16
  /// Problems that are told at once.
  static let problems = 20
  /// Characters of a name or value that a message shows.
  static let shown = 200

  /// A limit that a text exceeds.
  struct Excess: Error {
    let line: Int
    let found: String
    let expected: String
  }

  /// The document's root; `nil` for an empty one. Throws `Excess`, or the parser's error.
  static func compose(_ yaml: String) throws -> Node? {
    try check(yaml)
    return try Yams.compose(yaml: yaml)
  }

  /// Counts what could nest or multiply, quotes and comments included: one would have to parse to tell them.
  private static func check(_ yaml: String) throws(Excess) {
    var (line, brackets, aliases, size) = (1, 0, 0, 0)
    var (spaces, indicators, isLeading) = (0, 0, true)
    var previous = UInt8(ascii: "\n")
    for byte in yaml.utf8 {
      size += 1
      switch byte {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        (spaces, indicators, isLeading) = (0, 0, true)
        line += byte == UInt8(ascii: "\n") ? 1 : 0
      case UInt8(ascii: " "), UInt8(ascii: "\t"):
        if isLeading { spaces += 1 }
        if previous == UInt8(ascii: "-") || previous == UInt8(ascii: "?") { indicators += 1 }
      default:
        isLeading = false
        if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "{") { brackets += 1 }
        if previous == UInt8(ascii: "*"), byte != UInt8(ascii: "*") { aliases += 1 }
      }
      previous = byte
      if brackets > Self.brackets {
        throw Excess(line: line, found: "more than \(Self.brackets) brackets", expected: "lists of numbers or words")
      }
      if spaces + indicators > Self.indentation {
        throw Excess(
          line: line, found: "indentation beyond \(Self.indentation) columns", expected: "groups of keys, three deep")
      }
      if aliases > Self.aliases {
        throw Excess(line: line, found: "more than \(Self.aliases) aliases", expected: "the values themselves")
      }
      if size > bytes {
        throw Excess(line: line, found: "more than \(bytes) bytes", expected: "a configuration")
      }
    }
  }

  /// The contents of a file or pipe up to the limit and a byte more: not all of a file of another kind.
  static func read(_ path: String) throws -> Data {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }
    return try file.read(upToCount: bytes + 1) ?? Data()
  }

  /// A name or value as a message shows it.
  static func shortened(_ text: String) -> String {
    text.count > shown ? "\(text.prefix(shown))..." : text
  }
}
