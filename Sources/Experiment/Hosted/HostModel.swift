public import DaunceCoupling
public import DaunceModels
public import DaunceNumerics
public import DaunceState

/// The model of a program that runs its ensemble itself: a layout, and no forecast of its own, for states come with the
/// host's forecast in them.
public final class HostModel: TwinModel, CoarseModel, ConservingModel {
  /// A cheap deterministic forecast of the host's, in place, between two times in the model's unit; not 0 for a failure.
  public typealias CoarseForecast = (_ from: Double, _ to: Double, _ state: UnsafeMutablePointer<Double>) -> Int32

  /// As the host has it.
  public let description: ModelDescription
  /// Fields of the state, then what the host observes of it.
  public let layout: StateLayout
  /// As the description has them.
  public let invariants: [LinearInvariant]
  /// How truths are observed unless a configuration says otherwise.
  public let observing: ObservingSystem
  private let coarse: CoarseForecast?

  /// - Parameters:
  ///   - description: validated.
  ///   - arrays: that it refers to, by name.
  /// - Throws: `CouplingError` for an array that is not there or of another length.
  public init(_ description: ModelDescription, arrays: [String: [Double]], coarse: CoarseForecast?) throws {
    self.description = description
    self.coarse = coarse
    let array = { (name: String, count: Int) throws -> [Double] in
      let found = arrays[name]
      guard let found, found.count == count, found.allSatisfy(\.isFinite) else {
        let words = found.map { $0.count == count ? "numbers that are not finite" : "\($0.count) numbers" } ?? "nothing"
        throw CouplingError(
          "description", "array \(name)", found: words, expected: "\(count) finite numbers, handed over by daunce_set_array")
      }
      return found
    }
    layout = try description.makeLayout(of: "description", arrays: array)
    invariants = try description.makeInvariants(in: layout, arrays: array)
    observing = description.makeObserving(in: layout)
  }

  /// The description's.
  public var name: String { description.name }
  /// The description's, which has been checked.
  public var timeStep: Double { description.timeStep ?? 1 }
  /// None.
  public var energies: [any StateFunction] { [] }
  /// Whether the host has one.
  public var hasCoarseForecast: Bool { coarse != nil }

  /// Nothing: the host has carried the state already.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) {}

  /// The host's.
  ///
  /// - Throws: `CouplingError` where it fails or leaves what is no number.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int) throws {
    guard let coarse else { return }
    let (from, to) = (Double(start) * timeStep, Double(start + steps) * timeStep)
    let call = "coarse forecast from time \(from) to \(to)"
    try state.withUnsafeMutableBufferPointer { state in
      guard let x = state.baseAddress else { return }
      let code = coarse(from, to, x)
      guard code == 0 else { throw CouplingError("host", "\(call) failed with code \(code)") }
      try layout.requireFinite(x, of: "host", after: call)
    }
  }

  /// Nothing that a host is asked for.
  ///
  /// - Throws: always.
  public func initialState(_ stream: RandomStream) throws -> [Double] {
    throw CouplingError("host", found: "a nature run to be made", expected: "settings that need none: the host's model is not run")
  }
}

extension HostModel: DescribedModel {
  /// Hours in the unit of time, where the description says.
  public var physicalUnits: PhysicalUnits? { description.hours.map { PhysicalUnits(hours: $0, kilometres: nil) } }
}

extension ModelEntry {
  /// Name of hosts' models, in the library alone.
  static let hostName = "host"

  /// Stands for a host's model in configurations. It takes every key of the section `model`, so that one file is good for
  /// the host and for `daunce-mpi`.
  static func registerHost() {
    guard registry[hostName] == nil else { return }
    let keys = Set(registry.entries.flatMap(\.keys))
    registry.register(
      ModelEntry(hostName, "the model of the program that calls this library", keys: keys, cells: nil) { _ in
        throw ExperimentError(.bug, "a host's model is not made from a configuration")
      })
  }
}
