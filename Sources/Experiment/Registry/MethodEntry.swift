public import DaunceAssimilation
public import DaunceConstraints
public import DaunceEnsemble
import DaunceModels
public import DaunceObservations
import DaunceSettings
public import DaunceState

/// What a filter is made from.
public struct MethodContext {
  /// The method's name.
  public let method: Configuration.Method
  /// Of the model's states.
  public let layout: StateLayout
  /// How far each kind of observations acts on each field.
  public let localization: DistanceLocalization
  /// What each kind of observations measures.
  public let operators: [ObservationOperator]
  /// Factor and relaxation, from the section `filter`; adaptive and additive inflation are put around the filter.
  public let inflation: Inflation
  /// Bounds, invariants and bands that constrained filters hold.
  public let constraints: ConstraintSet
  /// Of constrained analyses.
  public let solver: ConstraintSolver
  /// Keys random streams.
  public let seed: UInt64
  /// Time between observations, in the model's unit.
  public let interval: Double
  /// The section `filter`, with what the method has in its place.
  public let settings: Configuration.Filter

  /// Of a method, with the settings that it has.
  init(
    _ context: ExperimentContext, of method: Configuration.Method, seed: UInt64, band: Band?,
    solver: Configuration.Filter.Solver?
  ) throws {
    let configuration = context.configuration.settled(for: method)
    self.method = method
    layout = context.layout
    localization = try configuration.localization(of: context.networks.quantities, in: context.layout)
    operators = context.networks.quantities.map(\.operation)
    inflation = try Inflation(
      factor: configuration.filter.inflation, relaxation: configuration.filter.rtps,
      perturbationRelaxation: configuration.filter.rtpp)
    constraints = ConstraintSet(
      layout: context.layout, invariants: configuration.constraints.invariants ? context.traits.invariants : [],
      bands: band.map { [$0] } ?? [])
    self.solver = (solver ?? configuration.filter.solver) == .dual ? .dual : .slsqp
    self.seed = seed
    interval = context.interval
    settings = configuration.filter
  }
}

/// A way of updating an ensemble that configurations know by name: one of `methods`, and of `--method`.
public struct MethodEntry: RegistryEntry {
  /// What updates the ensemble.
  public enum Kind: Sendable {
    /// A filter around the full model.
    case filter(@Sendable (MethodContext) throws -> any EnsembleUpdate)
    /// Trained agents, with or without multipliers.
    case agents(hasMultipliers: Bool)
  }

  /// The word in `methods` and of `--method`.
  public let name: String
  /// What it is, in a line.
  public let summary: String
  /// What updates the ensemble.
  public let kind: Kind
  /// Whether it holds the energy in a band.
  public let isConstrained: Bool
  /// Whether it has `filter.large_members` members in place of `members`.
  public let isLarge: Bool

  /// - Parameter make: makes a filter; called once for each truth.
  public init(
    _ name: String, _ summary: String, isConstrained: Bool = false, isLarge: Bool = false,
    make: @escaping @Sendable (MethodContext) throws -> any EnsembleUpdate
  ) {
    self.init(name, summary, .filter(make), isConstrained: isConstrained, isLarge: isLarge)
  }

  private init(_ name: String, _ summary: String, _ kind: Kind, isConstrained: Bool = false, isLarge: Bool = false) {
    self.name = name
    self.summary = summary
    self.kind = kind
    self.isConstrained = isConstrained
    self.isLarge = isLarge
  }

  /// All methods.
  public static let registry = Registry<MethodEntry>(builtIn + LocalEntry.builtIn.map { MethodEntry($0) })

