/// Predictive laws of a table's rows.
///
///     dimensions:
///       case = 100 ; output = 1 ; source = 5 ; probability = 9 ; draw = 1000 ; point = 101 ;
///     variables:
///       char output_name(output, ...) ;  char source_name(source, ...) ;  double probability(probability) ;
///       double mean(case, output) ;  double variance(case, output) ;
///       double variance_by_source(source, case, output) ;  double interaction(case, output) ;
///       double quantile(case, output, probability) ;  double sample(case, output, draw) ;
///       double value(case, output, point) ;  double pdf(case, output, point) ;
///       double NAME(case) ;  of every input
///
/// All numbers are in the outputs' own units or their squares.
public struct PredictionFile: Sendable {
  /// Names and units, in the order of `output`.
  public var outputs: [(name: String, units: String)]
  /// Inputs with their values by case.
  public var inputs: [(name: String, units: String, values: [Double])]
  /// Names in the order of `source`; empty where the variance is not taken apart.
  public var sources: [String]
  public var probabilities: [Double]
  /// `[case][output]`.
  public var mean: [Double] = []
  public var variance: [Double] = []
  /// `[source][case][output]`, and `[case][output]`.
  public var varianceBySource: [Double] = []
  public var interaction: [Double] = []
  /// `[case][output][probability]`.
  public var quantile: [Double] = []
  /// `[case][output][draw]`.
  public var sample: [Double] = []
  /// `[case][output][point]`.
  public var value: [Double] = []
  public var density: [Double] = []

  /// A file of these outputs, with nothing in it yet.
  public init(
    outputs: [(name: String, units: String)], inputs: [(name: String, units: String, values: [Double])],
    sources: [String], probabilities: [Double]
  ) {
    (self.outputs, self.inputs, self.sources, self.probabilities) = (outputs, inputs, sources, probabilities)
  }

  /// Writes the file. Throws if a part has not the size that the others ask for.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let count = mean.count
    let cases = try writer.dimension("case", length: count / max(1, outputs.count))
    let output = try writer.dimension("output", length: outputs.count)
    try writer.write(
      texts: outputs.map(\.name), as: "output_name", over: output, attributes: [Attribute("long_name", "output")])
    try writer.write(
      texts: outputs.map(\.units), as: "output_units", over: output,
      attributes: [Attribute("long_name", "unit of the output; variances are in its square")])
    for input in inputs {
      // A name may be one of the file's own.
      let name = Self.ownNames.contains(input.name) ? "input_\(input.name)" : input.name
      try writer.write(
        input.values,
        to: writer.variable(
          name, over: [cases],
          attributes: [Attribute("long_name", "input \(input.name)"), Attribute("units", input.units.isEmpty ? "1" : input.units)]))
    }
    func put(_ values: [Double], _ name: String, _ words: String, over: [DatasetWriter.Dimension]) throws(ArchiveError) {
      try writer.write(
        values,
        to: writer.variable(
          name, over: over, attributes: [Attribute("long_name", words), Attribute("coordinates", "output_name")]))
    }
    try put(mean, "mean", "mean of the predictive law", over: [cases, output])
    try put(variance, "variance", "variance of the predictive law", over: [cases, output])
    if !sources.isEmpty {
      let source = try writer.dimension("source", length: sources.count)
      try writer.write(
        texts: sources, as: "source_name", over: source, attributes: [Attribute("long_name", "source of uncertainty")])
      try put(
        varianceBySource, "variance_by_source", "variance that a source makes by itself", over: [source, cases, output])
      try put(
        interaction, "interaction", "variance less the sum of the sources' own, made by several together",
        over: [cases, output])
    }
    let probability = try writer.dimension("probability", length: probabilities.count)
    try writer.write(
      probabilities,
      to: writer.variable(
        "probability", over: [probability],
        attributes: [Attribute("long_name", "probability of a smaller value"), Attribute("units", "1")]))
    try put(quantile, "quantile", "quantile of the predictive law", over: [cases, output, probability])
    let draw = try writer.dimension("draw", length: sample.count / max(1, count))
    try put(sample, "sample", "sample of the predictive law; a draw's outputs belong together", over: [cases, output, draw])
    let point = try writer.dimension("point", length: value.count / max(1, count))
    try put(value, "value", "value that the density is of", over: [cases, output, point])
    try put(density, "pdf", "probability density, over the output's unit", over: [cases, output, point])
    return try writer.finish()
  }

  private static let ownNames: Set<String> = [
    "case", "output", "source", "probability", "draw", "point", "output_name", "output_units", "source_name", "mean", "variance",
    "variance_by_source", "interaction", "quantile", "sample", "value", "pdf",
  ]
}
