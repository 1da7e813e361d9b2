/// Scores of several methods on several truths, one by one, so that others can average, compare in pairs and give
/// standard errors. NaN where a method failed.
///
///     dimensions:
///       method = 4 ; truth = 8 ; field = 5 ; variable = 4 ; rank = 11 ; bound = 2 ;
///     variables:
///       char method_name(method, ...) ;  char field_name(field, ...) ;  char variable_name(variable, ...) ;
///       int64 seeds(truth) ;  double energy_band(bound) ;
///       double rmse(method, truth, field) ; ... normalised_rmse, correlation, error, spread
///       double crps(method, truth, variable) ;  int64 rank_histogram(method, truth, variable, rank) ;
///       double energy_in_band(method, truth) ;  int64 failure_cycle(method, truth) ;  int64 members(method) ;
public struct ScoresFile: Sendable, Hashable {
  /// One score of every method and truth: of each field, or of each variable.
  public struct Score: Sendable, Hashable {
    public let name: String
    public let longName: String
    /// `[method][truth][field]` or `[method][truth][variable]`.
    public var values: [Double]

    /// - Parameters:
    ///   - name: as in files.
    ///   - values: `[method][truth][field]` or `[method][truth][variable]`.
    public init(_ name: String, _ longName: String, _ values: [Double]) {
      self.name = name
      self.longName = longName
      self.values = values
    }
  }

  public var methods: [String]
  public var seeds: [UInt64]
  /// Variables, then derived fields.
  public var fields: [String]
  /// How many of the fields are variables.
  public var variableCount: Int
  /// Members of each method.
  public var members: [Int]
  /// Cycles that are left out at each truth's start.
  public var spinUpCycles: Int
  public var fieldScores: [Score] = []
  public var variableScores: [Score] = []
  /// `[method][truth][variable][rank]`, with as many ranks as the largest ensemble has; those beyond a method's own
  /// members are 0.
  public var rankHistogram: [Int64] = []
  /// `[method][truth]`.
  public var energyInBand: [Double] = []
  /// Cycle at which a method failed, 0 if it did not (`[method][truth]`).
  public var failureCycle: [Int64] = []
  /// Lower and upper end of the energy band and the name of its energy; empty without one.
  public var band: [Double] = []
  public var energy = ""

  /// Scores of methods on truths, without any value yet.
  ///
  /// - Parameters:
  ///   - seeds: of the truths.
  ///   - variableCount: how many of `fields`, the first ones, are variables; the others are derived.
  ///   - members: of each method (`[method]`).
  public init(
    methods: [String], seeds: [UInt64], fields: [String], variableCount: Int, members: [Int], spinUpCycles: Int
  ) {
    self.methods = methods
    self.seeds = seeds
    self.fields = fields
    self.variableCount = variableCount
    self.members = members
    self.spinUpCycles = spinUpCycles
  }

  /// Writes the file. Throws if a score has not one value for each method, truth and field.
  @discardableResult
  public func write(to path: String, provenance: Provenance) throws(ArchiveError) -> UInt64 {
    let writer = try DatasetWriter(path: path, provenance: provenance)
    try writer.set(Attribute("spinup_cycles", spinUpCycles))
    func named(_ name: String, _ texts: [String], _ longName: String) throws(ArchiveError) -> DatasetWriter.Dimension {
      let dimension = try writer.dimension(name, length: texts.count)
      try writer.write(
        texts: texts, as: "\(name)_name", over: dimension, attributes: [Attribute("long_name", longName)])
      return dimension
    }
    func notes(_ longName: String, _ coordinates: String) -> [Attribute] {
      [Attribute("long_name", longName), Attribute("units", "1"), Attribute("coordinates", coordinates)]
    }
    let method = try named("method", methods, "method of assimilation")
    let truth = try writer.defineTruths(seeds)
    let field = try named("field", fields, "variable or derived field")
    let variable = try named("variable", Array(fields.prefix(variableCount)), "variable of the model")
    for (scores, last) in [(fieldScores, field), (variableScores, variable)] {
      for score in scores {
        try writer.write(
          score.values,
          to: writer.variable(
            score.name, over: [method, truth, last],
            attributes: notes(score.longName, "method_name \(last.name)_name")))
      }
    }
    let rank = try writer.dimension("rank", length: (members.max() ?? 0) + 1)
    try writer.write(
      members.map { Int64($0) },
      to: writer.variable(
        "members", of: Int64.self, over: [method], attributes: notes("ensemble members", "method_name")))
    try writer.write(
      rankHistogram,
      to: writer.variable(
        "rank_histogram", of: Int64.self, over: [method, truth, variable, rank],
        attributes: notes("how often this many members were below the truth", "method_name variable_name")))
    try writer.write(
      energyInBand,
      to: writer.variable(
        "energy_in_band", over: [method, truth],
        attributes: notes("share of member-cycles with their energy in the band", "method_name")))
    try writer.write(
      failureCycle,
      to: writer.variable(
        "failure_cycle", of: Int64.self, over: [method, truth],
        attributes: notes("cycle at which the method failed, 0 if it did not", "method_name")))
    if !band.isEmpty {
      let bound = try writer.dimension("bound", length: 2)
      try writer.write(
        band,
        to: writer.variable(
          "energy_band", over: [bound],
          attributes: [
            Attribute("long_name", "lower and upper end of the energy band"), Attribute("units", "1"),
            Attribute("form", energy),
          ]))
    }
    return try writer.finish()
  }
}
