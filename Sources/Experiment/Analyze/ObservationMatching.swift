import DaunceArchive
import DaunceObservations
import DaunceState

/// Observations of files brought to a state: places, operators, flags.
struct MatchedObservations {
  /// What the files hold, one after the other.
  var tables: [ObservationTable] = []
  /// Names of the kinds, in the order in which they appear.
  var kinds: [String] = []
  /// Operator of each kind.
  var operators: [ObservationOperator] = []
  /// How errors of each kind are distributed, where the settings say so.
  var listedLaws: [Int32: ErrorLaw] = [:]
  /// For every observation of all files (`[count]`).
  var kind: [Int32] = []
  var places: [Place] = []
  var times: [Double] = []
  var values: [Double] = []
  var errorVariances: [Double] = []
  var flags: [QualityFlag] = []
  /// Rows of h for those observations that are still `used` after matching, in their order.
  var rows = ObservationRows()
  /// Observations that `rows` are of.
  var candidates: [Int] = []
  /// h(x) of the members as a file gives it, for observations whose rows are not used (`[member]`).
  var memberValues: [Int: [Double]] = [:]
  private let members: Int?

  var count: Int { values.count }

  /// - Parameters:
  ///   - settings: what kinds measure, and the error variance of observations that come without.
  ///   - members: size of the ensemble whose h(x) files may give; `nil` where it is not asked for.
  /// - Throws: `ArchiveError` for a kind that the state does not have, a column that is not there, or an error variance
  ///   that is not positive.
  init(
    _ tables: [ObservationTable], layout: StateLayout, settings: AnalysisConfiguration.Observations,
    members: Int? = nil
  ) throws(ArchiveError) {
    self.tables = tables
    self.members = members
    for table in tables { try append(table, layout, settings) }
    flagDuplicates()
    var builder = RowBuilder(layout)
    for k in values.indices where flags[k] == .used {
      let operation = operators[Int(kind[k])]
      if memberValues[k] != nil {
        rows.append([], by: operation)
        candidates.append(k)
        continue
      }
      guard let found = builder.rows(of: operation, at: places[k]) else {
        flags[k] = .outside
        continue
      }
      rows.append(found, by: operation)
      candidates.append(k)
    }
  }

  private mutating func append(
    _ table: ObservationTable, _ layout: StateLayout, _ settings: AnalysisConfiguration.Observations
  ) throws(ArchiveError) {
    var numbers: [Int32] = []
    for name in table.kinds { numbers.append(try number(of: name, in: table, layout, settings.operators)) }
    let columns = try coordinateColumns(of: table, layout, kinds: numbers)
    let axes = numbers.map { Self.axes(of: operators[Int($0)], layout) }
    let isGiven = members != nil && !table.memberValues.isEmpty
    if isGiven, let members, table.memberValues.count != members {
      throw ArchiveError(
        .wrongSize, path: table.source, object: "h(x) of the members", found: "\(table.memberValues.count) members",
        expected: "\(members), as in the ensemble")
    }
    for k in 0..<table.count {
      var place = Place.nowhere
      for (axis, column) in columns { place.coordinates[axis] = column[k] }
      var variance = table.errorVariances[k]
      if variance.isNaN, let given = settings.errorVariance { variance = given }
      if variance <= 0 {
        throw ArchiveError(
          .badVariance, path: table.source, object: "observation \(k)", found: "error variance \(variance)",
          expected: "a positive number")
      }
      let number = numbers[Int(table.kind[k])]
      if isGiven, settings.memberValues == .always || operators[Int(number)].fields.isEmpty {
        memberValues[values.count] = table.memberValues.map { $0[k] }
      }
      kind.append(number)
      places.append(place)
      times.append(table.times.isEmpty ? .nan : table.times[k])
      values.append(table.values[k])
      errorVariances.append(variance)
      let needed = axes[Int(table.kind[k])]
      let isMissing =
        !table.values[k].isFinite || !variance.isFinite
        || columns.contains { needed.contains($0.0) && !$0.1[k].isFinite }
      flags.append(isMissing ? .missing : table.quality[k] != 0 ? .marked : .used)
    }
  }

  /// Axes along which an observation of a kind has to have a place: those of its fields, or all where nobody knows.
  private static func axes(of operation: ObservationOperator, _ layout: StateLayout) -> Set<Int> {
    let grids = operation.fields.map(layout.grid)
    guard !grids.isEmpty, grids.allSatisfy(\.places.isEmpty) else { return Set(layout.geometry.axes.indices) }
    return Set(grids.flatMap { $0.dimensions.filter { !operation.summed.contains($0.name) }.compactMap(\.axis) })
  }

