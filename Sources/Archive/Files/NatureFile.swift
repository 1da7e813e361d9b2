public import DaunceState

/// One model run that counts as the truth.
public struct NatureRun: Sendable, Hashable {
  /// Times in the model's unit, ascending (`[time]`).
  public var times: [Double]
  /// States (`[time][variable][cell]`).
  public var states: [Double]
  /// Derived fields that belong to it, each `[time][cell]`.
  public var diagnostics: [[Double]]
  /// Its energy (`[time]`); empty if it has none, and when read.
  public var energies: [Double]
  /// Seed of the run.
  public var seed: UInt64

  /// One truth at `times`; shapes as the properties have them.
  public init(
    times: [Double], states: [Double], diagnostics: [[Double]], energies: [Double] = [], seed: UInt64
  ) {
    self.times = times
    self.states = states
    self.diagnostics = diagnostics
    self.energies = energies
    self.seed = seed
  }
}

/// What truths of one model have in common.
public struct NatureMetadata: Sendable, Hashable {
  /// Fields on the first grid.
  public var fields: [BackgroundField]
  /// The model's units of time and length, where they mean something.
  public var hours: Double?
  public var kilometres: Double?

  /// - Parameters:
  ///   - hours: in the model's unit of time; `nil` where it means nothing in nature.
  ///   - kilometres: in its unit of length.
  public init(fields: [BackgroundField] = [], hours: Double? = nil, kilometres: Double? = nil) {
    self.fields = fields
    self.hours = hours
    self.kilometres = kilometres
  }
}

/// Nature runs: one, or several at the same times along a leading dimension `truth`.
///
///     dimensions:
///       truth = 8 ; time = 400 ; x = 64 ;
///     variables:
///       int64 seeds(truth) ;
///       double time(time) ;  double x(x) ;
///       double K(truth, time, x) ; ...  double MJO(truth, time, x) ;
///       double energy(truth, time) ;                             where the model has one
///       double S(x) ;                                            and whatever else the truths have in common
///
/// A single truth has neither the dimension nor `seeds`: its seed is the global attribute `seed`.
public enum NatureFile {
  /// Writes truths with the same times. `diagnostics`: names of the truths' derived fields.
  ///
  /// `asSeries`: with a leading dimension `truth`, whatever their number; without it only one truth can be written.
  /// `nature`: what they have in common; its unit of time is the clock of the file.
  @discardableResult
  public static func write(
    _ truths: [NatureRun], to path: String, layout: StateLayout, diagnostics: [String], asSeries: Bool,
    nature: NatureMetadata = NatureMetadata(), provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    guard let first = truths.first, asSeries || truths.count == 1 else {
      throw ArchiveError(.wrongSize, path: path, found: "\(truths.count) truths", expected: "one, or a series")
    }
    let times = first.times.count
    try check(truths, like: first, path, layout, diagnostics)
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let leading = asSeries ? [try writer.defineTruths(truths.map(\.seed))] : []
    let clock = ModelClock(hours: nature.hours)
    let time = try writer.defineTime(times, clock: clock)
    let grids = try writer.defineGrids(layout)
    let firstGrid = layout.fields.first.map { grids[$0.grid] } ?? []
    try writer.write(first.times.map(clock.stored), to: time.coordinate)
    if let hours = nature.hours { try writer.set(Attribute("time_unit_in_hours", hours)) }
    if let kilometres = nature.kilometres { try writer.set(Attribute("length_unit_in_kilometres", kilometres)) }
    for field in nature.fields {
      try writer.write(
        field.values,
        to: writer.variable(
          field.name, over: firstGrid, attributes: [Attribute("long_name", field.longName), Attribute("units", "1")]))
    }
    for (v, described) in layout.fields.enumerated() {
      let grid = grids[described.grid]
      let field = try writer.variable(
        described.name, over: leading + [time.dimension] + grid, attributes: described.attributes())
      let range = layout.range(v)
      for (number, truth) in truths.enumerated() {
        var values: [Double] = []
        values.reserveCapacity(times * range.count)
        for t in 0..<times {
          let start = t * layout.count + range.lowerBound
          values += truth.states[start..<start + range.count]
        }
        try writeBlock(values, to: field, grid, truth: number)
      }
    }
    for (d, name) in diagnostics.enumerated() {
      let field = try writer.variable(
        name, over: leading + [time.dimension] + firstGrid, attributes: [Attribute("long_name", name), Attribute("units", "1")])
      for (number, truth) in truths.enumerated() { try writeBlock(truth.diagnostics[d], to: field, firstGrid, truth: number) }
    }
    if !first.energies.isEmpty {
      let energy = try writer.variable(
        "energy", over: leading + [time.dimension],
        attributes: [Attribute("long_name", "energy that analyses hold in a band"), Attribute("units", "1")])
      try writer.write(truths.flatMap(\.energies), to: energy)
    }
    return try writer.finish()

    func writeBlock(
      _ values: [Double], to field: DatasetWriter.Variable<Double>, _ grid: [DatasetWriter.Dimension], truth: Int
    ) throws(ArchiveError) {
      try writer.write(
        values, to: field, start: (asSeries ? [truth] : []) + [0] + grid.map { _ in 0 },
        count: (asSeries ? [1] : []) + [times] + grid.map { $0.length ?? 0 })
    }
  }

