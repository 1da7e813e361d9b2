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
    fields: [[Double]], times: [Double], to path: String, layout: CircleLayout, variable: Int, errorVariance: Double,
    seeds: [UInt64]?, provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    let shape = [times.count, layout.grid.cells]
    guard fields.count == seeds?.count ?? 1, fields.allSatisfy({ $0.count == shape[0] * shape[1] }) else {
      throw ArchiveError(
        .wrongSize, path: path, found: "\(fields.count) fields of \(fields.map(\.count)) values",
        expected: "\(seeds?.count ?? 1) of \(shape[0]) times \(shape[1])")
    }
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let leading = try seeds.map { seeds throws(ArchiveError) in [try writer.defineTruths(seeds)] } ?? []
    let time = try writer.defineTime(times.count)
    let x = try writer.defineGrid(layout.grid)
    try writer.write(times, to: time.coordinate)
    let observed = layout.variables[variable]
    let field = try writer.variable(
      observed.name, over: leading + [time.dimension, x],
      attributes: observed.attributes("observed") + [Attribute("error_variance", errorVariance)])
    for (truth, values) in fields.enumerated() {
      let start = leading.isEmpty ? [0, 0] : [truth, 0, 0]
      try writer.write(values, to: field, start: start, count: leading.map { _ in 1 } + shape)
    }
    return try writer.finish()
  }

  /// Writes a list of points, which may be of several variables and irregular in place and error.
  @discardableResult
  public static func write(
    points series: ObservationSeries, to path: String, layout: CircleLayout, provenance: Provenance
  ) throws(ArchiveError) -> UInt64 {
    var (times, places, values, variances): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    var names: [String] = []
    let coordinates = layout.grid.coordinates
    for (time, observations) in zip(series.times, series.observations) {
      for i in 0..<observations.count {
        let (v, cell) = layout.place(of: observations.elements[i])
        times.append(time)
        places.append(coordinates[cell])
        names.append(layout.variables[v].name)
      }
      values += observations.values
      variances += observations.errorVariances
    }
    let writer = try DatasetWriter(path: path, provenance: provenance)
    try writer.set(Attribute("featureType", "point"))
    let obs = try writer.dimension("obs", length: values.count)
    func column(_ name: String, _ longName: String, _ data: [Double], _ more: [Attribute]) throws(ArchiveError) {
      let attributes = [Attribute("long_name", longName), Attribute("units", "1")] + more
      try writer.write(data, to: try writer.variable(name, over: [obs], attributes: attributes))
    }
    try column("time", "time in the model's unit", times, [Attribute("axis", "T")])
    try column("x", "distance along the circle, in the model's unit of length", places, [Attribute("axis", "X")])
    try writer.write(
      texts: names, as: "variable", over: obs, attributes: [Attribute("long_name", "name of the observed variable")])
    let place = [Attribute("coordinates", "time x variable")]
    try column("value", "observed value", values, place)
    try column("error_variance", "variance of the observation error", variances, place)
    return try writer.finish()
  }
}
