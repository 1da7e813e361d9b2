public import DaunceNumerics

/// A forecast of one trajectory, to be made beside others.
public struct ForecastTask {
  /// An instance of the model.
  public let model: any InstancedModel
  /// Time of the state, in time steps, and number of them.
  public let start, steps: Int
  /// The model's own noise.
  public let noise: RandomStream
  /// Before, and after (`[layout.count]`); as before where it failed.
  public var state: [Double]
  /// Why there is no forecast; `nil` where there is one.
  public var failure: (any Error)?
  /// How many times it was tried again.
  public var retries = 0

  /// `model` carries `state` over `steps` time steps from `start` on, with `noise`.
  public init(model: any InstancedModel, start: Int, steps: Int, noise: RandomStream, state: [Double]) {
    (self.model, self.start, self.steps, self.noise, self.state) = (model, start, steps, noise, state)
  }
}

/// A model whose forecasts are the work of other processes: several of them are under way at once.
public protocol SideBySideModel: InstancedModel {
  /// Makes forecasts by instances of this model, as many at a time as may be.
  func carry(_ tasks: inout [ForecastTask])

  /// Takes what it keeps besides the state back to before its last forecast.
  func rewind() throws

  /// Whether forecasts that an earlier job has finished are taken, where the same ones are asked for.
  var reusesFinished: Bool { get set }

  /// What forecasts have taken since this was last asked.
  func takeUsage() -> ForecastUsage
}

/// What forecasts by programs have taken.
public struct ForecastUsage: Sendable {
  /// Number of programs' forecasts.
  public var count = 0
  /// Seconds of programs, times their cores.
  public var coreSeconds = 0.0
  /// Seconds on the clock in which this process has waited for them.
  public var seconds = 0.0
  /// Seconds of the slowest forecast.
  public var slowest = 0.0
  /// Whose it was, in words.
  public var slowestName = ""
  /// Cores of this node for the programs of all its processes.
  public var cores = 1

  /// Nothing yet.
  public init() {}
}
