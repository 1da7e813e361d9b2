import DaunceAgents
import DaunceArchive
package import DaunceAssimilation
public import DaunceEnsemble
public import DaunceMPI
public import DaunceModels
import DaunceObservations
import DaunceSettings
public import DaunceState

/// What every stage of an experiment works with: the configuration made real on this rank.
public final class ExperimentContext {
  /// Every setting.
  public let configuration: Configuration
  /// Of all ranks.
  public let communicator: Communicator
  /// Which rank holds which member.
  public let distribution: Distribution
  /// Made as configured.
  public let model: any ForecastModel
  /// What the model can do beside forecasts.
  public let traits: ModelTraits
  /// How truths are observed, after the configuration's overrides.
  public let observing: ObservingSystem
  /// What observes the truths.
  package let networks: ObservingNetworks
  /// Of the configured filters.
  package let localization: DistanceLocalization
  /// Spin-up of nature runs, in the model's unit of time.
  public let spinup: Double
  /// The same in time steps.
  let spinUpSteps: Int
  /// Fields that agents set, as numbers in the layout.
  public let controls: [Int]
  /// Says what the program is doing; does something on rank 0 only.
  public let progress: any ProgressReporter
  /// Where stages save what they need to go on; none unless it is set.
  public var checkpoints: Checkpoints
  /// Nature runs beside the truths, shared by all setups of a job.
  package var climatology = Climatology()

  /// Where an ensemble can go on, field by field; see `isSound`.
  let soundRanges: [SoundRange]

  /// Of the model's states.
  public var layout: StateLayout { model.layout }

  /// - Parameter given: a model that is there already; `nil`: the configuration's.
  /// - Throws: when ranks disagree about the configuration, there are more ranks than members, or the model refuses its
  ///   parameters; before anything else is communicated.
  public init(
    configuration: Configuration, communicator: Communicator, progress: any ProgressReporter = SilentProgress(),
    model given: (any ForecastModel)? = nil
  ) throws {
    try communicator.agree(on: configuration.digest, about: "the configuration")
    self.configuration = configuration
    self.communicator = communicator
    self.progress = progress
    checkpoints = Checkpoints(none: communicator)
    distribution = try Distribution(
      members: configuration.members, ranks: communicator.size, rank: communicator.rank)
    guard let entry = configuration.modelEntry else {
      throw ExperimentError(.bug, "no model is called \(configuration.model.name.rawValue)")
    }
    model = try given ?? entry.make(configuration)
    traits = ModelTraits(of: model)
    try communicator.agree(on: Self.digest(of: model), about: "the model")
    if let watched = model as? any WatchedModel { watched.warn = { progress.note($0) } }
    soundRanges = model.layout.fields.enumerated().map { [layout = model.layout] v, field in
      SoundRange(
        elements: layout.range(v), least: field.lowerBound.map { min($0, 0) } ?? field.reference - 100 * field.scale,
        limit: field.reference + 100 * field.scale)
    }
    spinup = configuration.nature.spinup ?? traits.spinup
    spinUpSteps = try Self.steps(of: spinup, timeStep: model.timeStep)
    (networks, observing) = try configuration.makeNetworks(in: model.layout, natural: traits.observing)
    localization = try configuration.localization(of: networks.quantities, in: model.layout)
    try configuration.filter.nonlinear.checkLaws(in: model.layout)
    let observed = Set(networks.networks.flatMap { [networks] in networks.quantities[$0.kind].operation.fields })
    controls = try configuration.controlledVariables(in: model.layout, observed: observed.sorted())
  }

  /// Digest of what a model is: libraries need not be the same on every machine.
  private static func digest(of model: any ForecastModel) -> UInt64 {
    let fields = model.layout.fields.map { "\($0.name) \($0.units) \($0.reference) \($0.scale) \($0.grid)" }
    return Digest.xxh64(Array("\(model.name) \(model.timeStep) \(fields) \(model.layout.offsets)".utf8))
  }

  /// Time between observations, in the model's unit.
  public var interval: Double { Double(observing.stepsBetween) * model.timeStep }

  private static func steps(of spinup: Double, timeStep: Double) throws -> Int {
    let steps = (spinup / timeStep).rounded()
    guard steps <= 1e12 else {
      throw ExperimentError(
        .data, "key nature.spinup", found: "\(spinup)",
        expected: "at most \(1e12 * timeStep), a million million time steps")
    }
    return Int(steps)
  }

  /// An ensemble of zero states on this context's ranks.
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
  /// A reporter that is silent.
  public init() {}
  /// Says nothing.
  public func begin(_ stage: String, total: Int) {}
  /// Says nothing.
  public func advance(to done: Int) {}
  /// Says nothing.
  public func end() {}
  /// Says nothing.
  public func note(_ message: String) {}
}
