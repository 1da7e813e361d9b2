import DaunceState

/// Writes an analysis file cycle by cycle.
///
/// Records are collected in memory and handed to the library in blocks of cycles, which builds the file in memory too;
/// nothing waits for a disk before `finish()`.
public final class AnalysisWriter {
  public let contents: AnalysisContents
  private let writer: DatasetWriter
  private let time: DatasetWriter.Variable<Double>
  private var columns: [Column] = []
  private let recordSizes: [Int]
  /// Cycles collected since the last block, and where they belong.
  private var pendingTimes: [Double] = []
  private var truth = 0
  private var firstPending = 0
  /// Times of all cycles so far as the file has them, which every truth has to share.
  private var times: [Double] = []
  /// Cycles given of each truth.
  private var written: [Int]

  /// Bytes that are collected before a block goes to the library, about.
  private static let blockBytes = 1 << 20

  /// One variable of the file and its pending rows.
  private struct Column {
    let variable: DatasetWriter.Variable<Double>
    /// Part of the record that it takes its rows from.
    let source: KeyPath<AnalysisRecord, [Double]>
    /// Runs of elements that make up a row: first elements, and their common length.
    let starts: [Int]
    let length: Int
    /// Lengths of the dimensions after time.
    let shape: [Int]
    var rows: [Double] = []
  }

  private let blockCycles: Int

  /// Starts the file. Throws if the folder is missing or cannot be written to.
  public init(path: String, contents: AnalysisContents, provenance: Provenance) throws(ArchiveError) {
    self.contents = contents
    recordSizes = AnalysisRecord(for: contents).sizes
    let rowBytes = 8 * max(recordSizes.reduce(1, +), 1)
    blockCycles = max(1, min(Self.blockBytes / rowBytes, contents.cycles ?? .max))
    written = [Int](repeating: 0, count: contents.truthSeeds?.count ?? 1)
    writer = try DatasetWriter(path: path, provenance: provenance)
    var leading: [DatasetWriter.Dimension] = []
    if let seeds = contents.truthSeeds { leading = [try writer.defineTruths(seeds)] }
    let (timeDimension, time) = try writer.defineTime(contents.cycles, clock: contents.clock)
    self.time = time
    let member = try writer.defineMembers(contents.memberCount)
    let grids = try writer.defineGrids(contents.layout)
    try defineColumns(leading + [timeDimension], member, grids)
  }

