public import DaunceState

/// Observations of several times; missing ones are left out.
public struct ObservationSeries: Sendable, Hashable {
  /// Times in the model's unit, ascending (`[time]`).
  public var times: [Double]
  /// Observations of each time; a time may have none (`[time]`).
  public var observations: [ElementObservations]

  public init(times: [Double], observations: [ElementObservations]) {
    precondition(times.count == observations.count)
    self.times = times
    self.observations = observations
  }

  /// Number of observations of all times.
  public var count: Int { observations.reduce(0) { $0 + $1.count } }
}

/// Observations: as fields on the grid, or as a list of points.
///
/// Fields, one or more of the model's variables, NaN or fill value where missing, with the error variance as an
/// attribute or as a variable of the same shape; several truths' along a leading dimension `truth`:
///
///     dimensions:
///       time = 400 ; x = 64 ;
///     variables:
///       double time(time) ;  double x(x) ;
///       double a(time, x) ;  a:error_variance = 0.0063 ;
///     or
///       double a(time, x) ;  double a_error_variance(time, x) ;
///
/// Points, at the centres of cells:
///
///     dimensions:
///       obs = 1000 ;
///     variables:
///       double time(obs) ;  double x(obs) ;  string variable(obs) ;  (or char variable(obs, n))
///       double value(obs) ;  double error_variance(obs) ;
public enum ObservationFile {
  /// Reads either form. `truth`: whose observations, in a file of several (from 0).
  ///
  /// Throws if a name is not one of the layout's variables, if the grid is another one, if times do not ascend, if the
  /// variance of an observation is missing or not positive, or if all observations are missing.
  public static func read(
    _ path: String, layout: StateLayout, truth: Int = 0
  ) throws(ArchiveError) -> ObservationSeries {
    let reader = try DatasetReader(path: path)
    let isList = reader.dimensions.contains { $0.name == "obs" }
    let series = try isList ? points(reader, layout) : fields(reader, layout, truth)
    guard series.count > 0 else {
      throw ArchiveError(
        .noObservations, path: path, found: "no observation that is not missing", expected: "at least one")
    }
    return series
  }

  /// Number of truths whose observations are in a file.
  public static func count(in path: String) throws(ArchiveError) -> Int {
    try DatasetReader(path: path).truthCount(choosing: nil) ?? 1
  }

  // MARK: Fields

  static let suffix = "_error_variance"

  private static func fields(
    _ reader: DatasetReader, _ layout: StateLayout, _ truth: Int
  ) throws(ArchiveError) -> ObservationSeries {
    _ = try reader.truthCount(choosing: truth)
    let observed = try observedVariables(reader, layout)
    try reader.checkGrids(layout)
    let times = try reader.times()
    var collected = [ElementObservations](
      repeating: ElementObservations(elements: [], values: [], errorVariances: []), count: times.count)
    for v in observed {
      let (name, grid, offset) = (layout.fields[v].name, layout.grid(v), layout.offsets[v])
      let cells = grid.cells
      let values = try reader.series(name, truth: truth, times: times.count, grid: grid)
      let variances = try errorVariances(reader, name, truth: truth, times: times.count, grid: grid)
      for (i, value) in values.enumerated() where !value.isNaN {
        let place = "at time \(i / cells), x \(i % cells)"
        try check(value: value, place, variable: name, reader)
        let variance = variances.count == 1 ? variances[0] : variances[i]
        let object = variances.count == 1 ? "attribute error_variance of \(name)" : "variable \(name)\(suffix)"
        try check(variance: variance, variances.count == 1 ? "" : place, object, reader)
        collected[i / cells].append(element: offset + i % cells, value: value, errorVariance: variance)
      }
    }
    return ObservationSeries(times: times, observations: collected)
  }

  /// Variables of the layout that the file observes, in the layout's order. A field on the grid that is none of them is
  /// refused: left out silently, a misspelt name would be an experiment without these observations.
  private static func observedVariables(
    _ reader: DatasetReader, _ layout: StateLayout
  ) throws(ArchiveError) -> [Int] {
    let known = layout.fields.map(\.name)
    for variable in reader.variables where Array(variable.dimensions.suffix(2)) == ["time", "x"] {
      let name = variable.name
      if known.contains(name) { continue }
      if name.hasSuffix(suffix), reader.find(String(name.dropLast(suffix.count))) != nil { continue }
      throw ArchiveError(
        .unknownVariable, path: reader.path, object: "variable \(name)",
        found: "a variable that the model does not have",
        expected: "one of \(known.joined(separator: ", ")), or \(known[0])\(suffix) beside \(known[0])")
    }
    let observed = known.indices.filter { reader.find(known[$0]) != nil }
    guard !observed.isEmpty else {
      throw ArchiveError(
        .missingVariable, path: reader.path,
        found: "none of the model's variables (variables: \(reader.variables.map(\.name).joined(separator: ", ")))",
        expected: "one of \(known.joined(separator: ", ")) over (time, x), or a list along a dimension obs")
    }
    return observed
  }

