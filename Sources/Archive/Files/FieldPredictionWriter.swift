public import DaunceState

/// What a file of predicted fields holds.
///
///     dimensions:
///       source = 5 ; truth = 10 ; time = 450 ; x = 64 ; probability = 9 ; draw = 10 ;   (truth only for runs over several truths)
///     variables:
///       char source_name(source, ...) ;  double probability(probability) ;
///       int64 seeds(truth) ;  double time(time) ;  double x(x) ;
///       float K_mean(truth, time, x) ;  float K_variance(truth, time, x) ;
///       float K_variance_by_source(source, truth, time, x) ;  float K_interaction(truth, time, x) ;
///       float K_quantile(truth, time, x, probability) ;  float K_sample(truth, time, x, draw) ;
///       float K_truth(truth, time, x) ;  where there is one
///
/// and so on for every field. Numbers are in the fields' own units or their squares.
public struct FieldPredictionContents: Sendable, Hashable {
  public var layout: StateLayout
  /// Names of the sources, in their order.
  public var sources: [String]
  public var probabilities: [Double]
  /// Samples of every prediction.
  public var samples: Int
  /// In the model's unit, the same for every truth.
  public var times: [Double]
  /// Seeds of the truths; `nil` for a file without the dimension `truth`, which has no truth.
  public var truthSeeds: [UInt64]?
  /// How times stand in the file.
  public var clock = ModelClock()

  /// The contents that the properties show.
  public init(
    layout: StateLayout, sources: [String], probabilities: [Double], samples: Int, times: [Double], truthSeeds: [UInt64]?,
    clock: ModelClock = ModelClock()
  ) {
    (self.layout, self.sources, self.probabilities, self.samples) = (layout, sources, probabilities, samples)
    (self.times, self.truthSeeds, self.clock) = (times, truthSeeds, clock)
  }
}

/// Predictive laws of all elements of a state at one time.
public struct FieldPredictionRecord: Sendable, Hashable {
  /// `[element]`; the truth may be empty.
  public var mean, variance, interaction, truth: [Float]
  /// `[source][element]`, `[element][probability]` and `[element][draw]`.
  public var bySource, quantile, sample: [Float]

  /// All zero, for a file of these contents.
  public init(for contents: FieldPredictionContents) {
    let count = contents.layout.count
    func zeros(_ each: Int) -> [Float] { [Float](repeating: 0, count: count * each) }
    (mean, variance, interaction) = (zeros(1), zeros(1), zeros(1))
    truth = contents.truthSeeds == nil ? [] : zeros(1)
    bySource = zeros(contents.sources.count)
    quantile = zeros(contents.probabilities.count)
    sample = zeros(contents.samples)
  }
}

/// Writes predicted fields time by time. The file is built in memory and appears when it is complete.
public final class FieldPredictionWriter {
  private let contents: FieldPredictionContents
  private let writer: DatasetWriter
  private typealias Variable = DatasetWriter.Variable<Float>
  private var fields: [(mean: Variable, variance: Variable, bySource: Variable, interaction: Variable, quantile: Variable, sample: Variable, truth: Variable?)] = []

  /// Starts the file. Throws if the folder is missing or cannot be written to.
  public init(path: String, contents: FieldPredictionContents, provenance: Provenance) throws(ArchiveError) {
    self.contents = contents
    writer = try DatasetWriter(path: path, provenance: provenance)
    var outer: [DatasetWriter.Dimension] = []
    if let seeds = contents.truthSeeds { outer = [try writer.defineTruths(seeds)] }
    let (time, times) = try writer.defineTime(contents.times.count, clock: contents.clock)
    try writer.write(contents.times.map { contents.clock.stored($0) }, to: times)
    outer.append(time)
    let grids = try writer.defineGrids(contents.layout)
    let source = try writer.dimension("source", length: contents.sources.count)
    try writer.write(
      texts: contents.sources, as: "source_name", over: source, attributes: [Attribute("long_name", "source of uncertainty")])
    let probability = try writer.dimension("probability", length: contents.probabilities.count)
    try writer.write(
      contents.probabilities,
      to: writer.variable(
        "probability", over: [probability],
        attributes: [Attribute("long_name", "probability of a smaller value"), Attribute("units", "1")]))
    let draw = try writer.dimension("draw", length: contents.samples)
    for field in contents.layout.fields {
      let own = outer + grids[field.grid]
      func define(
        _ name: String, _ words: String, _ dimensions: [DatasetWriter.Dimension]
      ) throws(ArchiveError) -> Variable {
        try writer.variable("\(field.name)_\(name)", of: Float.self, over: dimensions, attributes: field.attributes(words))
      }
      func square(
        _ name: String, _ words: String, _ dimensions: [DatasetWriter.Dimension]
      ) throws(ArchiveError) -> Variable {
        let notes = [Attribute("long_name", "\(field.name), \(words)"), Attribute("units", "\(field.units == "1" ? "1" : "(\(field.units))2")")]
        return try writer.variable("\(field.name)_\(name)", of: Float.self, over: dimensions, attributes: notes)
      }
      fields.append(
        (
          try define("mean", "mean of the predictive law", own), try square("variance", "variance of the predictive law", own),
          try square("variance_by_source", "variance that a source makes by itself", [source] + own),
          try square("interaction", "variance that several sources make together", own),
          try define("quantile", "quantile of the predictive law", own + [probability]),
          try define("sample", "sample of the predictive law; all values of a draw belong together", own + [draw]),
          contents.truthSeeds == nil ? nil : try define("truth", "truth", own)
        ))
    }
  }

  /// Adds the predictions of a time.
  ///
  /// - Parameters:
  ///   - time: its number.
  ///   - truth: its number, 0 in a file without that dimension.
  public func add(_ record: FieldPredictionRecord, time: Int, truth: Int) throws(ArchiveError) {
    let layout = contents.layout
    let outer = contents.truthSeeds == nil ? [time] : [truth, time]
    for (v, own) in fields.enumerated() {
      let range = layout.range(v)
      let shape = layout.grids[layout.fields[v].grid].dimensions.map(\.length)
      let (start, count) = (outer + shape.map { _ in 0 }, outer.map { _ in 1 } + shape)
      func put(_ values: [Float], _ variable: Variable, each: Int? = nil) throws(ArchiveError) {
        let width = each ?? 1
        let part = Array(values[range.lowerBound * width..<range.upperBound * width])
        try writer.write(
          part, to: variable, start: start + (each == nil ? [] : [0]), count: count + (each.map { [$0] } ?? []))
      }
      try put(record.mean, own.mean)
      try put(record.variance, own.variance)
      try put(record.interaction, own.interaction)
      try put(record.quantile, own.quantile, each: contents.probabilities.count)
      try put(record.sample, own.sample, each: contents.samples)
      if let truth = own.truth { try put(record.truth, truth) }
      for s in contents.sources.indices {
        let first = s * layout.count
        try writer.write(
          Array(record.bySource[first + range.lowerBound..<first + range.upperBound]), to: own.bySource,
          start: [s] + start, count: [1] + count)
      }
    }
  }

  /// Completes the file.
  public func finish() throws(ArchiveError) { try writer.finish() }
}