  /// Number of a kind, which is a field of the state; a table without names is of the only field.
  private mutating func number(
    of name: String, in table: ObservationTable, _ layout: StateLayout, _ operators: [ObservedKind]
  ) throws(ArchiveError) -> Int32 {
    let names = layout.fields.map(\.name)
    if let listed = operators.first(where: { $0.kind == name }) {
      if let known = kinds.firstIndex(of: name) { return Int32(known) }
      self.operators.append(try operation(listed, table, layout))
      listedLaws[Int32(kinds.count)] = ErrorLaw(listed.law)
      kinds.append(name)
      return Int32(kinds.count - 1)
    }
    let field: Int
    if name.isEmpty {
      guard layout.fields.count == 1 else {
        throw ArchiveError(
          .missingVariable, path: table.source, object: "variable variable", found: "no names of what was observed",
          expected: "a name for each observation among the state's fields (\(names.joined(separator: ", ")))")
      }
      field = 0
    } else if let found = layout.fieldIndex(name) ?? layout.fields.firstIndex(where: { $0.standardName == name }) {
      field = found
    } else if members != nil, !table.memberValues.isEmpty {
      // The file knows what the members' values are.
      if let known = kinds.firstIndex(of: name) { return Int32(known) }
      kinds.append(name)
      self.operators.append(ObservationOperator(fields: []))
      return Int32(kinds.count - 1)
    } else {
      throw ArchiveError(
        .unknownVariable, path: table.source, object: "observations of \(name)", found: "a field that the state does not have",
        expected: "one of \(names.joined(separator: ", "))")
    }
    let name = names[field]
    if let known = kinds.firstIndex(of: name) { return Int32(known) }
    kinds.append(name)
    self.operators.append(ObservationOperator(fields: [field]))
    return Int32(kinds.count - 1)
  }

  /// The operator that the settings describe.
  private func operation(
    _ listed: ObservedKind, _ table: ObservationTable, _ layout: StateLayout
  ) throws(ArchiveError) -> ObservationOperator {
    var fields: [Int] = []
    for name in listed.fields ?? [listed.kind] {
      guard let field = layout.fieldIndex(name) else {
        throw ArchiveError(
          .unknownVariable, path: table.source, object: "observations of \(listed.kind)",
          found: "\(name) in observations.operators, which the state does not have",
          expected: "fields among \(layout.fields.map(\.name).joined(separator: ", "))")
      }
      if let limit = layout.grid(field).longestFootprint, listed.footprint > limit {
        throw ArchiveError(
          .wrongSize, path: table.source, object: "observations of \(listed.kind)",
          found: "a footprint of \(listed.footprint) cells of \(name) in observations.operators",
          expected: "at most \(limit) on its grid")
      }
      fields.append(field)
    }
    return ObservationOperator(
      fields: fields, combination: .init(rawValue: listed.combination.rawValue) ?? .sum,
      function: PointwiseFunction(rawValue: listed.function.rawValue) ?? .identity, summed: listed.sumAlong,
      footprint: listed.footprint)
  }

  /// The table's column for each axis that any of its kinds needs.
  private func coordinateColumns(
    of table: ObservationTable, _ layout: StateLayout, kinds: [Int32]
  ) throws(ArchiveError) -> [(Int, [Double])] {
    var columns: [(Int, [Double])] = []
    for (number, axis) in layout.geometry.axes.enumerated() {
      // On a staggered grid an axis has coordinates of several names.
      let names = layout.grids.flatMap { $0.dimensions.filter { $0.axis == number }.map(\.name) }
      let aliases = Set(([axis.name] + names).flatMap { Self.aliases(of: $0) })
      if let column = table.coordinates.first(where: { aliases.contains($0.name.lowercased()) }) {
        columns.append((number, column.values))
        continue
      }
      let needing = kinds.flatMap { operators[Int($0)].fields }.first { field in
        let grid = layout.grid(field)
        return !grid.places.isEmpty || grid.dimensions.contains { $0.axis == number && $0.length > 1 }
      }
      guard let needing else { continue }
      let found = table.coordinates.map(\.name).joined(separator: ", ")
      throw ArchiveError(
        .missingVariable, path: table.source, object: "coordinate \(axis.name)",
        found: found.isEmpty ? "no coordinates" : "coordinates \(found) only",
        expected: "a column \(axis.name), along which \(layout.fields[needing].name) lies")
    }
    return columns
  }

  /// Names under which other programs have a coordinate.
  private static func aliases(of axis: String) -> [String] {
    let families = [["longitude", "lon", "long"], ["latitude", "lat"], ["height", "altitude", "alt", "z"]]
    let name = axis.lowercased()
    return families.first { $0.contains(name) } ?? [name]
  }

  /// Keeps the first of several observations of one kind at one place and time.
  private mutating func flagDuplicates() {
    struct Identity: Hashable {
      let kind: Int32
      let x, y, z, time: UInt64
    }
    var seen = Set<Identity>(minimumCapacity: count)
    for k in values.indices where flags[k] == .used {
      let c = places[k].coordinates
      let identity = Identity(
        kind: kind[k], x: c[0].bitPattern, y: c[1].bitPattern, z: c[2].bitPattern, time: times[k].bitPattern)
      if !seen.insert(identity).inserted { flags[k] = .duplicate }
    }
  }

  /// Number of observations with each flag, those that occur.
  var flagCounts: [(flag: QualityFlag, count: Int)] {
    QualityFlag.allCases.map { flag in (flag, flags.count { $0 == flag }) }.filter { $0.1 > 0 }
  }
}
