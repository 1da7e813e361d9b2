public import DaunceNumerics
public import DaunceState

/// A model that carries states forward in time. Nothing outside this module knows which model it is.
///
/// A model object keeps its own scratch memory, so stepping allocates nothing; one thread uses one object.
public protocol ForecastModel: AnyObject {
  /// Name in configurations and files.
  var name: String { get }
  /// Fields and grid.
  var layout: StateLayout { get }
  /// Time step, in the model's unit of time.
  var timeStep: Double { get }
  /// Name of the model's unit system, for files and tables.
  var units: String { get }
  /// What is observed by default and how.
  var observing: ObservingSystem { get }

  /// A state to start a spin-up from.
  func initialState(_ stream: RandomStream) -> [Double]

  /// Carries `state` (`[variable][cell]`) over `steps` time steps, drawing the model's own noise from `noise`.
  func forecast(_ state: inout MutableSpan<Double>, steps: Int, noise: RandomStream)

  /// Carries `state` over the same interval without noise in a single time step, or as few as stay stable: the cheap
  /// deterministic base that agents correct.
  func coarseForecast(_ state: inout MutableSpan<Double>, steps: Int)

  /// Linear functions of the state that `forecast` and `coarseForecast` conserve to rounding.
  var invariants: [LinearInvariant] { get }
  /// Energies that can be held in a band; the first one is the default.
  var energies: [any StateFunction] { get }
  /// Derived fields that are scored besides the variables, such as the MJO.
  var diagnostics: [DiagnosticField] { get }

  /// Fields of x that the model is driven by and that don't change, for files.
  var backgroundFields: [BackgroundField] { get }
  /// What the model's units are in nature; `nil` if it stands for nothing in particular.
  var physicalUnits: PhysicalUnits? { get }

  /// Additions, multiplications, divisions and square roots of one time step, random numbers left out; `nil` if nobody
  /// has counted them.
  var operationsPerStep: Int? { get }

  /// Names of further local fields that help an agent, beside the variables.
  var auxiliaryNames: [String] { get }
  /// Writes these fields for `state`, normalised to about [-1, 1] (`[auxiliary][cell]`).
  func auxiliaryFields(of state: Span<Double>, into fields: inout MutableSpan<Double>)
}

extension ForecastModel {
  public var backgroundFields: [BackgroundField] { [] }
  public var physicalUnits: PhysicalUnits? { nil }
  public var operationsPerStep: Int? { nil }
}

/// A field that doesn't change with time, such as a source.
public struct BackgroundField: Sendable, Hashable {
  /// Name in files: `S`.
  public let name: String
  public let longName: String
  /// `[cell]`.
  public let values: [Double]

  public init(name: String, longName: String, values: [Double]) {
    self.name = name
    self.longName = longName
    self.values = values
  }
}

/// A model's units of time and length.
public struct PhysicalUnits: Sendable, Hashable {
  /// Hours in the unit of time.
  public let hours: Double
  /// Kilometres in the unit of length.
  public let kilometres: Double

  public init(hours: Double, kilometres: Double) {
    self.hours = hours
    self.kilometres = kilometres
  }
}

/// How a twin experiment observes a model.
public struct ObservingSystem: Sendable, Hashable {
  /// How the error is distributed around the truth.
  public enum ErrorLaw: String, Sendable, Hashable {
    /// Normal with mean 0.
    case gaussian
    /// Lognormal with the truth as mean: positive and unbiased.
    case lognormal
    /// Laplace's double exponential with mean 0.
    case laplace
  }

  /// The variable observed at every cell.
  public let variable: Int
  /// Error variance, in the variable's unit squared.
  public let errorVariance: Double
  public let law: ErrorLaw
  /// Time steps from one observation to the next.
  public let stepsBetween: Int

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

  public init(name: String, compute: @escaping @Sendable (Span<Double>) -> [Double]) {
    self.name = name
    self.compute = compute
  }
}
