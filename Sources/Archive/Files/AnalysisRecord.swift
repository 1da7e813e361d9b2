public import DaunceState

/// What an analysis file of one method holds.
///
///     dimensions:
///       truth = 8 ; time = 400 ; member = 10 ; x = 64 ;         (truth only for runs over several truths)
///     variables:
///       int64 seeds(truth) ;  double time(time) ;  int member(member) ;  double x(x) ;
///       double K_mean(truth, time, x) ;  double K_spread(truth, time, x) ; ... MJO_mean, MJO_spread
///       double energy(truth, time, member) ;
///       double min_a(truth, time) ;                               for each variable with a lower bound
///       double multiplier(truth, time, member, constraint) ;      when asked
///       double covariance(truth, time, state, state_2) ;          when asked
///       double K_mean_weighted(truth, time, x) ;  double K_spread_weighted(truth, time, x) ; ...      for agents with
///       double K_quantile(truth, time, x, probability) ;  double K_quantile_weighted(...) ; ...       importance weights
///       double weight(member) ;  double probability(probability) ;
///       double covariance_weighted(truth, time, state, state_2) ;                                     when asked
///       double K(truth, time, member, x) ; ...                    when asked
///       double member_status(truth, time, member) ;               for programs, and where failures don't end a job
///
/// No times of day and no durations are in it: two runs with one configuration write the same bytes.
public struct AnalysisContents: Sendable, Hashable {
  public var layout: StateLayout
  /// Names of derived fields with mean and spread.
  public var diagnostics: [String]
  public var memberCount: Int
  /// Number of analysis times; `nil` if it is not known beforehand, which makes `time` a growing dimension.
  public var cycles: Int?
  /// Seeds of the truths of a run; `nil` for a file without the dimension `truth`.
  public var truthSeeds: [UInt64]?
  /// Names of the constraints whose multipliers are kept; empty for none.
  public var constraints: [String] = []
  public var keepsMembers = false
  public var keepsCovariance = false
  /// Whether it is kept what became of members' forecasts.
  public var keepsStatus = false
  /// Importance weights of the members; empty for none.
  public var weights: [Double] = []
  /// Probabilities of the members' quantiles, which are kept where there are weights.
  public static let probabilities = [0.1, 0.25, 0.5, 0.75, 0.9]
  /// How times stand in the file.
  public var clock = ModelClock()

  /// A layout for analyses of `memberCount` members; see the properties.
  public init(
    layout: StateLayout, diagnostics: [String], memberCount: Int, cycles: Int? = nil, truthSeeds: [UInt64]? = nil
  ) {
    self.layout = layout
    self.diagnostics = diagnostics
    self.memberCount = memberCount
    self.cycles = cycles
    self.truthSeeds = truthSeeds
  }

  /// Numbers of the variables that have a lower bound, whose smallest value is recorded.
  var bounded: [Int] { layout.fields.indices.filter { layout.fields[$0].lowerBound != nil } }
}

/// What one cycle adds to an analysis file. Made once by `init(for:)` and filled again every cycle, it allocates
/// nothing.
public struct AnalysisRecord: Sendable, Hashable {
  /// Time in the model's unit.
  public var time = 0.0
  /// Mean and spread (standard deviation) of the members (`[variable][cell]`).
  public var mean: [Double]
  public var spread: [Double]
  /// Mean and spread of the members' diagnostics (`[diagnostic][cell]`).
  public var diagnosticMean: [Double]
  public var diagnosticSpread: [Double]
  /// Energy of each member (`[member]`).
  public var energies: [Double]
  /// Smallest value over members and cells of each variable with a lower bound, in the layout's order.
  public var minima: [Double]
  /// Lagrange multipliers (`[member][constraint]`); empty unless kept.
  public var multipliers: [Double]
  /// Covariance of the members (`[element][element]`); empty unless kept.
  public var covariance: [Double]
  /// States (`[member][variable][cell]`); empty unless kept.
  public var members: [Double]
  /// What became of the members' forecasts (`[member]`): 0 made, 1 made when tried again, 2 replaced, 3 given up; empty
  /// unless kept.
  public var status: [Double]
  /// Mean and spread of the members by their weights, variables and then diagnostics (`[element]`), and quantiles by equal
  /// and by those weights (`[element][probability]`); empty without weights.
  public var weightedMean, weightedSpread, quantiles, weightedQuantiles: [Double]
  /// Covariance of the members by their weights (`[element][element]`); empty unless kept.
  public var weightedCovariance: [Double]

  /// A record of NaN of the right sizes.
  public init(for contents: AnalysisContents) {
    func missing(_ count: Int) -> [Double] { [Double](repeating: .nan, count: count) }
    let (count, cells) = (contents.layout.count, contents.layout.cells)
    mean = missing(count)
    spread = missing(count)
    diagnosticMean = missing(contents.diagnostics.count * cells)
    diagnosticSpread = missing(contents.diagnostics.count * cells)
    energies = missing(contents.memberCount)
    minima = missing(contents.bounded.count)
    multipliers = missing(contents.memberCount * contents.constraints.count)
    covariance = missing(contents.keepsCovariance ? count * count : 0)
    status = missing(contents.keepsStatus ? contents.memberCount : 0)
    members = missing(contents.keepsMembers ? contents.memberCount * count : 0)
    let weighted = contents.weights.isEmpty ? 0 : count + contents.diagnostics.count * cells
    (weightedMean, weightedSpread) = (missing(weighted), missing(weighted))
    quantiles = missing(weighted * AnalysisContents.probabilities.count)
    weightedQuantiles = quantiles
    weightedCovariance = missing(contents.keepsCovariance && weighted > 0 ? count * count : 0)
  }

  /// All parts, one after the other: the same bits as a record of the same sizes has that they are assigned to.
  public var numbers: [Double] {
    get {
      var all = [time]
      for part in Self.parts { all += self[keyPath: part] }
      return all
    }
    set {
      var rest = newValue[...]
      func take(_ count: Int) -> [Double] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      time = take(1)[0]
      for part in Self.parts { self[keyPath: part] = take(self[keyPath: part].count) }
    }
  }

  /// All parts but the time, in the order of `numbers`.
  private static var parts: [WritableKeyPath<AnalysisRecord, [Double]>] {
    [
      \.mean, \.spread, \.diagnosticMean, \.diagnosticSpread, \.energies, \.minima, \.multipliers, \.covariance, \.members,
      \.weightedMean, \.weightedSpread, \.quantiles, \.weightedQuantiles, \.weightedCovariance, \.status,
    ]
  }

  /// Sizes of all parts, for comparing.
  var sizes: [Int] { Self.parts.map { self[keyPath: $0].count } }
}