  /// Whether all truths have the times and sizes of the first.
  private static func check(
    _ truths: [NatureRun], like first: NatureRun, _ path: String, _ layout: StateLayout, _ diagnostics: [String]
  ) throws(ArchiveError) {
    let (times, cells) = (first.times.count, layout.cells)
    for truth in truths {
      guard truth.times == first.times, truth.states.count == times * layout.count,
        truth.energies.isEmpty || truth.energies.count == times, truth.energies.count == first.energies.count,
        truth.diagnostics.count == diagnostics.count, truth.diagnostics.allSatisfy({ $0.count == times * cells })
      else {
        throw ArchiveError(
          .wrongSize, path: path, found: "truths of different times or sizes",
          expected: "\(times) times of \(layout.count) values and \(diagnostics.count) diagnostics in each")
      }
    }
  }

  /// Number of truths in a file.
  public static func count(in path: String) throws(ArchiveError) -> Int {
    try DatasetReader(path: path).truthCount(choosing: nil) ?? 1
  }

  /// Reads truth number `truth` (from 0) with the named diagnostics. Throws if a variable is missing, has other
  /// dimensions or a value that is not finite, or if the grid is another one.
  public static func read(
    _ path: String, layout: StateLayout, diagnostics: [String], truth: Int = 0, clock: ModelClock = ModelClock()
  ) throws(ArchiveError) -> NatureRun {
    let reader = try DatasetReader(path: path)
    let truths = try reader.truthCount(choosing: truth)
    try reader.checkGrids(layout)
    let times = try reader.times(clock)
    var fields: [[Double]] = []
    let names = layout.fields.map { ($0.name, layout.grids[$0.grid]) } + diagnostics.map { ($0, layout.grid(0)) }
    for (name, grid) in names {
      let values = try reader.series(name, truth: truth, times: times.count, grid: grid)
      let cells = grid.cells
      for (i, value) in values.enumerated() where !value.isFinite {
        throw ArchiveError(
          .notFinite, path: path, object: "variable \(name)", found: "\(value) at time \(i / cells), x \(i % cells)",
          expected: "a finite number")
      }
      fields.append(values)
    }
    var states: [Double] = []
    states.reserveCapacity(times.count * layout.count)
    for t in times.indices {
      for v in layout.fields.indices {
        let cells = layout.range(v).count
        states += fields[v][t * cells..<(t + 1) * cells]
      }
    }
    let seed: UInt64
    if let truths {
      try reader.variable("seeds", over: [("truth", truths)])
      seed = UInt64(bitPattern: try reader.values("seeds", of: Int64.self)[truth])
    } else {
      seed = try reader.unsigned("seed") ?? 0
    }
    return NatureRun(
      times: times, states: states, diagnostics: Array(fields[layout.fields.count...]), seed: seed)
  }
}
