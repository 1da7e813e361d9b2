public import DaunceModels
public import DaunceNumerics
public import DaunceSettings
public import DaunceState

/// A model in a shared library of a user's (`daunce_model.h`).
///
/// A library that keeps nothing besides the state carries all members of a rank by one model; one that does makes a model
/// for each. What the library observes of a state is written behind its fields after every forecast, as further fields
/// of the layout.
public final class PluginModel: TwinModel, CoarseModel, ConservingModel, InstancedModel, WatchedModel {
  /// As the description has it.
  public let description: ModelDescription
  /// Fields of the state, then what is observed of it.
  public let layout: StateLayout
  /// As the description has them.
  public let invariants: [LinearInvariant]
  /// How truths are observed unless a configuration says otherwise.
  public let observing: ObservingSystem
  /// Told once of memory that the library loses.
  public var warn: ((String) -> Void)? {
    get { heap.warn }
    set { heap.warn = newValue }
  }

  private let handle: ModelHandle
  private let heap: HeapWatch
  /// Elements that the library carries; observed quantities follow.
  private let carried: Int

  /// Loads the library and makes a model.
  ///
  /// - Parameters:
  ///   - path: of the library, relative to the working folder.
  ///   - parameters: handed to it.
  /// - Throws: `CouplingError` for a library that cannot be used, `ConfigurationError` for a description with mistakes.
  public init(library path: String, parameters: ParameterTable) throws {
    let library = try ModelLibrary(path)
    handle = try ModelHandle(library, parameters: parameters.lines)
    let source = "\(library.name): description"
    description = try ModelDescription(yaml: handle.description(), source: source)
    try description.validate(source: .file(source))
    try description.check(parameters, of: library.name)
    guard description.observed.isEmpty || library.has("observe") else {
      throw CouplingError(
        library.name, found: "observed quantities in the description and no daunce_model_observe", expected: "that function")
    }
    let arrays = { [handle] name, count in try handle.array(name, count: count) }
    layout = try description.makeLayout(of: library.name, arrays: arrays)
    invariants = try description.makeInvariants(in: layout, arrays: arrays)
    observing = description.makeObserving(in: layout)
    carried = layout.offsets[description.fields.count]
    heap = HeapWatch(of: library.name)
  }

  private init(_ other: PluginModel) throws {
    handle = try other.handle.makeAnother()
    (description, layout, invariants) = (other.description, other.layout, other.invariants)
    (observing, heap, carried) = (other.observing, other.heap, other.carried)
  }

  /// The description's.
  public var name: String { description.name }
  /// The description's, which has been checked.
  public var timeStep: Double { description.timeStep ?? 1 }
  /// The description's.
  public var spinup: Double { description.spinup }
  /// None.
  public var energies: [any StateFunction] { [] }
  /// Whether the library has one.
  public var hasCoarseForecast: Bool { handle.library.has("coarse_forecast") }
  /// Whether the library has functions for it.
  public var keepsMemory: Bool { handle.library.has("save") }

  /// Carries a state (`[layout.count]`) by the library; its noise has a seed of 64 bits from `noise`.
  ///
  /// - Throws: `CouplingError` where the library fails, crashes, ends the process, or leaves what is no number.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) throws {
    let (from, to) = times(from: start, steps: steps)
    try state.withUnsafeMutableBufferPointer { state in
      guard let x = state.baseAddress else { return }
      heap.begin()
      try handle.forecast(from: from, to: to, seed: noise.seed, x)
      heap.end()
      try complete(x, at: to, after: "daunce_model_forecast from time \(from) to \(to)")
    }
  }

  /// The library's forecast without noise.
  ///
  /// - Throws: as `forecast`.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int) throws {
    let (from, to) = times(from: start, steps: steps)
    try state.withUnsafeMutableBufferPointer { state in
      guard let x = state.baseAddress else { return }
      try handle.coarseForecast(from: from, to: to, x)
      try complete(x, at: to, after: "daunce_model_coarse_forecast from time \(from) to \(to)")
    }
  }

  /// The library's state of a seed of 64 bits from `stream`.
  ///
  /// - Throws: as `forecast`.
  public func initialState(_ stream: RandomStream) throws -> [Double] {
    var state = [Double](repeating: .nan, count: layout.count)
    try state.withUnsafeMutableBufferPointer { state in
      guard let x = state.baseAddress else { return }
      try handle.initialState(seed: stream.seed, into: x)
      try complete(x, at: 0, after: "daunce_model_initial_state")
    }
    return state
  }

  /// Another model of the library.
  public func makeInstance(named name: String) throws -> any InstancedModel { try PluginModel(self) }

  /// What the library keeps besides the state.
  public func save() throws -> [UInt8] { keepsMemory ? try handle.save() : [] }

  /// Hands it back.
  public func restore(_ memory: [UInt8]) throws { if keepsMemory { try handle.restore(memory) } }

  private func times(from start: Int, steps: Int) -> (Double, Double) {
    (Double(start) * timeStep, Double(start + steps) * timeStep)
  }

  /// Lets the library observe a state that it has carried, and refuses what is no number.
  private func complete(_ x: UnsafeMutablePointer<Double>, at time: Double, after call: @autoclosure () -> String) throws {
    if carried < layout.count { try handle.observe(time: time, x, into: x + carried) }
    try layout.requireFinite(x, of: handle.library.name, after: call())
  }
}

extension PluginModel: DescribedModel {
  /// Hours in the unit of time, where the description says; lengths mean nothing in nature.
  public var physicalUnits: PhysicalUnits? { description.hours.map { PhysicalUnits(hours: $0, kilometres: nil) } }
}

extension ModelDescription {
  /// Refuses parameters that the model does not know, where it says which it does.
  func check(_ given: ParameterTable, of model: String) throws(CouplingError) {
    let known = parameters.parameters.map(\.name)
    guard !known.isEmpty, let strange = given.parameters.first(where: { !known.contains($0.name) }) else { return }
    throw CouplingError(
      model, "key model.parameters.\(strange.name)", found: "an unknown parameter",
      expected: "one of \(known.joined(separator: ", "))")
  }
}

extension RandomStream {
  /// 64 bits that stand for this stream: what models outside of the program are given.
  package var seed: UInt64 {
    let words = words(at: 0)
    return UInt64(words.x) << 32 | UInt64(words.y)
  }
}