  /// One variance for all, or one for each observation.
  private static func errorVariances(
    _ reader: DatasetReader, _ name: String, truth: Int, times: Int, grid: Grid
  ) throws(ArchiveError) -> [Double] {
    let single = try reader.number("error_variance", of: name)
    let hasField = reader.find(name + suffix) != nil
    switch (single, hasField) {
    case (let variance?, false): return [variance]
    case (nil, true):
      return try reader.series(name + suffix, truth: truth, times: times, grid: grid)
    case (nil, false):
      throw ArchiveError(
        .missingAttribute, path: reader.path, object: "variable \(name)", found: "no error variance",
        expected: "an attribute error_variance, or a variable \(name)\(suffix) of the same shape")
    case (_?, true):
      throw ArchiveError(
        .contradiction, path: reader.path, object: "variable \(name)",
        found: "both an attribute error_variance and a variable \(name)\(suffix)", expected: "one of them")
    }
  }

  private static func check(
    value: Double, _ place: String, variable: String, _ reader: DatasetReader
  ) throws(ArchiveError) {
    guard value.isFinite else {
      throw ArchiveError(
        .notFinite, path: reader.path, object: "variable \(variable)", found: "\(value) \(place)",
        expected: "a finite number, or NaN where missing")
    }
  }

  private static func check(
    variance: Double, _ place: String, _ object: String, _ reader: DatasetReader
  ) throws(ArchiveError) {
    guard variance > 0, variance.isFinite else {
      throw ArchiveError(
        .badVariance, path: reader.path, object: object, found: place.isEmpty ? "\(variance)" : "\(variance) \(place)",
        expected: "a positive, finite variance")
    }
  }

  // MARK: Points

  private static func points(
    _ reader: DatasetReader, _ layout: StateLayout
  ) throws(ArchiveError) -> ObservationSeries {
    let count = try reader.length(of: "obs")
    func column(_ name: String) throws(ArchiveError) -> [Double] {
      try reader.variable(name, over: [("obs", count)])
      return try reader.field(name)
    }
    let times = try column("time")
    try reader.checkAscending(times, strictly: false)
    let (places, values, variances) = (try column("x"), try column("value"), try column("error_variance"))
    guard try reader.variable("variable").dimensions.first == "obs" else {
      throw ArchiveError(
        .wrongDimensions, path: reader.path, object: "variable variable", found: "other dimensions",
        expected: "(obs) of strings or (obs, n) of characters")
    }
    let names = try reader.texts("variable")
    guard names.count == count else {
      throw ArchiveError(
        .wrongSize, path: reader.path, object: "variable variable", found: "\(names.count) names", expected: "\(count)")
    }
    var series = ObservationSeries(times: [], observations: [])
    var current: [(element: Int, index: Int)] = []
    for i in 0..<count where !values[i].isNaN {
      try check(value: values[i], "at obs \(i)", variable: "value", reader)
      try check(variance: variances[i], "at obs \(i)", "variable error_variance", reader)
      let element = try element(of: names[i], at: places[i], observation: i, layout, reader)
      if let time = series.times.last, time == times[i] {
        current.append((element, i))
      } else {
        close()
        series.times.append(times[i])
        current = [(element, i)]
      }
    }
    close()
    return series

    /// Sorts the observations of one time by element; those of one element stay in the file's order.
    func close() {
      guard !current.isEmpty else { return }
      var sorted = ElementObservations(elements: [], values: [], errorVariances: [])
      for (element, i) in current.sorted(by: { ($0.element, $0.index) < ($1.element, $1.index) }) {
        sorted.append(element: element, value: values[i], errorVariance: variances[i])
      }
      series.observations.append(sorted)
    }
  }

  /// The state element that a point observes. It has to lie within 1e-6 of a cell's width from the cell's centre, for
  /// observations between cells would need an interpolation that this file does not describe.
  private static func element(
    of name: String, at place: Double, observation: Int, _ layout: StateLayout, _ reader: DatasetReader
  ) throws(ArchiveError) -> Int {
    guard let v = layout.fieldIndex(name) else {
      throw ArchiveError(
        .unknownVariable, path: reader.path, object: "variable variable", found: "\"\(name)\" at obs \(observation)",
        expected: "one of \(layout.fields.map(\.name).joined(separator: ", "))")
    }
    let (cells, length) = (layout.range(v).count, layout.geometry.axes.first?.period ?? 1)
    let position = place / length * Double(cells)
    let nearest = position.rounded()
    guard abs(position - nearest) <= 1e-6, abs(nearest) < 0x1p53 else {
      throw ArchiveError(
        .wrongPosition, path: reader.path, object: "variable x", found: "\(place) at obs \(observation)",
        expected: "the centre of a cell, a multiple of \(length / Double(cells))")
    }
    return layout.offsets[v] + (Int(nearest) % cells + cells) % cells
  }
}

extension ElementObservations {
  fileprivate mutating func append(element: Int, value: Double, errorVariance: Double) {
    elements.append(element)
    values.append(value)
    errorVariances.append(errorVariance)
  }
}
