public import DaunceNumerics
public import DaunceState

/// A model that carries states forward in time: all that an ensemble needs. Nothing outside this module knows which
/// model it is. What else a model can do is said by the protocols beside this one, and found in its ``ModelTraits``.
///
/// A model object keeps its own scratch memory, so stepping allocates nothing; one thread uses one object.
public protocol ForecastModel: AnyObject {
  /// Name in configurations and files.
  var name: String { get }
  /// Fields, grids and their places.
  var layout: StateLayout { get }
  /// Time step, in the model's unit of time.
  var timeStep: Double { get }

  /// Carries `state` (`[layout.count]`) over `steps` time steps, drawing the model's own noise from `noise`.
  ///
  /// - Parameter start: time of `state`, in time steps; time 0 is where the truths of twin experiments begin.
  /// - Throws: what keeps the model from going on; the job then ends on all ranks with that message.
  func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) throws
}

/// A model that truths can be made of.
public protocol TwinModel: ForecastModel {
  /// What is observed by default and how.
  var observing: ObservingSystem { get }

  /// How long a spin-up takes from `initialState` to the climate, in the model's unit of time; `nature.spinup: auto`.
  var spinup: Double { get }

  /// A state to start a spin-up from (`[layout.count]`).
  ///
  /// - Throws: what keeps the model from making one.
  func initialState(_ stream: RandomStream) throws -> [Double]
}

extension TwinModel {
  /// `initialState` is a state of the climate already.
  public var spinup: Double { 0 }
}

/// A model with a cheap deterministic step, which agents can correct.
public protocol CoarseModel: ForecastModel {
  /// Whether this one has it after all.
  var hasCoarseForecast: Bool { get }

  /// Carries `state` over the interval of `steps` time steps without noise in a single step, or as few as stay stable.
  ///
  /// - Parameter start: time of `state`, in time steps.
  /// - Throws: what keeps the model from going on.
  func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int) throws
}

extension CoarseModel {
  /// As every model of this kind.
  public var hasCoarseForecast: Bool { true }
}

/// A model that keeps something from one forecast to the next that is not in the state: what is carried forward, a member
/// or a truth, has an instance of its own.
public protocol InstancedModel: ForecastModel {
  /// Whether this one does after all.
  var keepsMemory: Bool { get }

  /// Whether every trajectory needs an instance; if not, one carries them all.
  var needsInstances: Bool { get }

  /// Whether `restore` brings back all that there is besides the state; if not, an instance begins anew with the state.
  var isRestoredWhole: Bool { get }

  /// An instance that has carried nothing yet.
  ///
  /// - Parameter name: of the trajectory, as a file can be named: `member-003`.
  func makeInstance(named name: String) throws -> any InstancedModel

  /// What it keeps.
  func save() throws -> [UInt8]

  /// Takes it back.
  ///
  /// - Throws: for bytes that are no memory of this model.
  func restore(_ memory: [UInt8]) throws
}

/// A model that conserves something.
public protocol ConservingModel: ForecastModel {
  /// Linear functions of the state that `forecast` and `coarseForecast` conserve to rounding.
  var invariants: [LinearInvariant] { get }
  /// Energies that can be held in a band; the first one is the default.
  var energies: [any StateFunction] { get }
}

/// A model with derived fields that are scored besides its own, such as the MJO.
public protocol DiagnosedModel: ForecastModel {
  /// The derived fields.
  var diagnostics: [DiagnosticField] { get }
}

/// A model that knows local fields which help an agent, beside those of its state.
public protocol InformingModel: ForecastModel {
  /// Names of these fields, in the order of `auxiliaryFields`.
  var auxiliaryNames: [String] { get }
  /// Writes these fields for `state`, normalised to about [-1, 1] (`[auxiliary][cell]`).
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>)
}

/// A model that knows how much there is in a state of what an analysis changes without meaning to, such as masses.
public protocol BudgetedModel: ForecastModel {
  /// Names of these amounts, in the order of `budgets`.
  var budgetNames: [String] { get }
  /// The amounts in `state` (`[layout.count]`), summed over all of it, each in a unit of its own (`[budget]`). None is 0
  /// in a state that means anything.
  func budgets(of state: Span<Double>) -> [Double]
}

/// A model that says more about itself for files, tables and measurements.
public protocol DescribedModel: ForecastModel {
  /// Name of the model's unit system.
  var units: String { get }
  /// Fields that the model is driven by and that don't change.
  var backgroundFields: [BackgroundField] { get }
  /// What the model's units are in nature; `nil` if it stands for nothing in particular.
  var physicalUnits: PhysicalUnits? { get }
  /// Additions, multiplications, divisions and square roots of one time step, random numbers left out; `nil` if nobody
  /// has counted them.
  var operationsPerStep: Int? { get }
}

