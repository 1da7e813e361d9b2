/// Lines of a table for a terminal.
enum Columns {
  /// A name at the left, then numbers at the right of their columns.
  static func row(_ cells: [String]) -> String {
    cells.enumerated().map { k, cell in
      let padding = String(repeating: " ", count: max(0, 13 - cell.count))
      return k == 0 ? cell + padding : padding + cell
    }.joined(separator: " ")
  }
}
