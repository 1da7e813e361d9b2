import DaunceState

/// Reads an analysis file; see `AnalysisContents` for what is in it.
public final class AnalysisFile {
  private let reader: DatasetReader
  /// Analysis times in the model's unit, ascending, of the cycles that were written.
  public let times: [Double]
  /// Number of truths; 1 in a file without that dimension.
  public let truthCount: Int
  /// Names of the variables and diagnostics that have a mean and a spread, in the file's order.
  public let fields: [String]
  private let hasTruths: Bool
  /// Length of the dimension `time`; more than `times` in the file of an interrupted run.
  private let cycleSlots: Int

  public var path: String { reader.path }

  /// Opens a file; throws if it is damaged or no analysis file.
  public init(path: String, clock: ModelClock = ModelClock()) throws(ArchiveError) {
    reader = try DatasetReader(path: path)
    times = try reader.times(clock, upToMissing: true)
    cycleSlots = try reader.length(of: "time")
    let truths = try reader.truthCount(choosing: nil)
    hasTruths = truths != nil
    truthCount = truths ?? 1
    fields = reader.variables.map(\.name).filter { $0.hasSuffix("_mean") }.map { String($0.dropLast(5)) }
  }

  /// Number of cells that a field has in the file; 0 if it is not there.
  public func cells(of field: String) -> Int {
    reader.find("\(field)_mean").map { $0.shape.dropFirst(hasTruths ? 2 : 1).reduce(1, *) } ?? 0
  }

  /// Analysis mean of a field (`[time][cell]`).
  public func mean(of field: String, truth: Int = 0) throws(ArchiveError) -> [Double] {
    try rows("\(field)_mean", nil, truth)
  }

  /// Analysis spread of a field (`[time][cell]`).
  public func spread(of field: String, truth: Int = 0) throws(ArchiveError) -> [Double] {
    // Over the dimensions of the mean.
    let mean = reader.find("\(field)_mean").map { zip($0.dimensions, $0.shape).dropFirst(hasTruths ? 2 : 1) }
    return try rows("\(field)_spread", mean?.map { ($0.0, $0.1) }, truth)
  }

  /// Energy of the members (`[time][member]`).
  public func energies(truth: Int = 0) throws(ArchiveError) -> [Double] {
    try rows("energy", [("member", try reader.length(of: "member"))], truth)
  }

  /// Smallest value of a variable over members and cells (`[time]`).
  public func minima(of variable: String, truth: Int = 0) throws(ArchiveError) -> [Double] {
    try rows("min_\(variable)", [], truth)
  }

  /// States of the members, where they were kept, of one variable (`[time][member][cell]`).
  public func members(of variable: String, truth: Int = 0) throws(ArchiveError) -> [Double] {
    try rows(variable, nil, truth)
  }

  /// Whether the members' states were kept.
  public func keepsMembers(of variable: String) -> Bool {
    reader.find(variable)?.dimensions.dropFirst(hasTruths ? 2 : 1).first == "member"
  }

  /// Lagrange multipliers, where they were kept (`[time][member][constraint]`).
  public func multipliers(truth: Int = 0) throws(ArchiveError) -> [Double] {
    let (members, constraints) = (try reader.length(of: "member"), try reader.length(of: "constraint"))
    return try rows("multiplier", [("member", members), ("constraint", constraints)], truth)
  }

  /// Covariance of one time, where it was kept (`[element][element]`).
  public func covariance(cycle: Int, truth: Int = 0) throws(ArchiveError) -> [Double] {
    let count = try reader.length(of: "state")
    return try rows("covariance", [("state", count), ("state_2", count)], truth, cycle..<cycle + 1)
  }

  /// One cycle as it was given to the writer.
  public func record(
    cycle: Int, contents: AnalysisContents, truth: Int = 0
  ) throws(ArchiveError) -> AnalysisRecord {
    guard times.indices.contains(cycle) else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension time", found: "\(times.count) cycles", expected: "cycle \(cycle)")
    }
    try reader.checkGrids(contents.layout)
    let now = cycle..<cycle + 1
    let member = ("member", Optional(contents.memberCount))
    var record = AnalysisRecord(for: contents)
    record.time = times[cycle]
    (record.mean, record.spread, record.diagnosticMean, record.diagnosticSpread) = ([], [], [], [])
    for name in contents.layout.fields.map(\.name) {
      record.mean += try rows("\(name)_mean", nil, truth, now)
      record.spread += try rows("\(name)_spread", nil, truth, now)
    }
    for name in contents.diagnostics {
      record.diagnosticMean += try rows("\(name)_mean", nil, truth, now)
      record.diagnosticSpread += try rows("\(name)_spread", nil, truth, now)
    }
    record.energies = try rows("energy", [member], truth, now)
    if contents.keepsStatus { record.status = try rows("member_status", [member], truth, now) }
    record.minima = []
    for v in contents.bounded { record.minima += try rows("min_\(contents.layout.fields[v].name)", [], truth, now) }
    if !contents.constraints.isEmpty {
      record.multipliers = try rows("multiplier", [member, ("constraint", contents.constraints.count)], truth, now)
    }
    if contents.keepsCovariance { record.covariance = try covariance(cycle: cycle, truth: truth) }
    if contents.keepsMembers {
      let count = contents.layout.count
      for (v, field) in contents.layout.fields.enumerated() {
        let values = try rows(field.name, nil, truth, now)
        let (cells, offset) = (contents.layout.range(v).count, contents.layout.offsets[v])
        for m in 0..<contents.memberCount {
          for cell in 0..<cells { record.members[m * count + offset + cell] = values[m * cells + cell] }
        }
      }
    }
    return record
  }

  /// Rows of a variable over ([truth,] time, inner...), of all times or some; `inner` nil: whatever dimensions follow.
  private func rows(
    _ name: String, _ wanted: [(name: String, length: Int?)]?, _ truth: Int, _ cycles: Range<Int>? = nil
  ) throws(ArchiveError) -> [Double] {
    guard 0..<truthCount ~= truth else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension truth", found: "\(truthCount) truths",
        expected: "one with number \(truth), counted from 0")
    }
    let outer: [(name: String, length: Int?)] = hasTruths ? [("truth", truthCount)] : []
    let known = Array(try reader.variable(name).dimensions.dropFirst(outer.count + 1))
    let inner = wanted ?? known.map { (name: $0, length: nil) }
    let variable = try reader.variable(name, over: outer + [("time", cycleSlots)] + inner)
    let cycles = cycles ?? 0..<times.count
    let innerShape = Array(variable.shape.suffix(inner.count))
    return try reader.field(
      variable, start: (hasTruths ? [truth] : []) + [cycles.lowerBound] + innerShape.map { _ in 0 },
      count: (hasTruths ? [1] : []) + [cycles.count] + innerShape)
  }
}
