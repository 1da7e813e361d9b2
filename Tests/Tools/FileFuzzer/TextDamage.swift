/// What people and programs do to a configuration file.
enum TextDamage {
  /// Numbers, words and pieces of YAML that a value can be replaced by.
  private static let values = [
    "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
    "18446744073709551616", "1e308", "-1e308", "1e-320", "1e999", ".nan", ".inf", "-.inf", "nan", "inf", "0x10", "0o7",
    "1_000", "1e6", "65535", "1000000", "true", "false", "null", "~", "auto", "none", "", "\"\"", "''", "[]", "{}",
    "[1]",
    "[1, 2, 3]", "[[1], [2]]", "{a: 1}", "[8, 8]", "[0.1, 0.9]", "[1e308, -1e308]", "mjo-skeleton", "lorenz96", "rl",
    "[rl, eakf]", "!!binary aGVsbG8=", "!!int \"3\"", "!<tag:x> 1", "&a 1", "*a", "&a [*a]", "<<: *a", "|\n  text",
    ">-\n  t",
    "2001-12-14t21:59:43.10-05:00", "% directive", "@", "`", "\"\\x00\"", "\"\\uD800\"", "\"unclosed", "'unclosed",
    "[1, 2",
    "{a: ", "- - - - 1", "? a", ": ", "--- ", "...", "#", "\u{FEFF}", "\u{2028}", "é", "\u{1F300}",
  ]

  static func damaged(_ bytes: [UInt8], _ others: [[UInt8]], _ chance: inout Chance) -> [UInt8] {
    switch chance.below(40) {
    case 0...9: return ByteDamage.damaged(bytes, others, &chance)
    case 10: return bomb(&chance)
    case 11: return deep(&chance)
    case 12: return wide(&chance)
    default: break
    }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    for _ in 0...chance.below(3) { change(&lines, &chance) }
    return Array(lines.joined(separator: chance.once(in: 20) ? "\r\n" : "\n").utf8)
  }

  private static func change(_ lines: inout [String], _ chance: inout Chance) {
    guard !lines.isEmpty else { return }
    let i = chance.below(lines.count)
    let key = lines[i].firstIndex(of: ":").map { String(lines[i][...$0]) }
    switch chance.below(12) {
    case 0...4: lines[i] = "\(key ?? "") \(chance.pick(values))"
    case 5: lines.insert(lines[i], at: chance.below(lines.count + 1))
    case 6: lines.remove(at: i)
    case 7: lines.swapAt(i, chance.below(lines.count))
    case 8: lines[i] = String(repeating: " ", count: chance.below(12)) + lines[i].drop { $0 == " " }
    case 9: lines[i] = "\t" + lines[i]
    case 10: lines[i] = chance.pick(["\0", "\u{7F}", "\u{85}", "a", "-", "}", "]", "\""]) + lines[i]
    default: lines[i] += chance.pick([" :", ": :", " #", " &x", " *x", " - ", "\0", " {", " ["])
    }
  }

  /// Aliases of aliases: a billion words from a few lines.
  private static func bomb(_ chance: inout Chance) -> [UInt8] {
    let levels = 2 + chance.below(60)
    let width = 2 + chance.below(8)
    var text = chance.once(in: 2) ? "a0: &a0 [1]\n" : "a0: &a0 {b: 1}\n"
    for level in 1...levels {
      let previous = Array(repeating: "*a\(level - 1)", count: width)
      switch chance.below(3) {
      case 0: text += "a\(level): &a\(level) [\(previous.joined(separator: ", "))]\n"
      case 1:
        let pairs = previous.enumerated().map { "k\($0.offset): \($0.element)" }
        text += "a\(level): &a\(level) {\(pairs.joined(separator: ", "))}\n"
      default: text += "? &a\(level) [\(previous.joined(separator: ", "))]\n: 1\n"
      }
    }
    return Array((text + "members: *a\(levels)\n").utf8)
  }

  /// Brackets, dashes or indentation without end.
  private static func deep(_ chance: inout Chance) -> [UInt8] {
    let depth = chance.pick([50, 500, 5000, 100_000])
    switch chance.below(5) {
    case 0: return Array(("members: " + String(repeating: "[", count: depth)).utf8)
    case 1: return Array((String(repeating: "{a: ", count: depth) + String(repeating: "}", count: depth)).utf8)
    case 2: return Array((String(repeating: "- ", count: depth) + "1").utf8)
    case 3: return Array((String(repeating: "? ", count: depth) + "1").utf8)
    default:
      let lines = min(depth, 2000)
      return Array((0..<lines).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n").utf8)
    }
  }

  /// Very many, or very long, keys and values.
  private static func wide(_ chance: inout Chance) -> [UInt8] {
    let count = chance.pick([100, 3000, 50_000])
    switch chance.below(5) {
    case 0: return Array((0..<count).map { "key\($0): 1" }.joined(separator: "\n").utf8)
    case 1: return Array(("\(String(repeating: "k", count: count)): 1").utf8)
    case 2: return Array(("members: \(String(repeating: "9", count: count))").utf8)
    case 3: return Array(("agents: {hidden: [\(Array(repeating: "8", count: count).joined(separator: ", "))]}").utf8)
    default: return Array(("agents: {\((0..<count).map { "k\($0): {b: 1}" }.joined(separator: ", "))}").utf8)
    }
  }
}
