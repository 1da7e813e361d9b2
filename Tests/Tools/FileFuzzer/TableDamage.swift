/// What people and programs do to observations in text.
enum TableDamage {
  private static let values = [
    "0", "-1", "1", "9223372036854775808", "1e308", "-1e308", "1e-320", "1e999", "nan", "inf", "NA", "-888888", "",
    "0x10", "1_000", "1,5", "1;5", "\"1\"", "\"", "\"\"", "\"a,b\"", "1.5d+02", "1e", "1e-", ".", "-.", "+", "é", "\0",
    "2020-01-01", "2020-02-30T00:00:00Z", "2020-01-01T24:00", "2020-01-01T00:00:60.999999999Z", "-2", "2", "3", "4",
    "OBS", "obdef", "loc1d", "loc2D", "loc2s", "loc3d", "loc3Dxyz", "kind", "value", "time", "variable", "hx_1",
    "error_variance", "relative_error", "quality", "x [m]", "]", "[", "#", "num_obs:", "first:", "00000000000000000001",
    "99999999999999999999999999999999999999", "0.000000000000000000000000000000000000000000000001",
  ]

  static func damaged(_ bytes: [UInt8], _ others: [[UInt8]], _ chance: inout Chance) -> [UInt8] {
    switch chance.below(20) {
    case 0...4: return ByteDamage.damaged(bytes, others, &chance)
    case 5:
      // Very many fields, very long ones, or very many lines.
      let count = chance.pick([100, 5000, 70_000, 200_000])
      let word = chance.pick(["1,", "1", "\"", "value,", "1;\t", "\n", "1\n", "OBS 1\n", " "])
      return bytes + Array(String(repeating: word, count: count).utf8)
    default: break
    }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    for _ in 0...chance.below(4) { change(&lines, &chance) }
    return Array(lines.joined(separator: chance.once(in: 10) ? "\r\n" : "\n").utf8)
  }

  private static func change(_ lines: inout [String], _ chance: inout Chance) {
    guard !lines.isEmpty else { return }
    let i = chance.below(lines.count)
    switch chance.below(10) {
    case 0...4: lines[i] = replaced(lines[i], &chance)
    case 5: lines.insert(lines[i], at: chance.below(lines.count + 1))
    case 6: lines.remove(at: i)
    case 7: lines.swapAt(i, chance.below(lines.count))
    case 8: lines.insert(chance.pick(values), at: i)
    default: lines[i] += chance.pick([",", ";", "\t", " 1", "\"", "#", "\0", "\r"])
    }
  }

  /// The line with another word in place of one of its words.
  private static func replaced(_ line: String, _ chance: inout Chance) -> String {
    let separator: Character = line.contains(",") ? "," : " "
    var words = line.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    let filled = words.indices.filter { !words[$0].isEmpty }
    words[filled.isEmpty ? 0 : chance.pick(filled)] = chance.pick(values)
    return words.joined(separator: String(separator))
  }
}
