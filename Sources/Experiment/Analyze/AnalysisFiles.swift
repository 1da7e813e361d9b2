import DaunceArchive
import DaunceObservations
import DaunceState

/// `observations.nc` of an analysis: places, values, flags, every member's h(x) before and after.
enum AnalyzedObservationsFile {
  static func write(
    _ observations: MatchedObservations, flags: [QualityFlag], outcome: AnalysisOutcome, layout: StateLayout,
    members: Int, to path: String, provenance: Provenance
  ) throws(ArchiveError) {
    let file = try DatasetWriter(path: path, provenance: provenance)
    let count = observations.count
    let along = try file.dimension("obs", length: count)
    let member = try file.dimension("member", length: members)
    let number = try file.variable(
      "member", of: Int32.self, over: [member],
      attributes: [Attribute("standard_name", "realization"), Attribute("units", "1")])
    try file.write((0..<members).map { Int32($0) }, to: number)
    try file.write(
      texts: observations.kind.map { observations.kinds[Int($0)] }, as: "variable", over: along,
      attributes: [Attribute("long_name", "what was observed")])
    for (axis, one) in layout.geometry.axes.enumerated() {
      try column(
        one.name, observations.places.map { $0.coordinates[axis] }, "coordinate of the observation", one.units, along, file)
    }
    if observations.times.contains(where: { $0.isFinite }) {
      let units = observations.tables.first { !$0.timeUnits.isEmpty }?.timeUnits ?? "1"
      try column("time", observations.times, "time of the observation", units, along, file)
    }
    try column("value", observations.values, "observed value", nil, along, file)
    try column("error_variance", observations.errorVariances, "error variance of the value", nil, along, file)
    let flag = try file.variable(
      "flag", of: Int64.self, over: [along],
      attributes: [
        Attribute("long_name", "whether the observation was used, and why not"), Attribute("units", "1"),
        Attribute("flag_values", .integers(QualityFlag.allCases.map { Int64($0.rawValue) })),
        Attribute("flag_meanings", QualityFlag.allCases.map(\.name).joined(separator: " ")),
      ])
    try file.write(flags.map { Int64($0.rawValue) }, to: flag)
    for (name, words, values) in [
      ("forecast", "forecast", outcome.forecastValues), ("analysis", "analysis", outcome.analysisValues),
    ] {
      let spread = try Spread(values, candidates: observations.candidates, count: count, members: members)
      try column("hx_\(name)_mean", spread.mean, "ensemble mean of h(x) of the \(words)", nil, along, file)
      try column("hx_\(name)_variance", spread.variance, "ensemble variance of h(x) of the \(words)", nil, along, file)
      let variable = try file.variable(
        "hx_\(name)", over: [member, along],
        attributes: [Attribute("long_name", "h(x) of every member of the \(words)")])
      try file.write(spread.all, to: variable)
    }
    try file.finish()
  }

  private static func column(
    _ name: String, _ values: [Double], _ longName: String, _ units: String?, _ along: DatasetWriter.Dimension,
    _ file: DatasetWriter
  ) throws(ArchiveError) {
    let unit = units.map { [Attribute("units", $0)] } ?? []
    let variable = try file.variable(name, over: [along], attributes: [Attribute("long_name", longName)] + unit)
    try file.write(values, to: variable)
  }

  /// Values of candidates at their places among all observations, not a number elsewhere.
  private struct Spread {
    var all: [Double]
    var mean: [Double]
    var variance: [Double]

    init(_ values: [Double], candidates: [Int], count: Int, members: Int) throws(ArchiveError) {
      all = [Double](repeating: .nan, count: members * count)
      mean = [Double](repeating: .nan, count: count)
      variance = mean
      var column = [Double](repeating: 0, count: members)
      for (k, observation) in candidates.enumerated() {
        for m in 0..<members {
          column[m] = values[m * candidates.count + k]
          all[m * count + observation] = column[m]
        }
        (mean[observation], variance[observation]) = AnalysisRun.moments(column)
      }
    }
  }
}

/// `increments.nc` of an analysis: mean increment and spread of each field.
enum IncrementsFile {
  static func write(
    increment: [Float], forecastSpread: [Float], analysisSpread: [Float], layout: StateLayout, to path: String,
    provenance: Provenance
  ) throws(ArchiveError) {
    let file = try DatasetWriter(path: path, provenance: provenance)
    var dimensions: [String: DatasetWriter.Dimension] = [:]
    for (number, field) in layout.fields.enumerated() {
      var over: [DatasetWriter.Dimension] = []
      for dimension in layout.grid(number).dimensions {
        if dimensions[dimension.name] == nil {
          let made = try file.dimension(dimension.name, length: dimension.length)
          dimensions[dimension.name] = made
          if let axis = dimension.axis {
            let coordinate = try file.variable(
              dimension.name, over: [made],
              attributes: [
                Attribute("long_name", layout.geometry.axes[axis].name),
                Attribute("units", layout.geometry.axes[axis].units),
              ])
            try file.write(dimension.coordinates, to: coordinate)
          }
        }
        if let known = dimensions[dimension.name] { over.append(known) }
      }
      let range = layout.range(number)
      for (suffix, words, values) in [
        ("increment", "analysis minus forecast of the ensemble mean of", increment),
        ("spread_forecast", "forecast spread of", forecastSpread),
        ("spread_analysis", "analysis spread of", analysisSpread),
      ] {
        let variable = try file.variable(
          "\(field.name)_\(suffix)", of: Float.self, over: over,
          attributes: [Attribute("long_name", "\(words) \(field.longName)"), Attribute("units", field.units)])
        try file.write(Array(values[range]), to: variable)
      }
    }
    try file.finish()
  }
}
