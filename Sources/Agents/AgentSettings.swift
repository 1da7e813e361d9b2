public import DaunceEnsemble
public import DaunceNetworks
public import DaunceNumerics
public import DaunceState

/// What an agent corrects, sees, aims at and how it acts.
public struct AgentSettings: Sendable, Hashable {
  /// What the policy's increment is added to.
  public enum Base: String, Sendable, Hashable, Codable, CaseIterable {
    /// One coarse deterministic model step over the observation interval.
    case coarseStep = "coarse-step"
    /// The present state: the paper's choice.
    case persistence
    /// A filter's analysis of full forecasts, as an ``AnalysisBase`` makes it: agents shift its mean and change its
    /// spread.
    case analysis
  }

  /// What an agent sees.
  public enum Inputs: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its own member (the paper's choice), the observation and the model's auxiliary fields.
    case member
    /// The ensemble's mean and spread as well.
    case ensemble
    /// All of that, and the ensemble's regressions on the observations in the window; see `LocalGain`.
    case covariances
    /// The paper's list to the letter: its own member in the window, the two last finite differences, time and
    /// position. No observation.
    case literal
  }

  /// What the reward compares with.
  public enum Target: String, Sendable, Hashable, Codable, CaseIterable {
    /// The member's own history under the constrained reference filter.
    case reference
    /// The simulated truth of the training runs.
    case truth
  }

  /// How the members' draws are related.
  public enum Draws: String, Sendable, Hashable, Codable, CaseIterable {
    case independent
    /// One draw from each N-th part of the probability: every member's own law is unchanged, but the ensemble mean of a
    /// cell no longer moves at random.
    case stratified
    /// The member's own place among the members of the base forecast: its anomaly in units of the spread. What an agent
    /// does is then a shift of the mean and a factor on the member's anomaly.
    case anomalies
  }

  /// How lower bounds are kept.
  public enum Bounds: String, Sendable, Hashable, Codable, CaseIterable {
    case truncated, clip, softplus
  }

  /// The state that the agent corrects.
  public var base: Base
  /// What the agent sees.
  public var inputs: Inputs
  /// What it learns from.
  public var target: Target
  /// How the members' draws depend on each other.
  public var draws: Draws
  /// Share of the cells in which draws follow the order of the members' forecasts, for stratified draws of agents that
  /// see the ensemble; `nil`: to be measured in training.
  public var rankPersistence: Double?
  /// How lower bounds are kept.
  public var bounds: Bounds
  /// Fields that the agent sets, all on one grid; the others are left to the base.
  public var controls: [Int]
  /// Kinds of observations that the agent sees.
  public var observed: [Observed]
  /// Cells in the window around the target cell along each dimension of the grid, odd; where cells have places of their
  /// own, the number of nearest ones.
  public var window: Int
  /// Sizes of the hidden layers.
  public var hidden: [Int]
  /// Time between observations that agents know theirs relative to, in the model's unit; they then also see the number
  /// of members and how long ago the ensemble began. `nil`: none of the three. For `base: analysis`.
  public var typicalInterval: Double?
  /// Functions of its own state that an agent sees beside their bands.
  public var seenBands: [SeenBand]

  /// All settings; see the properties.
  public init(
    base: Base, inputs: Inputs, target: Target, draws: Draws, rankPersistence: Double? = 0, bounds: Bounds,
    controls: [Int], observed: [Observed], window: Int, hidden: [Int], typicalInterval: Double? = nil,
    seenBands: [SeenBand] = []
  ) {
    self.base = base
    self.inputs = inputs
    self.target = target
    self.draws = draws
    self.rankPersistence = rankPersistence
    self.bounds = bounds
    self.controls = controls
    self.observed = observed
    self.window = window
    self.hidden = hidden
    self.typicalInterval = typicalInterval
    self.seenBands = seenBands
  }

  /// Whether agents know the other members' forecasts and draw from parts that can follow their order.
  public var canKeepOrder: Bool { seesEnsemble && draws == .stratified }

  /// Whether agents know the ensemble's mean and spread, which makes their steps collective.
  public var seesEnsemble: Bool { inputs == .ensemble || inputs == .covariances }

  /// Whether a policy network has the inputs and outputs that these settings ask for.
  public func fits(_ policy: Network, layout: StateLayout, auxiliary: Int) -> Bool {
    window % 2 == 1 && (1...cells(in: layout)).contains(window) && !controls.isEmpty
      && controls.allSatisfy { layout.fields[$0].grid == grid(in: layout) }
      && policy.sizes.first == Features.count(settings: self, layout: layout, auxiliary: auxiliary)
      && policy.sizes.last == 2 * controls.count
  }
}

/// What agents need of a model: the base forecast that they correct and the local fields that they see.
public protocol BaseForecast: AnyObject {
  var layout: StateLayout { get }
  /// Carries a state (`[layout.count]`) from the observation time before `cycle` to its own, without noise, cheaply.
  ///
  /// - Throws: what keeps the model from going on.
  func advance(_ state: inout MutableSpan<Double>, cycle: Int) throws
  /// Linear functions that an agent's action has to leave as the base forecast has them; possibly empty.
  var invariants: [LinearInvariant] { get }
  /// Functions of the state that agents may see; possibly none.
  var functions: [any StateFunction] { get }
  /// Number of auxiliary fields.
  var auxiliaryCount: Int { get }
  /// Writes auxiliary fields of a state, about in [-1, 1] (`[auxiliary][cell]` of the grid that agents act on).
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>)
}

extension BaseForecast {
  /// None.
  public var functions: [any StateFunction] { [] }
}

/// A base that is a filter's analysis: every member is carried by the full model, then the filter updates them all, then
/// agents correct what it has done.
public protocol AnalysisBase: BaseForecast {
  /// Carries a state (`[layout.count]`) from the observation time before `cycle` to its own.
  ///
  /// - Parameter noise: of this member and cycle.
  func forecast(_ state: inout MutableSpan<Double>, cycle: Int, noise: RandomStream) throws

  /// Time between observations, in the model's unit.
  var interval: Double { get }

  /// A filter for one ensemble.
  ///
  /// - Parameter seed: keys its random streams.
  func makeFilter(seed: UInt64) throws -> any EnsembleUpdate
}

extension AnalysisBase {
  /// There is no forecast without noise here.
  public func advance(_ state: inout MutableSpan<Double>, cycle: Int) {}
}