  /// The program's own that are no local analyses (those are in `LocalEntry`): a new one is its file in `Assimilation` and
  /// an entry here.
  private static let builtIn = [
    MethodEntry("rl", "agents trained with multipliers on the energy band", .agents(hasMultipliers: true)),
    MethodEntry("rl-unconstrained", "agents trained without multipliers", .agents(hasMultipliers: false)),
    MethodEntry("eakf", "ensemble adjustment Kalman filter (Anderson 2001)") { try EAKF($0, floor: false) },
    MethodEntry(
      "constrained-eakf", "EAKF whose members are projected on the constraints", isConstrained: true,
      make: constrainedEAKF),
    MethodEntry(
      "constrained-eakf-large", "the same with filter.large_members members", isConstrained: true, isLarge: true,
      make: constrainedEAKF),
    MethodEntry("floored-eakf", "EAKF whose members are cut off at the bounds") { try EAKF($0, floor: true) },
    MethodEntry("enkf", "stochastic ensemble Kalman filter with perturbed observations (2.1-2.5)") {
      try StochasticEnKF(layout: $0.layout, localization: $0.localization, inflation: $0.inflation, seed: $0.seed)
    },
    MethodEntry("constrained-enkf", "stochastic EnKF under constraints (2.6-2.8)", isConstrained: true) {
      try ConstrainedEnKF(
        layout: $0.layout, localization: $0.localization, inflation: $0.inflation, constraints: $0.constraints,
        solver: $0.solver, seed: $0.seed)
    },
    MethodEntry("nudging", "members moved towards observations, without covariances (Hoke & Anthes 1976)") {
      Nudging(layout: $0.layout, localization: $0.localization, strength: $0.settings.nudging)
    },
    MethodEntry("free", "no update at all: what the observations are worth") { _ in NoUpdate() },
  ]

  private init(_ local: LocalEntry) {
    self.init(local.name, local.summary) {
      LocalFilter($0, local.method($0.settings.nonlinear, $0.settings.nudging), isLocal: local.isLocal)
    }
  }

  private static let constrainedEAKF: @Sendable (MethodContext) throws -> any EnsembleUpdate = {
    try ConstrainedEAKF(
      layout: $0.layout, localization: $0.localization, inflation: $0.inflation, constraints: $0.constraints,
      solver: $0.solver)
  }
}

extension Configuration {
  /// Name of a way of updating an ensemble.
  public struct Method: RegisteredName {
    /// The word in a file.
    public let rawValue: String
    /// A name that may not be registered; those of files and command lines are checked.
    public init(_ name: String) { rawValue = name }

    /// Where names are looked up.
    public static var registry: Registry<MethodEntry> { MethodEntry.registry }

    /// Agents trained with multipliers.
    public static let rl = Self("rl")
    /// Agents trained without multipliers.
    public static let rlUnconstrained = Self("rl-unconstrained")
    /// Ensemble adjustment Kalman filter.
    public static let eakf = Self("eakf")
    /// EAKF whose members are projected on the constraints.
    public static let constrainedEAKF = Self("constrained-eakf")
    /// The same with more members.
    public static let largeConstrainedEAKF = Self("constrained-eakf-large")
    /// EAKF whose members are cut off at the bounds.
    public static let flooredEAKF = Self("floored-eakf")
    /// Stochastic ensemble Kalman filter.
    public static let enkf = Self("enkf")
    /// Stochastic EnKF under constraints.
    public static let constrainedEnKF = Self("constrained-enkf")
    /// No update at all.
    public static let free = Self("free")
    /// Ensemble transform Kalman filter, not localized.
    public static let etkf = Self("etkf")
    /// Local ensemble transform Kalman filter.
    public static let letkf = Self("letkf")
    /// Deterministic ensemble Kalman filter.
    public static let denkf = Self("denkf")
    /// Particles resampled by their likelihood.
    public static let particleFilter = Self("particle-filter")

    /// Whether trained agents do it.
    public var isAgents: Bool {
      if case .agents = Self.registry[rawValue]?.kind { true } else { false }
    }
    /// Whether it holds the energy in a band.
    public var isConstrained: Bool { Self.registry[rawValue]?.isConstrained ?? false }
    /// Whether it has `filter.large_members` members.
    public var isLarge: Bool { Self.registry[rawValue]?.isLarge ?? false }
  }
}

extension EAKF {
  fileprivate convenience init(_ context: MethodContext, floor: Bool) throws {
    try self.init(
      layout: context.layout, localization: context.localization, inflation: context.inflation, floor: floor)
  }
}

extension LocalFilter {
  fileprivate convenience init(_ context: MethodContext, _ method: LocalAnalysis.Method, isLocal: Bool = true) {
    let analysis = LocalAnalysis(
      layout: context.layout, method: method, inflation: context.inflation, seed: context.seed,
      rotates: context.settings.rotation && !isLocal, operators: context.operators)
    self.init(
      analysis,
      localization: isLocal
        ? context.localization : .none(kinds: context.localization.reaches.count, fields: context.layout.fields.count))
  }
}

/// Leaves the forecast as the analysis.
final class NoUpdate: EnsembleUpdate {
  func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) {}
}
