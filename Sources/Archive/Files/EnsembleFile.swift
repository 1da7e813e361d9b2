public import DaunceState

/// An ensemble of one time: initial states, or the states before or after an analysis.
///
///     dimensions:
///       member = 10 ; x = 64 ;
///     variables:
///       int member(member) ;  member:standard_name = "realization" ;  member:units = "1" ;
///       double x(x) ;         x:length = 2.666 ;
///       double K(member, x) ; ...
///       double time ;         in days since a date, or in the model's unit
///     // global attributes:
///       :cycle = 0 ;
///
/// A file without a variable `time` has a global attribute of that name, in the model's unit.
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
  public func write(
    to path: String, layout: StateLayout, clock: ModelClock = ModelClock(), provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    guard memberCount > 0, members.count == memberCount * layout.count else {
      throw ArchiveError(
        .wrongSize, path: path, found: "\(members.count) values",
        expected: "\(memberCount) members of \(layout.count) values")
    }
    let writer = try DatasetWriter(path: path, provenance: provenance)
    if let cycle { try writer.set(Attribute("cycle", cycle)) }
    let member = try writer.defineMembers(memberCount)
    let grids = try writer.defineGrids(layout)
    // A single time is no axis.
    let moment = try writer.variable("time", over: [], attributes: clock.attributes.filter { $0.name != "axis" })
    try writer.write([clock.stored(time)], to: moment)
    for (v, described) in layout.fields.enumerated() {
      let field = try writer.variable(
        described.name, over: [member] + grids[described.grid],
        attributes: described.attributes() + [Attribute("coordinates", "time")])
      var values: [Double] = []
      values.reserveCapacity(memberCount * layout.range(v).count)
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
  /// lies below its variable's lower bound, or if there is no time.
  public static func read(
    _ path: String, layout: StateLayout, memberCount expected: Int? = nil, clock: ModelClock = ModelClock()
  ) throws(ArchiveError) -> EnsembleFile {
    let reader = try DatasetReader(path: path)
    let count = try reader.length(of: "member")
    guard count > 0, count == expected ?? count else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension member", found: "\(count) members",
        expected: expected.map { "\($0) members" } ?? "at least one")
    }
    try reader.checkGrids(layout)
    let time = try time(reader, clock)
    for (v, field) in layout.fields.enumerated() {
      let inner: [(name: String, length: Int?)] = layout.grid(v).dimensions.map { ($0.name, $0.length) }
      try reader.variable(field.name, over: [("member", count)] + inner)
    }
    // Only now is the size known to be that of data which are there.
    var members: [Double] = []
    for (v, field) in layout.fields.enumerated() {
      var values = try reader.field(field.name)
      let range = layout.range(v)
      try check(&values, of: field, cells: range.count, path)
      if members.isEmpty { members = [Double](repeating: 0, count: count * layout.count) }
      for m in 0..<count {
        let start = m * layout.count + range.lowerBound
        for cell in 0..<range.count { members[start + cell] = values[m * range.count + cell] }
      }
    }
    let cycle = try reader.integer("cycle").map { Int($0) }
    return EnsembleFile(time: time, cycle: cycle, memberCount: count, members: members)
  }

  /// The ensemble's time in the model's unit: the variable, or the attribute where there is none.
  private static func time(_ reader: DatasetReader, _ clock: ModelClock) throws(ArchiveError) -> Double {
    let isVariable = reader.find("time") != nil
    let object = isVariable ? "variable time" : "global attribute time"
    let times = isVariable ? try clock.times("time", in: reader) : try reader.number("time").map { [$0] }
    guard let times else {
      throw ArchiveError(
        .missingAttribute, path: reader.path, object: object, found: "neither it nor a variable time",
        expected: "the ensemble's time in the model's unit")
    }
    guard let time = times.first, times.count == 1 else {
      throw ArchiveError(
        .wrongSize, path: reader.path, object: object, found: "\(times.count) times", expected: "one")
    }
    guard time.isFinite else {
      throw ArchiveError(
        .notFinite, path: reader.path, object: object, found: "\(time)", expected: "a finite number")
    }
    return time
  }

  /// Single precision may have rounded a value at the bound to below it: that becomes the bound again.
  private static func check(
    _ values: inout [Double], of field: Field, cells: Int, _ path: String
  ) throws(ArchiveError) {
    let bound = field.lowerBound ?? -.infinity
    let nearly = field.lowerBound.map { $0 - 1e-7 * abs($0) } ?? bound
    for (i, value) in values.enumerated() {
      func place() -> String { "\(value) at member \(i / cells), x \(i % cells)" }
      guard value.isFinite else {
        throw ArchiveError(
          .notFinite, path: path, object: "variable \(field.name)", found: place(), expected: "a finite number")
      }
      if let upper = field.upperBound, value > upper {
        guard value <= upper + 1e-7 * abs(upper) else {
          throw ArchiveError(
            .outOfBounds, path: path, object: "variable \(field.name)", found: place(), expected: "at most \(upper)")
        }
        values[i] = upper
      }
      if value < bound, value >= nearly { values[i] = bound }
      guard value >= nearly else {
        throw ArchiveError(
          .outOfBounds, path: path, object: "variable \(field.name)", found: place(), expected: "at least \(bound)")
      }
    }
  }
}
