import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Tables and settings that `uncertainty` cannot work with end all ranks with one message that names file, row and
  /// column, and write nothing.
  @Suite struct TableBadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
      let table: String
      /// What is done to the table's text.
      let change: @Sendable (String) -> String
      let arguments: [String]
      let status: Int32
      let message: [String]
      let name: String

      init(
        _ name: String, _ table: String, _ message: [String], status: Int32 = 65, arguments: [String] = [],
        _ change: @escaping @Sendable (String) -> String = { $0 }
      ) {
        (self.name, self.table, self.change, self.arguments) = (name, table, change, arguments)
        (self.status, self.message) = (status, message)
      }

      var testDescription: String { name }
    }

    /// Replaces one field of a row, the header being row 0.
    private static func put(_ value: String, _ row: Int, _ column: Int) -> @Sendable (String) -> String {
      { text in
        var rows = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        rows[row][column] = value
        return rows.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
      }
    }

    static let cases: [Case] = [
      Case("missing output", "a.csv", ["a.csv", "column y", "no such column"], put("z", 0, 3)),
      Case("missing input", "b.csv", ["b.csv", "column w", "no such column", "x, x_error, v"], put("v", 0, 2)),
      Case("missing input of the new rows", "c.csv", ["c.csv", "column x", "no such column"], put("u", 0, 0)),
      Case("constant output", "a.csv", ["a.csv", "column y", "in all 80 rows", "varies"]) { text in
        text.split(separator: "\n").enumerated().map { row, line in
          var fields = line.split(separator: ",").map(String.init)
          if row > 0 { fields[3] = "1.5" }
          return fields.joined(separator: ",")
        }.joined(separator: "\n") + "\n"
      },
      Case("nan", "a.csv", ["a.csv", "line 6", "column w", "a missing value", "a number"], put("nan", 5, 2)),
      Case("empty field", "b.csv", ["b.csv", "line 3", "column y", "a missing value"], put("", 2, 3)),
      Case("infinite", "b.csv", ["b.csv", "line 3", "column x"], put("1e999", 2, 0)),
      Case("text in numbers", "c.csv", ["c.csv", "line 5", "column x", "\"warm\"", "a number"], put("warm", 4, 0)),
      Case("zero error", "a.csv", ["a.csv", "line 4", "column y_error", "0.0", "positive"], put("0", 3, 4)),
      Case("negative error", "c.csv", ["c.csv", "line 2", "column x_error", "-0.2", "positive"], put("-0.2", 1, 1)),
      Case("error of nothing", "a.csv", ["a.csv", "column v_error", "a column v"], put("v_error", 0, 2)),
      Case("too few fields", "a.csv", ["a.csv", "line 5", "4 fields", "5"]) { text in
        var lines = text.split(separator: "\n").map(String.init)
        lines[4] = "1,2,3,4"
        return lines.joined(separator: "\n")
      },
      Case("names twice", "a.csv", ["a.csv", "two columns x"], put("x", 0, 2)),
      Case("no rows", "c.csv", ["c.csv", "without rows"]) { $0.split(separator: "\n").first.map { "\($0)\n" } ?? "" },
      Case("empty file", "a.csv", ["a.csv"]) { _ in "" },
      Case("fewer rows than networks", "a.csv", ["a.csv", "80 rows", "100", "networks.each"], arguments: ["--set", "networks.each=25"]),
      Case("fewer testing rows", "b.csv", ["b.csv", "5 rows", "at least 10"]) { text in
        text.split(separator: "\n").prefix(6).joined(separator: "\n") + "\n"
      },
      Case("no positive number for a logarithm", "c.csv", ["column x", "logarithm"], arguments: ["--set", "logarithm=[x]"]),
      Case("a logarithm of nothing", "a.csv", ["key logarithm", "found z"], arguments: ["--set", "logarithm=[z]"]),
      Case("an error law of nothing", "a.csv", ["key errors", "column z"], arguments: ["--set", "errors=[{column: z, sd: 1}]"]),
      Case("an error law without a size", "a.csv", ["key errors", "column x"], arguments: ["--set", "errors=[{column: x}]"]),
      Case("output among inputs", "a.csv", ["inputs", "outputs", "y in both"], status: 64, arguments: ["--inputs", "x", "y"]),
      Case("unknown method", "a.csv", ["comparison.methods", "boosting"], status: 64, arguments: ["--compare", "boosting"]),
      Case("unknown key", "a.csv", ["networks.size"], status: 64, arguments: ["--set", "networks.size=3"]),
      Case("missing file", "a.csv", ["nowhere.csv", "No such file"], status: 74, arguments: ["--training", "nowhere.csv"]),
      Case("tested on training rows", "a.csv", ["a.csv", "80 of 80 rows"], arguments: ["--testing", "a.csv"]),
    ]

    @Test(arguments: cases)
    func isRefusedByName(_ one: Case) throws {
      let place = try TablePlace(try workshop(), "bad-table-\(one.name.replacing(" ", with: "-"))")
      let url = place.workshop.folder.appending(path: "\(place.name)/\(one.table)")
      try place.write(one.change(try String(contentsOf: url, encoding: .utf8)), one.table)
      let result = try place.job(2, one.arguments)
      #expect(result.status == one.status, "\(result.stderr)")
      let lines = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") || $0.hasPrefix("Error") }
      #expect(lines.count == 1, "\(result.stderr)")
      for words in one.message { #expect(result.stderr.contains(words), "\(words): \(result.stderr)") }
      #expect(!FileManager.default.fileExists(atPath: url.deletingLastPathComponent().appending(path: "out").path))
    }
  }
}
