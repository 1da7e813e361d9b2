/// Predictive laws of a table's rows by several methods.
///
///     dimensions:
///       method = 3 ; case = 100 ; output = 1 ; draw = 1000 ; probability = 9 ;
///     variables:
///       char method_name(method, ...) ;  char output_name(output, ...) ;
///       double mean(method, case, output) ;  double variance(method, case, output) ;
///       double quantile(method, case, output, probability) ;  double sample(method, case, output, draw) ;
///
/// Methods with fewer samples than the longest have missing ones at the end.
public struct ComparisonFile: Sendable {
  public var outputs: [(name: String, units: String)]
  public var probabilities: [Double]
  /// A method's laws.
  public struct Method: Sendable {
    public var name: String
    /// `[case][output]`.
    public var mean, variance: [Double]
    /// `[case][output][probability]`.
    public var quantile: [Double]
    /// `[case][output][draw]`, with `draws` samples each.
    public var sample: [Double]
    public var draws: Int

    /// A method's laws; see the properties.
    public init(name: String, mean: [Double], variance: [Double], quantile: [Double], sample: [Double], draws: Int) {
      (self.name, self.mean, self.variance, self.quantile) = (name, mean, variance, quantile)
      (self.sample, self.draws) = (sample, draws)
    }
  }
  public var methods: [Method]

  /// A file of these methods' laws.
  public init(outputs: [(name: String, units: String)], probabilities: [Double], methods: [Method]) {
    (self.outputs, self.probabilities, self.methods) = (outputs, probabilities, methods)
  }

  /// Writes the file. Throws if a part has not the size that the others ask for.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    let method = try writer.dimension("method", length: methods.count)
    let count = methods.first?.mean.count ?? 0
    let cases = try writer.dimension("case", length: count / max(1, outputs.count))
    let output = try writer.dimension("output", length: outputs.count)
    let probability = try writer.dimension("probability", length: probabilities.count)
    let draws = methods.map(\.draws).max() ?? 0
    let draw = try writer.dimension("draw", length: draws)
    try writer.write(
      texts: methods.map(\.name), as: "method_name", over: method, attributes: [Attribute("long_name", "method")])
    try writer.write(
      texts: outputs.map(\.name), as: "output_name", over: output, attributes: [Attribute("long_name", "output")])
    try writer.write(
      probabilities,
      to: writer.variable(
        "probability", over: [probability],
        attributes: [Attribute("long_name", "probability of a smaller value"), Attribute("units", "1")]))
    func put(
      _ name: String, _ words: String, over: [DatasetWriter.Dimension], _ values: (Method) -> [Double]
    ) throws(ArchiveError) {
      try writer.write(
        methods.flatMap(values),
        to: writer.variable(
          name, over: [method] + over,
          attributes: [Attribute("long_name", words), Attribute("coordinates", "method_name output_name")]))
    }
    try put("mean", "mean of the predictive law", over: [cases, output]) { $0.mean }
    try put("variance", "variance of the predictive law", over: [cases, output]) { $0.variance }
    try put("quantile", "quantile of the predictive law", over: [cases, output, probability]) { $0.quantile }
    try put("sample", "sample of the predictive law", over: [cases, output, draw]) { own in
      var padded: [Double] = []
      for k in 0..<count {
        padded += own.sample[k * own.draws..<(k + 1) * own.draws]
        padded += [Double](repeating: .nan, count: draws - own.draws)
      }
      return padded
    }
    return try writer.finish()
  }
}
