import DaunceEnsemble
import DaunceModels

/// A model as trajectories carry it side by side: one for all of them, or where it keeps memory an instance for each.
final class ModelInstances {
  private let shared: any ForecastModel
  /// One for each trajectory; empty where one model is enough.
  private let own: [any InstancedModel]
  private let note: (String) -> Void

  /// - Parameters:
  ///   - count: number of trajectories.
  ///   - note: is told what the user should know.
  init(of model: any ForecastModel, count: Int, note: @escaping (String) -> Void) throws {
    (shared, self.note) = (model, note)
    own = try model.keeping.map { instanced in try (0..<count).map { _ in try instanced.makeInstance() } } ?? []
  }

  /// The model of a trajectory.
  subscript(trajectory: Int) -> any ForecastModel { own.isEmpty ? shared : own[trajectory] }

  /// Adds every trajectory's memory to a snapshot, where there is any.
  func save(into snapshot: inout Snapshot) throws {
    if !own.isEmpty { snapshot.set("memories", members: try own.map { try $0.save() }) }
  }

  /// Takes it back.
  func restore(from snapshot: Snapshot) throws {
    guard !own.isEmpty else { return }
    let memories: [[UInt8]] = try snapshot.memberValues("memories")
    if let first = own.first, !first.isRestoredWhole {
      note("\(first.name): nothing but the state can be restored; models of members begin anew with it")
    }
    for (instance, memory) in zip(own, memories) { try instance.restore(memory) }
  }
}

extension ForecastModel {
  /// The model as one that keeps memory; `nil` for one that keeps none.
  fileprivate var keeping: (any InstancedModel)? {
    guard let instanced = self as? any InstancedModel, instanced.keepsMemory else { return nil }
    return instanced
  }
}

extension ExperimentContext {
  /// The model for one trajectory from its beginning, or from what it kept.
  func modelInstance(memory: [UInt8]? = nil) throws -> any ForecastModel {
    guard let keeping = model.keeping else { return model }
    let instance = try keeping.makeInstance()
    if let memory { try instance.restore(memory) }
    return instance
  }
}

extension ForecastModel {
  /// What it keeps besides the state; nothing where it keeps none.
  func memory() throws -> [UInt8] { try keeping?.save() ?? [] }
}

/// Takes a model back to the memory that a new one has. Agents' forecasts begin so: their sequences start in the middle of
/// others' trajectories, whose memory nobody has.
struct Renewal {
  private let model: any InstancedModel
  private let beginning: [UInt8]

  /// - Parameter model: an instance that has carried nothing yet.
  /// - Returns: `nil` for a model that keeps no memory.
  init?(of model: any ForecastModel) throws {
    guard let keeping = model.keeping else { return nil }
    self.model = keeping
    beginning = try keeping.save()
  }

  /// Forgets what the model has kept.
  func renew() throws { try model.restore(beginning) }
}
