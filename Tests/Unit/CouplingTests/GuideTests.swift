import DaunceCoupling
import DaunceSettings
import Foundation
import Testing

/// The guide's tables of what a model says of itself, made of the same declarations.
@Suite struct GuideTests {
  private func rows(_ keys: [KeyDescription], in list: String? = nil) -> String {
    keys.map { key in
      let name = list.map { "\($0)[].\(key.key)" } ?? key.key
      // A list's keys have rows of their own.
      let allowed = key.expected.contains("a group of the keys") ? "a list" : key.expected.replacing("|", with: "\\|")
      return "| `\(name)` | `\(key.defaultValue)` | \(key.meaning) | \(allowed) |\n"
    }.joined()
  }

  @Test func guideHasTheTablesOfDescriptions() throws {
    let groups =
      rows(DescribedAxis.keys, in: "axes") + rows(DescribedDimension.keys, in: "dimensions") + rows(DescribedGrid.keys, in: "grids")
      + rows(DescribedField.keys, in: "fields") + rows(DescribedInvariant.keys, in: "invariants")
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/guide/own-models.md").standardizedFileURL
    let text = try String(contentsOf: page, encoding: .utf8)
    for table in [rows(ModelDescription.keys), groups] {
      let isCurrent = text.contains("|---|---|---|---|\n\(table)\n")
      #expect(isCurrent, "a table in docs/guide/own-models.md should be\n|---|---|---|---|\n\(table)")
    }
  }
}