  private func defineColumns(
    _ outer: [DatasetWriter.Dimension], _ member: DatasetWriter.Dimension, _ grids: [[DatasetWriter.Dimension]]
  ) throws(ArchiveError) {
    let layout = contents.layout
    let cells = layout.cells
    // Diagnostics are on the first field's grid.
    let shared = layout.fields.first.map { grids[$0.grid] } ?? []
    func column(
      _ name: String, _ inner: [DatasetWriter.Dimension], _ source: KeyPath<AnalysisRecord, [Double]>,
      _ starts: [Int], _ length: Int, _ attributes: [Attribute]
    ) throws(ArchiveError) {
      let shape = inner.map { $0.length ?? 0 }
      // Chunks of about a block where time grows; contiguous data where its length is known.
      let chunks = contents.cycles == nil ? outer.dropLast().map { _ in 1 } + [blockCycles] + shape : nil
      let variable = try writer.variable(
        name, of: Double.self, over: outer + inner, chunks: chunks, attributes: attributes)
      var rows: [Double] = []
      rows.reserveCapacity(blockCycles * starts.count * length)
      columns.append(
        Column(variable: variable, source: source, starts: starts, length: length, shape: shape, rows: rows))
    }
    func plain(_ longName: String) -> [Attribute] { [Attribute("long_name", longName), Attribute("units", "1")] }

    for (v, field) in layout.fields.enumerated() {
      let (start, count, grid) = ([layout.offsets[v]], layout.range(v).count, grids[field.grid])
      try column("\(field.name)_mean", grid, \.mean, start, count, field.attributes("analysis mean"))
      try column("\(field.name)_spread", grid, \.spread, start, count, field.attributes("analysis spread"))
    }
    for (d, name) in contents.diagnostics.enumerated() {
      try column("\(name)_mean", shared, \.diagnosticMean, [d * cells], cells, plain("\(name), analysis mean"))
      try column("\(name)_spread", shared, \.diagnosticSpread, [d * cells], cells, plain("\(name), analysis spread"))
    }
    try column("energy", [member], \.energies, [0], contents.memberCount, plain("energy of each member"))
    for (i, v) in contents.bounded.enumerated() {
      let name = layout.fields[v].name
      try column("min_\(name)", [], \.minima, [i], 1, plain("smallest \(name) of all members and cells"))
    }
    if contents.keepsStatus {
      try column(
        "member_status", [member], \.status, [0], contents.memberCount,
        [
          Attribute("long_name", "what became of each member's forecast"), Attribute("units", "1"),
          Attribute("flag_values", .numbers([0, 1, 2, 3])), Attribute("flag_meanings", "made made_when_tried_again replaced given_up"),
        ])
    }
    if !contents.constraints.isEmpty {
      let constraint = try writer.dimension("constraint", length: contents.constraints.count)
      try writer.write(
        texts: contents.constraints, as: "constraint_name", over: constraint,
        attributes: [Attribute("long_name", "name of the constraint")])
      try column(
        "multiplier", [member, constraint], \.multipliers, [0], contents.memberCount * contents.constraints.count,
        plain("Lagrange multiplier") + [Attribute("coordinates", "constraint_name")])
    }
    if contents.keepsCovariance {
      let state = try writer.dimension("state", length: layout.count)
      let second = try writer.dimension("state_2", length: layout.count)
      try column(
        "covariance", [state, second], \.covariance, [0], layout.count * layout.count,
        plain("covariance of the analysis, variables after one another in the file's order"))
      if !contents.weights.isEmpty {
        try column(
          "covariance_weighted", [state, second], \.weightedCovariance, [0], layout.count * layout.count,
          plain("covariance of the analysis by weights"))
      }
    }
    if !contents.weights.isEmpty { try defineWeighted(member, grids, shared, column) }
    if contents.keepsMembers {
      for (v, field) in layout.fields.enumerated() {
        let starts = (0..<contents.memberCount).map { $0 * layout.count + layout.offsets[v] }
        try column(
          field.name, [member] + grids[field.grid], \.members, starts, layout.range(v).count, field.attributes())
      }
    }
  }

  /// What members with weights have in addition.
  private func defineWeighted(
    _ member: DatasetWriter.Dimension, _ grids: [[DatasetWriter.Dimension]], _ shared: [DatasetWriter.Dimension],
    _ column: (
      String, [DatasetWriter.Dimension], KeyPath<AnalysisRecord, [Double]>, [Int], Int, [Attribute]
    ) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    func notes(_ words: String) -> [Attribute] { [Attribute("long_name", words), Attribute("units", "1")] }
    let probabilities = AnalysisContents.probabilities
    let probability = try writer.dimension("probability", length: probabilities.count)
    try writer.write(
      probabilities,
      to: writer.variable("probability", over: [probability], attributes: notes("probability of a smaller value")))
    try writer.write(
      contents.weights, to: writer.variable("weight", over: [member], attributes: notes("importance weight of the agent")))
    let layout = contents.layout
    var fields: [(name: String, grid: [DatasetWriter.Dimension], range: Range<Int>, attributes: (String) -> [Attribute])] = []
    for (v, field) in layout.fields.enumerated() {
      fields.append((field.name, grids[field.grid], layout.range(v), { field.attributes($0) }))
    }
    for (d, name) in contents.diagnostics.enumerated() {
      let first = layout.count + d * layout.cells
      fields.append((name, shared, first..<first + layout.cells, { notes("\(name), \($0)") }))
    }
    let count = probabilities.count
    for field in fields {
      let (name, grid, start, width) = (field.name, field.grid, field.range.lowerBound, field.range.count)
      try column("\(name)_mean_weighted", grid, \.weightedMean, [start], width, field.attributes("analysis mean by weights"))
      try column("\(name)_spread_weighted", grid, \.weightedSpread, [start], width, field.attributes("analysis spread by weights"))
      try column(
        "\(name)_quantile", grid + [probability], \.quantiles, [start * count], width * count,
        field.attributes("quantile of the members"))
      try column(
        "\(name)_quantile_weighted", grid + [probability], \.weightedQuantiles, [start * count], width * count,
        field.attributes("quantile of the members by weights"))
    }
  }

