internal import DaunceState

/// Localization between the elements of a state: of fields f and g that of f's direct observations in g. Weights
/// are held twice for every pair of cells in reach, for each pair of grids and reach once.
final class ElementWeights {
  /// Fields whose elements are influenced by the same ones in the same way: they share products.
  struct Group {
    var targets: [Int]
    let terms: [Term]
  }

  /// Fields on one grid, and their weights for a group's targets.
  struct Term {
    let sources: [Int]
    let table: Int
  }

  let layout: StateLayout
  let tables: [CellWeights]
  let groups: [Group]
  /// Number of the table between two fields, `nil` where they are not coupled (`[field][field]`).
  let table: [[Int?]]
  /// Elements of the first to the last of the fields that each is coupled with (`[field]`).
  let ranges: [Range<Int>]

  /// - Throws: `AssimilationError` where the first kinds are not one for each field, or act on each other one way only.
  init(_ localization: DistanceLocalization, layout: StateLayout) throws(AssimilationError) {
    let fields = layout.fields
    guard localization.reaches.count >= fields.count else {
      throw .kind(found: fields.count - 1, kinds: localization.reaches.count)
    }
    let reaches = localization.reaches
    for f in fields.indices {
      for g in 0...f where reaches[f][g] != reaches[g][f] || (f == g && reaches[f][g] == .off) {
        throw .couplingNotSymmetric(fields[f].name, fields[g].name)
      }
    }
    self.layout = layout
    let search = CellSearch(layout)
    var keys: [Key] = []
    table = fields.indices.map { f in
      fields.indices.map { g in
        guard reaches[f][g] != .off else { return nil }
        let key = Key(first: fields[f].grid, second: fields[g].grid, reach: reaches[f][g])
        if let known = keys.firstIndex(of: key) { return known }
        keys.append(key)
        return keys.count - 1
      }
    }
    tables = keys.map { CellWeights($0.first, $0.second, $0.reach, search: search) }
    groups = Self.groups(table)
    ranges = table.map { row in
      let coupled = row.indices.filter { row[$0] != nil }
      return layout.range(coupled[0]).lowerBound..<layout.range(coupled[coupled.count - 1]).upperBound
    }
  }

  private struct Key: Hashable {
    let first: Int
    let second: Int
    let reach: DistanceLocalization.Reach
  }

  private static func groups(_ table: [[Int?]]) -> [Group] {
    var groups: [Group] = []
    for (f, row) in table.enumerated() {
      // Fields with one table lie on one grid.
      if let known = groups.firstIndex(where: { table[$0.targets[0]] == row }) {
        groups[known].targets.append(f)
        continue
      }
      var terms: [Term] = []
      for (g, number) in row.enumerated() {
        guard let number, !row[..<g].contains(number) else { continue }
        terms.append(Term(sources: row.indices.filter { row[$0] == number }, table: number))
      }
      groups.append(Group(targets: [f], terms: terms))
    }
    return groups
  }
}