extension DescribedModel {
  /// No units.
  public var units: String { "nondimensional" }
  /// None.
  public var backgroundFields: [BackgroundField] { [] }
  /// None.
  public var physicalUnits: PhysicalUnits? { nil }
  /// Not known.
  public var operationsPerStep: Int? { nil }
}

extension InstancedModel {
  /// Those do that keep something.
  public var needsInstances: Bool { keepsMemory }
  /// It does.
  public var isRestoredWhole: Bool { true }
}

/// A model that may find something worth knowing on its way.
public protocol WatchedModel: ForecastModel {
  /// Is told of it, in words; once of each thing.
  var warn: ((String) -> Void)? { get set }
}

/// What a model can do and says beside its forecast; nothing where it does not.
public struct ModelTraits {
  /// Linear functions of the state that forecasts keep.
  public let invariants: [LinearInvariant]
  /// Functions that a band can be for.
  public let energies: [any StateFunction]
  /// Fields computed from a state.
  public let diagnostics: [DiagnosticField]
  /// Fields that agents see beside the state.
  public let auxiliaryNames: [String]
  /// Names of amounts in a state that updates are watched for.
  public let budgetNames: [String]
  /// Name of the model's unit system.
  public let units: String
  /// Fields that don't change.
  public let backgroundFields: [BackgroundField]
  /// Units of time and length, where they mean something in nature.
  public let physicalUnits: PhysicalUnits?
  /// Floating-point operations of a step, where they are known.
  public let operationsPerStep: Int?
  /// How truths are observed by default: the first field everywhere after every time step with a climatological standard
  /// deviation of error, where the model says nothing else.
  public let observing: ObservingSystem
  /// How long a spin-up takes, in the model's unit of time.
  public let spinup: Double

  /// Asks a model for everything that it can do beside forecasts.
  public init(of model: any ForecastModel) {
    let conserving = model as? any ConservingModel
    invariants = conserving?.invariants ?? []
    energies = conserving?.energies ?? []
    diagnostics = (model as? any DiagnosedModel)?.diagnostics ?? []
    auxiliaryNames = (model as? any InformingModel)?.auxiliaryNames ?? []
    budgetNames = (model as? any BudgetedModel)?.budgetNames ?? []
    let described = model as? any DescribedModel
    units = described?.units ?? "nondimensional"
    backgroundFields = described?.backgroundFields ?? []
    physicalUnits = described?.physicalUnits
    operationsPerStep = described?.operationsPerStep
    let scale = model.layout.fields.first?.scale ?? 1
    spinup = (model as? any TwinModel)?.spinup ?? 0
    observing =
      (model as? any TwinModel)?.observing
      ?? ObservingSystem(variable: 0, errorVariance: scale * scale, law: .gaussian, stepsBetween: 1)
  }
}

/// A model's units of time and length.
public struct PhysicalUnits: Sendable, Hashable {
  /// Hours in the unit of time.
  public let hours: Double
  /// Kilometres in the unit of length; `nil` where that is not known.
  public let kilometres: Double?

  /// What a model's unit of time is in hours, and its unit of length in kilometres.
  public init(hours: Double, kilometres: Double?) {
    self.hours = hours
    self.kilometres = kilometres
  }
}

/// How a twin experiment observes a model.
public struct ObservingSystem: Sendable, Hashable {
  /// The variable observed at every cell.
  public let variable: Int
  /// Error variance, in the variable's unit squared.
  public let errorVariance: Double
  /// How errors are distributed.
  public let law: ErrorLaw
  /// Time steps from one observation to the next.
  public let stepsBetween: Int

  /// Observations of the field number `variable`, every `stepsBetween` time steps; the error variance is in its unit squared.
  public init(variable: Int, errorVariance: Double, law: ErrorLaw, stepsBetween: Int) {
    self.variable = variable
    self.errorVariance = errorVariance
    self.law = law
    self.stepsBetween = stepsBetween
  }
}

/// A field computed from a state, linear or not.
public struct DiagnosticField: Sendable {
  /// Name in files and tables: `MJO`.
  public let name: String
  /// Computes the field (`[cell]`) of a state (`[variable][cell]`).
  public let compute: @Sendable (Span<Double>) -> [Double]

  /// A field by its name, worked out from a state (`[layout.count]`, to `[cell]`).
  public init(name: String, compute: @escaping @Sendable (Span<Double>) -> [Double]) {
    self.name = name
    self.compute = compute
  }
}
