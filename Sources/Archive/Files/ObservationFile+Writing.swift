public import DaunceState

extension ObservationFile {
  /// Writes observations of one variable at every cell, NaN where missing.
  ///
  /// - Parameters:
  ///   - fields: values of each truth, each `[time][cell]`.
  ///   - seeds: seed of each truth, for a file with a leading dimension `truth`; `nil` for one truth without it.
  ///   - variable: number of the observed variable in the layout.
  ///   - errorVariance: in the variable's unit squared.
  @discardableResult
  public static func write(
    fields: [[Double]], times: [Double], to path: String, layout: StateLayout, variable: Int, errorVariance: Double,
    seeds: [UInt64]?, clock: ModelClock = ModelClock(), provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    let shape = [times.count, layout.range(variable).count]
    guard fields.count == seeds?.count ?? 1, fields.allSatisfy({ $0.count == shape[0] * shape[1] }) else {
      throw ArchiveError(
        .wrongSize, path: path, found: "\(fields.count) fields of \(fields.map(\.count)) values",
        expected: "\(seeds?.count ?? 1) of \(shape[0]) times \(shape[1])")
    }
    let writer = try DatasetWriter(path: path, provenance: provenance)
    return try write(
      [ObservedField(variable: variable, values: fields, errorVariance: errorVariance)], times: times, to: writer,
      layout: layout, seeds: seeds, clock: clock)
  }

  /// Observations of one variable, or of a function of several, at every cell.
  public struct ObservedField: Sendable {
    /// Number of the variable in the layout, of the first where there are several.
    let variable: Int
    /// As in the file; `nil`: the variable's own.
    let name: String?
    /// NaN where missing: of each truth `[time][cell]`.
    let values: [[Double]]
    /// Of all observations, in the variable's unit squared; `nil` where `errorVariances` has them.
    let errorVariance: Double?
    /// Of each cell.
    let errorVariances: [Double]

    /// Observations of one error variance.
    public init(variable: Int, values: [[Double]], errorVariance: Double) {
      (self.variable, self.values, self.errorVariance, errorVariances) = (variable, values, errorVariance, [])
      name = nil
    }

    /// Observations of an error variance for each cell.
    public init(variable: Int, name: String? = nil, values: [[Double]], errorVariances: [Double]) {
      let isOne = Set(errorVariances).count == 1
      self.name = name
      (self.variable, self.values) = (variable, values)
      errorVariance = isOne ? errorVariances[0] : nil
      self.errorVariances = isOne ? [] : errorVariances
    }
  }

  /// Writes observations of several variables; see `write(fields:)`.
  @discardableResult
  public static func write(
    _ fields: [ObservedField], times: [Double], to path: String, layout: StateLayout, seeds: [UInt64]?,
    clock: ModelClock = ModelClock(), provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    return try write(fields, times: times, to: writer, layout: layout, seeds: seeds, clock: clock)
  }

  private static func write(
    _ fields: [ObservedField], times: [Double], to writer: DatasetWriter, layout: StateLayout, seeds: [UInt64]?,
    clock: ModelClock
  ) throws(ArchiveError) -> UInt64 {
    let leading = try seeds.map { seeds throws(ArchiveError) in [try writer.defineTruths(seeds)] } ?? []
    let time = try writer.defineTime(times.count, clock: clock)
    let grids = try writer.defineGrids(layout)
    try writer.write(times.map(clock.stored), to: time.coordinate)
    for field in fields {
      let observed = layout.fields[field.variable]
      let name = field.name ?? observed.name
      // A function of the field has neither its unit nor its bounds.
      let attributes =
        name == observed.name
        ? observed.attributes("observed")
        : [Attribute("long_name", "observed \(name.replacing("_", with: " "))")]
      let grid = grids[observed.grid]
      let shape = [times.count] + grid.map { $0.length ?? 0 }
      let variable = try writer.variable(
        name, over: leading + [time.dimension] + grid,
        attributes: attributes
          + (field.errorVariance.map { [Attribute("error_variance", $0)] } ?? []))
      let variances =
        field.errorVariance == nil
        ? try writer.variable(
          name + suffix, over: leading + [time.dimension] + grid,
          attributes: [
            Attribute("long_name", "variance of the observation error"),
            Attribute("units", name != observed.name || observed.units == "1" ? "1" : "(\(observed.units))2"),
          ]) : nil
      for (truth, values) in field.values.enumerated() {
        let start = leading.map { _ in truth } + shape.map { _ in 0 }
        let count = leading.map { _ in 1 } + shape
        try writer.write(values, to: variable, start: start, count: count)
        guard let variances else { continue }
        let repeated = times.flatMap { _ in field.errorVariances }
        try writer.write(repeated, to: variances, start: start, count: count)
      }
    }
    return try writer.finish()
  }
}