  /// Adds the next cycle of a truth (number 0 in a file without that dimension). All truths have the same times.
  public func append(_ record: AnalysisRecord, truth: Int = 0) throws(ArchiveError) {
    guard written.indices.contains(truth), record.sizes == recordSizes, written[truth] < contents.cycles ?? .max else {
      throw ArchiveError(
        .wrongSize, path: writer.path,
        found: "cycle \(written.indices.contains(truth) ? written[truth] : 0) of truth \(truth), sizes \(record.sizes)",
        expected: "at most \(contents.cycles ?? .max) cycles of \(written.count) truths, sizes \(recordSizes)")
    }
    let time = contents.clock.stored(record.time)
    try checkTime(time, cycle: written[truth])
    if truth != self.truth { try flush() }
    if pendingTimes.isEmpty {
      self.truth = truth
      firstPending = written[truth]
    }
    pendingTimes.append(time)
    for c in columns.indices {
      let source = columns[c].source
      for start in columns[c].starts {
        columns[c].rows.append(contentsOf: record[keyPath: source][start..<start + columns[c].length])
      }
    }
    written[truth] += 1
    if pendingTimes.count == blockCycles { try flush() }
  }

  private func checkTime(_ time: Double, cycle: Int) throws(ArchiveError) {
    if cycle == times.count, time.isFinite, time > times.last ?? -.infinity {
      times.append(time)
    } else if cycle == times.count || times[cycle] != time {
      throw ArchiveError(
        .wrongOrder, path: writer.path, object: "variable time", found: "\(time) at cycle \(cycle)",
        expected: cycle < times.count ? "\(times[cycle]), as the first truth has it" : "ascending times")
    }
  }

  /// Adds the first `cycles` cycles of another analysis file with the same contents: resuming after an interruption.
  /// The result has the bytes of a file that was never interrupted, if truths come in the same order.
  public func append(
    from file: AnalysisFile, cycles: Int, sourceTruth: Int = 0, truth: Int = 0
  ) throws(ArchiveError) {
    for cycle in 0..<cycles {
      try append(try file.record(cycle: cycle, contents: contents, truth: sourceTruth), truth: truth)
    }
  }

  private func flush() throws(ArchiveError) {
    let cycles = pendingTimes.count
    guard cycles > 0 else { return }
    let (outerStart, outerCount) = contents.truthSeeds == nil ? ([], []) : ([truth], [1])
    try writer.write(pendingTimes, to: time, start: [firstPending], count: [cycles])
    for column in columns {
      try writer.write(
        column.rows, to: column.variable, start: outerStart + [firstPending] + column.shape.map { _ in 0 },
        count: outerCount + [cycles] + column.shape)
    }
    pendingTimes.removeAll(keepingCapacity: true)
    for c in columns.indices { columns[c].rows.removeAll(keepingCapacity: true) }
  }

  /// Completes the file; see `DatasetWriter.finish`. Cycles that were announced and not given remain missing (NaN).
  @discardableResult
  public func finish() throws(ArchiveError) -> UInt64 {
    try flush()
    return try writer.finish()
  }

  /// Gives the file up; an older file of its name is untouched.
  public func cancel() { writer.cancel() }
}
