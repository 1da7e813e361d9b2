import DaunceAgents
import DaunceAssimilation
public import DaunceEnsemble
public import DaunceMPI
public import DaunceModels
import DaunceObservations
public import DaunceState

/// What every stage of an experiment works with: the configuration made real on this rank.
public final class Setup {
  public let configuration: Configuration
  public let communicator: Communicator
  public let distribution: Distribution
  public let model: any ForecastModel
  /// How truths are observed, after the configuration's overrides.
  public let observing: ObservingSystem
  /// What observes the truths.
  let networks: ObservingNetworks
  /// Of the configured filters.
  let localization: Localization
  /// Time steps of a nature run before its time 0.
  let spinUpSteps: Int
  /// Fields that agents set, as numbers in the layout.
  public let controls: [Int]
  /// Says what the program is doing; does something on rank 0 only.
  public let progress: any ProgressReporter
  /// Where stages save what they need to go on; none unless it is set.
  public var checkpoints: Checkpoints
  /// Nature runs beside the truths, shared by all setups of a job.
  var climatology = Climatology()

  public var layout: StateLayout { model.layout }

  /// - Throws: when ranks disagree about the configuration, there are more ranks than members, or the model refuses its
  ///   parameters; before anything else is communicated.
  public init(
    configuration: Configuration, communicator: Communicator, progress: any ProgressReporter = SilentProgress()
  ) throws {
    try communicator.agree(on: configuration.digest, about: "the configuration")
    self.configuration = configuration
    self.communicator = communicator
    self.progress = progress
    checkpoints = Checkpoints(none: communicator)
    distribution = try Distribution(
      members: configuration.members, ranks: communicator.size, rank: communicator.rank)
    model = try Self.makeModel(configuration)
    spinUpSteps = try Self.spinUpSteps(configuration, timeStep: model.timeStep)
    (networks, observing) = try configuration.makeNetworks(in: model.layout, natural: model.observing)
    localization = Localization(
      halfWidth: configuration.filter.halfWidth, coupling: configuration.filter.update == .own ? .own : .all,
      exceptions: try configuration.halfWidths(in: model.layout))
    let observed = Set(networks.networks.flatMap { [networks] in networks.quantities[$0.kind].operation.fields })
    controls = try configuration.controlledVariables(in: model.layout, observed: observed.sorted())
  }

  /// Time between observations, in the model's unit.
  public var interval: Double { Double(observing.stepsBetween) * model.timeStep }

  private static func spinUpSteps(_ configuration: Configuration, timeStep: Double) throws -> Int {
    let steps = (configuration.spinup / timeStep).rounded()
    guard steps <= 1e12 else {
      throw ExperimentError(
        .data, "key nature.spinup", found: "\(configuration.spinup)",
        expected: "at most \(1e12 * timeStep), a million million time steps")
    }
    return Int(steps)
  }

  private static func makeModel(_ configuration: Configuration) throws -> any ForecastModel {
    let model = configuration.model
    switch model.name {
    case .mjoSkeleton:
      var mjo = MJOConfiguration(
        model.units == .paper ? .paper : .standard,
        background: model.background == .homogeneous ? .homogeneous : .warmPool)
      mjo.cells = configuration.cells
      mjo.noiseAmplitude *= model.noiseAmplitude * model.noiseAmplitude
      mjo.floor = model.floor
      mjo.noiseScheme = model.noiseScheme == .feller ? .feller : .eulerFloor
      return try MJOSkeleton(mjo)
    case .lorenz96:
      return try Lorenz96(cells: configuration.cells, forcing: model.forcing)
    case .advection1d:
      return try Advection1D(
        cells: configuration.cells, noiseAmplitude: model.noiseAmplitude, floor: model.floor)
    }
  }

  /// An ensemble of zero states on this setup's ranks.
  func makeEnsemble() -> DistributedEnsemble {
    DistributedEnsemble(layout: layout, distribution: distribution, communicator: communicator)
  }
}

/// Tells the user how far a stage has come.
public protocol ProgressReporter: AnyObject {
  /// A new stage begins, with `total` steps.
  func begin(_ stage: String, total: Int)
  /// `done` steps of the stage are over.
  func advance(to done: Int)
  /// The stage is over.
  func end()
  /// Something that the user should know.
  func note(_ message: String)
}

/// Says nothing.
public final class SilentProgress: ProgressReporter {
  public init() {}
  public func begin(_ stage: String, total: Int) {}
  public func advance(to done: Int) {}
  public func end() {}
  public func note(_ message: String) {}
}

/// The model's coarse step over one observation interval, as agents correct it.
final class CoarseBase: BaseForecast {
  private let model: any ForecastModel
  private let steps: Int
  let invariants: [LinearInvariant]

  init(_ setup: Setup) {
    model = setup.model
    steps = setup.observing.stepsBetween
    invariants = setup.configuration.constraints.invariants ? setup.model.invariants : []
  }

  var layout: StateLayout { model.layout }
  var auxiliaryCount: Int { model.auxiliaryNames.count }

  func advance(_ state: inout MutableSpan<Double>) { model.coarseForecast(&state, steps: steps) }

  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>) {
    model.auxiliaryFields(of: state, into: &fields)
  }
}
