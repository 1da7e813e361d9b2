public import DaunceModels
public import DaunceNumerics
public import DaunceState

/// A model with the community's Basic Model Interface 2.0 in C: the named variables are its state, by `get_value` and
/// `set_value`, and `update` is a time step.
///
/// The interface has no way to keep and give back what a model has besides its variables, so every member has a model of
/// its own, which goes on through time with it. After an interruption it begins anew with the named variables.
public final class BMIModel: TwinModel, InstancedModel, DescribedModel {
  /// The component's, in letters, digits and hyphens.
  public let name: String
  /// The named variables on their grids.
  public let layout: StateLayout
  /// The model's.
  public let timeStep: Double
  /// The first variable everywhere after every time step, with a tenth of its scale as the standard deviation.
  public let observing: ObservingSystem

  private let handle: BMIHandle
  private let variables: [BMIVariable]
  private let numbers: [BMILayout.Number]
  private let floats: Workspace<Float>
  private let hours: Double?
  /// Whether it has not carried anything yet.
  private var isNew = true

  /// Loads the library and initialises a model.
  ///
  /// - Parameters:
  ///   - path: of the library, relative to the working folder.
  ///   - register: the library's function that fills in the table of functions.
  ///   - configuration: file that the model is initialised with, empty for none.
  ///   - variables: the prognostic ones, all that the model cannot work out from others.
  /// - Throws: `CouplingError` for a library that cannot be used.
  public init(library path: String, register: String, configuration: String, variables: [BMIVariable]) throws {
    let library = try SharedLibrary("BMI library", path)
    handle = try BMIHandle(library, register: register, configuration: configuration)
    self.variables = variables
    let described = try BMILayout(variables, of: handle)
    (layout, numbers) = (described.layout, described.numbers)
    timeStep = try handle.timeStep()
    guard timeStep > 0, timeStep.isFinite else {
      throw CouplingError(library.name, found: "a time step of \(timeStep)", expected: "a number above 0")
    }
    let component = try handle.componentName()
    name = component.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? String($0) : "-" }.joined()
    hours = Self.hours(try handle.timeUnits())
    let sd = 0.1 * layout.fields[0].scale
    observing = ObservingSystem(variable: 0, errorVariance: sd * sd, law: .gaussian, stepsBetween: 1)
    floats = Workspace(repeating: 0, count: layout.fields.indices.map { described.layout.range($0).count }.max() ?? 0)
  }

  private init(_ other: BMIModel) throws {
    handle = try other.handle.makeAnother()
    (name, layout, timeStep, observing) = (other.name, other.layout, other.timeStep, other.observing)
    (variables, numbers, hours) = (other.variables, other.numbers, other.hours)
    floats = Workspace(repeating: 0, count: other.floats.count)
  }

  private static func hours(_ units: String) -> Double? {
    switch units.split(separator: " ").first.map(String.init) {
    case "s", "sec", "second", "seconds": 1.0 / 3600
    case "min", "minute", "minutes": 1.0 / 60
    case "h", "hr", "hour", "hours": 1
    case "d", "day", "days": 24
    default: nil
    }
  }

  /// The model's unit of time, where it is one of seconds to days.
  public var physicalUnits: PhysicalUnits? { hours.map { PhysicalUnits(hours: $0, kilometres: nil) } }
  /// Every model has a clock at least.
  public var keepsMemory: Bool { true }
  /// Nothing but the named variables is.
  public var isRestoredWhole: Bool { false }

  /// Carries a state by `set_value`, as many `update`s as steps, and `get_value`; without noise.
  ///
  /// - Throws: `CouplingError` where the model fails, crashes, ends the process, or leaves what is no number.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) throws {
    isNew = false
    try state.withUnsafeMutableBufferPointer { state in
      guard let x = state.baseAddress else { return }
      for v in variables.indices { try set(v, from: x) }
      for step in 0..<steps { try handle.update("time step \(step + 1) of \(steps) from time \(Double(start) * timeStep)") }
      try read(into: x, after: "update to time \(Double(start + steps) * timeStep)")
    }
  }

  /// What the model was initialised with, with random perturbations from `stream`.
  ///
  /// - Throws: as `forecast`.
  public func initialState(_ stream: RandomStream) throws -> [Double] {
    var state = [Double](repeating: .nan, count: layout.count)
    try state.withUnsafeMutableBufferPointer { state in
      if let x = state.baseAddress { try read(into: x, after: "initialize") }
    }
    for (v, variable) in variables.enumerated() where variable.perturbation > 0 {
      for i in layout.range(v) {
        let value = state[i] + variable.perturbation * variable.scale * stream.normal(at: i)
        state[i] = min(max(value, variable.lower ?? -.infinity), variable.upper ?? .infinity)
      }
    }
    return state
  }

  /// Another model of the library, initialised.
  public func makeInstance(named name: String) throws -> any InstancedModel { try BMIModel(self) }

  /// Nothing: the interface has no function for it.
  public func save() throws -> [UInt8] { [] }

  /// Brings the model to its beginning; the next forecast sets the named variables.
  public func restore(_ memory: [UInt8]) throws {
    if !isNew { try handle.restart() }
    isNew = true
  }

  private func set(_ v: Int, from x: UnsafeMutablePointer<Double>) throws {
    let range = layout.range(v)
    guard numbers[v] == .float else { return try handle.set(variables[v].variable, from: x + range.lowerBound) }
    for (k, i) in range.enumerated() { floats.start[k] = Float(x[i]) }
    try handle.set(variables[v].variable, from: floats.start)
  }

  private func read(into x: UnsafeMutablePointer<Double>, after call: @autoclosure () -> String) throws {
    for v in variables.indices {
      let range = layout.range(v)
      if numbers[v] == .float {
        try handle.get(variables[v].variable, into: floats.start)
        for (k, i) in range.enumerated() { x[i] = Double(floats.start[k]) }
      } else {
        try handle.get(variables[v].variable, into: x + range.lowerBound)
      }
    }
    try layout.requireFinite(x, of: handle.library.name, after: call())
  }
}
