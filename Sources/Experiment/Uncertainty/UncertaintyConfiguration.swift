import DaunceNetworks
public import DaunceSettings
package import DaunceUncertainty

/// What `uncertainty` computes of tables: predictive laws by the fundamental equation. The same machinery as
/// ``Configuration``.
public struct UncertaintyConfiguration: ConfigurationRoot {
  @Key("seed of every random stream")
  public var seed: UInt64 = 1
  @Key("columns that are predicted; --outputs goes before it", .distinct, absent: "none")
  public var outputs: [String]?
  @Key("columns that they are predicted from; auto: all others of the training table that are no errors", .distinct)
  public var inputs: [String]?
  @Key(
    "columns whose logarithms are worked with; auto: positive ones that span a factor of ten and are skewed to the right, more than their logarithms")
  public var logarithm: [String]?
  @Key("errors of columns that have none of their own in a table")
  public var errors: [ColumnError] = []

  /// The ensemble of networks.
  public var networks = Networks()
  /// Draws that predictions are made of.
  public var prediction = Prediction()
  /// Usual methods beside the full account.
  public var comparison = Comparison()
  /// Trained agents, in place of tables.
  public var agents = Agents()

  /// The defaults.
  public init() {}

  /// The ensemble of networks.
  public struct Networks: Codable, Sendable, Hashable {
    @Key("units of the hidden layers", .atLeast(1))
    public var hidden = [16, 16]
    @Key("draws of the true training rows, where these have errors; else one", .within(2...1000))
    public var trainingDraws = 10
    @Key("networks of each draw; as many times training_draws where there is one draw", .within(2...1000))
    public var each = 10
    @Key("rounds of a draw of the training rows and a network that is trained on it", .within(1...100))
    public var rounds = 5
    @Key("steps of a network's training", .within(1...10_000_000))
    public var steps = 3000
    @Key("paths of Hamiltonian Monte Carlo from each trained network to one of the ensemble; 0: none", .within(0...1_000_000))
    public var paths = 0
    @Key("rows of a step, a multiple of 8", .within(8...65_536))
    public var batch = 64
    @Key("learning rate at the start", .positive)
    public var rate = 0.01
    @Key("gain of the prior of locations: the prior's standard deviation of a network's output, over the output's own", .positive)
    public var locationGain = 2.0
    @Key("gain of the prior of the logarithms of scales", .positive)
    public var scaleGain = 0.5
    @Key(
      "gain of the prior of hidden layers: small ones are nearly linear; auto: the one of 1, 0.5, 0.25, 0.125 under which the testing rows are most likely",
      .positive)
    public var hiddenGain: Double?
  }

  /// Draws that predictions are made of.
  public struct Prediction: Codable, Sendable, Hashable {
    @Key("draws of a true new input, where it has errors; else one", .within(2...100_000))
    public var newInputDraws = 16
    @Key("draws of the true testing rows, where these have errors; else one", .within(2...1000))
    public var testingDraws = 16
    @Key("samples of every prediction", .within(10...1_000_000))
    public var samples = 1000
    @Key("probabilities of quantiles", .fraction)
    public var probabilities = [0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975]
    @Key("points of every pdf", .within(2...100_000))
    public var points = 101
  }

  /// Usual methods beside the full account.
  public struct Comparison: Codable, Sendable, Hashable {
    @Key("methods that are tried on the same tables, into comparison.nc; --compare goes before it")
    public var methods: [Usual] = []
    @Key("networks of each method that has several", .within(1...10_000))
    public var networks = 20
    @Key("mc-dropout: share of the hidden units that are left out", .within(0.001...0.9))
    public var dropout = 0.1
  }

  /// Trained agents, in place of tables.
  public struct Agents: Codable, Sendable, Hashable {
    @Key("held-back truths that agents' residuals are taken from", .within(2...10_000))
    public var heldBack = 100
    @Key("ways in which the agents of a training drive the members", .within(2...100_000))
    public var pairings = 5
    @Key("ensembles of every pairing of every training, each with random draws of its own", .within(2...1000))
    public var draws = 2
    @Key("classes of the predicted variance, each with residuals of its own", .within(1...50))
    public var classes = 5
    @Key("truths that are predicted and scored; auto: truths.test of the agents' experiment", .within(1...10_000))
    public var truths: Int?
    @Key("assimilation cycles of each truth; auto: truths.cycles of the agents' experiment", .within(1...1_000_000))
    public var cycles: Int?
    @Key("samples of every prediction that are written", .within(1...10_000))
    public var samples = 10
    @Key("cycles from one written prediction to the next; scores are of all cycles", .within(1...1_000_000))
    public var every = 1
  }

  /// Names of the usual methods.
  public enum Usual: String, ConfigurationChoice {
    /// The network at the cost function's minimum.
    case minimum
    /// Networks on resampled rows, equal weights.
    case bagging
    /// Mixture of the normal laws of networks from different initial weights.
    case deepEnsemble = "deep-ensemble"
    /// Units left out at random.
    case mcDropout = "mc-dropout"
    /// A deep ensemble's networks with importance weights.
    case importance
    /// The same, tempered so that half of them are left.
    case tempered
    /// Equal weights again, networks moved by transport.
    case transport
    /// Networks moved by Stein variational gradient descent.
    case stein
  }

  /// Refuses values outside their keys' rules and keys that contradict each other.
  public func validate(source: ConfigurationError.Source) throws(ConfigurationError) {
    var problems = misfits(source: source)
    let both = Set(outputs ?? []).intersection(inputs ?? [])
    if let column = both.sorted().first {
      problems.append(
        .init(
          .contradiction, source: source, keys: ["inputs", "outputs"], found: "\(column) in both",
          expected: "a column to be one or the other"))
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }

  /// The networks' settings as their room has them.
  package var ensemble: EnsembleSettings {
    var settings = EnsembleSettings()
    settings.hidden = networks.hidden
    (settings.trainingDraws, settings.networks) = (networks.trainingDraws, networks.each)
    settings.rounds = networks.rounds
    settings.regression.steps = networks.steps
    settings.paths = networks.paths
    settings.regression.batch = networks.batch
    settings.regression.rate = Float(networks.rate)
    (settings.locationGain, settings.scaleGain) = (Float(networks.locationGain), Float(networks.scaleGain))
    settings.hiddenGain = networks.hiddenGain.map { Float($0) }
    settings.seed = seed
    return settings
  }

  /// The usual methods' settings as their room has them.
  package var usual: UsualSettings {
    var settings = UsualSettings()
    (settings.networks, settings.dropout, settings.samples) = (comparison.networks, comparison.dropout, prediction.samples)
    return settings
  }

  /// The predictions' settings as their room has them.
  package var draws: PredictionSettings {
    var settings = PredictionSettings()
    settings.newInputDraws = prediction.newInputDraws
    settings.testingDraws = prediction.testingDraws
    settings.samples = prediction.samples
    settings.probabilities = prediction.probabilities
    settings.points = prediction.points
    settings.seed = seed
    return settings
  }
}

/// The law of a column's errors, as an element of `errors` of the command `uncertainty`. Errors are normal, or lognormal
/// where logarithms are worked with.
public struct ColumnError: ConfigurationGroup {
  @Key("name of the column")
  public var column = ""
  @Key("standard deviation, in the column's unit", .positive, absent: "none")
  public var sd: Double?
  @Key("the same over the value's size", .positive, absent: "none")
  public var relative: Double?

  /// The defaults.
  public init() {}
}
