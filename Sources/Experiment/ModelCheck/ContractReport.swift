import Foundation

/// What was found of a model's contract, line by line.
public struct ContractReport: Sendable {
  /// Whether a line of the contract holds.
  public enum Verdict: String, Sendable {
    /// As expected.
    case holds = "ok"
    /// Not as expected.
    case broken = "BROKEN"
    /// There is nothing to hold.
    case told = ""
  }

  /// A line of the contract.
  public struct Row: Sendable {
    /// What was looked at: `same seed, same bits`.
    public let name: String
    /// What was found, in words.
    public let found: String
    /// What a model has to be, in words; nothing for what is only told.
    public let expected: String
    /// Whether it is.
    public let verdict: Verdict
  }

  /// In the order in which they were looked at.
  public private(set) var rows: [Row] = []

  /// Whether nothing is broken.
  public var holds: Bool { rows.allSatisfy { $0.verdict != .broken } }

  mutating func check(_ name: String, _ holds: Bool, found: String, expected: String) {
    rows.append(Row(name: name, found: found, expected: expected, verdict: holds ? .holds : .broken))
  }

  mutating func tell(_ name: String, _ found: String) {
    rows.append(Row(name: name, found: found, expected: "", verdict: .told))
  }

  /// A table of columns.
  public var text: String {
    let cells = [["", "", "found", "expected"]] + rows.map { [$0.verdict.rawValue, $0.name, $0.found, $0.expected] }
    let widths = (0..<3).map { column in cells.map { $0[column].count }.max() ?? 0 }
    let lines = cells.map { row in
      zip(row, widths + [0]).map { $0.padding(toLength: max($0.count, $1), withPad: " ", startingAt: 0) }.joined(separator: "  ")
        .trimmingTrailingSpaces
    }
    let broken = rows.count { $0.verdict == .broken }
    let summary = broken == 0 ? "the model keeps its contract" : "the model breaks its contract in \(broken) of \(rows.count) lines"
    return (lines + [summary]).joined(separator: "\n")
  }

  /// The same for programs.
  public func json() throws -> String {
    try JSON.object([
      "holds": .flag(holds),
      "rows": .array(
        rows.map {
          .object([
            "name": .text($0.name), "found": .text($0.found), "expected": .text($0.expected),
            "verdict": .text($0.verdict == .told ? "told" : $0.verdict == .holds ? "holds" : "broken"),
          ])
        }),
    ]).text()
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
