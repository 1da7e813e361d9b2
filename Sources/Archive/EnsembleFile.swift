public import DaunceState

/// An ensemble of one time: initial states, or the states before or after an analysis.
///
///     dimensions:
///       member = 10 ; x = 64 ;
///     variables:
///       int member(member) ;  member:standard_name = "realization" ;  member:units = "1" ;
///       double x(x) ;         x:length = 2.666 ;
///       double K(member, x) ; ...
///     // global attributes:
///       :time = 20. ;  :cycle = 0 ;
public struct EnsembleFile: Sendable, Hashable {
  /// Time in the model's unit.
  public var time: Double
  /// Cycle number in its run, where it has one.
  public var cycle: Int?
  /// Number of members.
  public let memberCount: Int
  /// States of all members (`[member][variable][cell]`).
  public var members: [Double]

  /// An ensemble at `time` (model units); `members` is `[member][variable][cell]`.
  public init(time: Double, cycle: Int? = nil, memberCount: Int, members: [Double]) {
    self.time = time
    self.cycle = cycle
    self.memberCount = memberCount
    self.members = members
  }

  /// Elements of member number `member` in `members`, for states of `count` elements.
  public func range(of member: Int, count: Int) -> Range<Int> { member * count..<(member + 1) * count }

  /// Writes the ensemble. Returns the file's digest.
  @discardableResult
  public func write(to path: String, layout: CircleLayout, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    guard memberCount > 0, members.count == memberCount * layout.count else {
      throw ArchiveError(
        .wrongSize, path: path, found: "\(members.count) values",
        expected: "\(memberCount) members of \(layout.count) values")
    }
    let writer = try DatasetWriter(path: path, provenance: provenance)
    try writer.set(Attribute("time", time))
    if let cycle { try writer.set(Attribute("cycle", cycle)) }
    let member = try writer.defineMembers(memberCount)
    let x = try writer.defineGrid(layout.grid)
    for (v, variable) in layout.variables.enumerated() {
      let field = try writer.variable(variable.name, over: [member, x], attributes: variable.attributes())
      var values: [Double] = []
      values.reserveCapacity(memberCount * layout.grid.cells)
      for m in 0..<memberCount {
        let state = range(of: m, count: layout.count)
        values += members[state.lowerBound + layout.range(v).lowerBound..<state.lowerBound + layout.range(v).upperBound]
      }
      try writer.write(values, to: field)
    }
    return try writer.finish()
  }

  /// Reads an ensemble of states of `layout`; `memberCount` nil accepts any number of members.
  ///
  /// Throws if a variable is missing or has other dimensions, if the grid is another one, if a value is not finite or
  /// lies below its variable's lower bound, or if the attribute `time` is missing.
  public static func read(
    _ path: String, layout: CircleLayout, memberCount expected: Int? = nil
  ) throws(ArchiveError) -> EnsembleFile {
    let reader = try DatasetReader(path: path)
    let count = try reader.length(of: "member")
    guard count > 0, count == expected ?? count else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension member", found: "\(count) members",
        expected: expected.map { "\($0) members" } ?? "at least one")
    }
    try reader.checkGrid(layout.grid)
    guard let time = try reader.number("time") else {
      throw ArchiveError(
        .missingAttribute, path: path, object: "global attribute time", found: "no such attribute",
        expected: "the ensemble's time in the model's unit")
    }
    guard time.isFinite else {
      throw ArchiveError(
        .notFinite, path: path, object: "global attribute time", found: "\(time)", expected: "a finite number")
    }
    let cells = layout.grid.cells
    for variable in layout.variables {
      try reader.variable(variable.name, over: [("member", count), ("x", cells)])
    }
    // Only now is the size known to be that of data which are there.
    var members: [Double] = []
    for (v, variable) in layout.variables.enumerated() {
      var values = try reader.field(variable.name)
      try check(&values, of: variable, cells: cells, path)
      if members.isEmpty { members = [Double](repeating: 0, count: count * layout.count) }
      for m in 0..<count {
        for cell in 0..<cells { members[(m * layout.variables.count + v) * cells + cell] = values[m * cells + cell] }
      }
    }
    let cycle = try reader.integer("cycle").map { Int($0) }
    return EnsembleFile(time: time, cycle: cycle, memberCount: count, members: members)
  }

  /// Single precision may have rounded a value at the bound to below it: that becomes the bound again.
  private static func check(
    _ values: inout [Double], of variable: Variable, cells: Int, _ path: String
  ) throws(ArchiveError) {
    let bound = variable.lowerBound ?? -.infinity
    let nearly = variable.lowerBound.map { $0 - 1e-7 * abs($0) } ?? bound
    for (i, value) in values.enumerated() {
      func place() -> String { "\(value) at member \(i / cells), x \(i % cells)" }
      guard value.isFinite else {
        throw ArchiveError(
          .notFinite, path: path, object: "variable \(variable.name)", found: place(), expected: "a finite number")
      }
      if value < bound, value >= nearly { values[i] = bound }
      guard value >= nearly else {
        throw ArchiveError(
          .outOfBounds, path: path, object: "variable \(variable.name)", found: place(), expected: "at least \(bound)")
      }
    }
  }

  /// The layout of a file of any model: every variable over (member, x) is state. The grid's length is the attribute
  /// `length` of `x`, or else the number of cells times the first spacing. Scales are the variables' sample standard
  /// deviations over members and cells; lower bounds are their attributes `valid_min`.
  public static func layout(of path: String) throws(ArchiveError) -> CircleLayout {
    let reader = try DatasetReader(path: path)
    let cells = try reader.length(of: "x")
    try reader.variable("x", over: [("x", cells)])
    let places = try reader.field("x")
    guard
      let length = try reader.number("length", of: "x") ?? (cells > 1 ? Double(cells) * (places[1] - places[0]) : nil),
      cells > 0, length > 0, length.isFinite
    else {
      throw ArchiveError(
        .missingAttribute, path: path, object: "attribute length of x", found: "no usable length",
        expected: "the circumference of the domain, positive")
    }
    var variables: [Variable] = []
    for stored in reader.variables where stored.dimensions == ["member", "x"] {
      let values = try reader.field(stored.name)
      let longName = try reader.text("long_name", of: stored.name)
      let bound = try reader.number("valid_min", of: stored.name)
      variables.append(
        Variable(
          name: stored.name, longName: longName ?? stored.name, lowerBound: bound,
          scale: standardDeviation(of: values)))
    }
    guard !variables.isEmpty else {
      throw ArchiveError(
        .missingVariable, path: path, found: "no variable with dimensions (member, x)", expected: "at least one")
    }
    let layout = CircleLayout(grid: CircleGrid(cells: cells, length: length), variables: variables)
    try reader.checkGrid(layout.grid)
    return layout
  }

  private static func standardDeviation(of values: [Double]) -> Double {
    guard values.count > 1 else { return 1 }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    return deviation > 0 && deviation.isFinite ? deviation : 1
  }
}
