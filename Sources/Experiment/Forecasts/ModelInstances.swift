import DaunceEnsemble
import DaunceMPI
import DaunceModels

/// A model as trajectories carry it side by side: one for all of them, or where it keeps memory an instance for each.
final class ModelInstances {
  private let shared: any ForecastModel
  /// One for each trajectory; empty where one model is enough.
  private let own: [any InstancedModel]
  private let note: (String) -> Void

  /// - Parameters:
  ///   - members: of the ensemble that is carried.
  ///   - note: is told what the user should know.
  init(of model: any ForecastModel, members: Range<Int>, note: @escaping (String) -> Void) throws {
    (shared, self.note) = (model, note)
    own = try model.instanced.map { instanced in
      try members.map { try instanced.makeInstance(named: "member-\(String($0).leftPadded(to: 3))") }
    } ?? []
  }

  /// The model of a trajectory.
  subscript(trajectory: Int) -> any ForecastModel { own.isEmpty ? shared : own[trajectory] }

  /// Adds every trajectory's memory to a snapshot, where there is any.
  func save(into snapshot: inout Snapshot) throws {
    guard own.contains(where: \.keepsMemory) else { return }
    snapshot.set("memories", members: try own.map { try $0.save() })
  }

  /// Takes it back.
  func restore(from snapshot: Snapshot) throws {
    guard own.contains(where: \.keepsMemory) else { return }
    let memories: [[UInt8]] = try snapshot.memberValues("memories")
    if let first = own.first, !first.isRestoredWhole {
      note("\(first.name): nothing but the state can be restored; models of members begin anew with it")
    }
    for (instance, memory) in zip(own, memories) { try instance.restore(memory) }
  }

  /// Takes what members keep back to before their last forecasts, of models that run side by side.
  func rewind() throws {
    for instance in own { try (instance as? any SideBySideModel)?.rewind() }
  }
}

extension String {
  /// The digits of a number, with zeros before them.
  fileprivate func leftPadded(to width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}

extension ForecastModel {
  /// The model as one of which every trajectory has an instance; `nil` for one that carries them all.
  fileprivate var instanced: (any InstancedModel)? {
    guard let instanced = self as? any InstancedModel, instanced.needsInstances else { return nil }
    return instanced
  }

  /// The model as one that keeps memory; `nil` for one that keeps none.
  fileprivate var keeping: (any InstancedModel)? {
    guard let instanced, instanced.keepsMemory else { return nil }
    return instanced
  }
}

extension ExperimentContext {
  /// The model for one trajectory from its beginning, or from what it kept.
  ///
  /// - Parameter name: of the trajectory, as a file can be named; `nil`: what this rank carries for agents.
  func modelInstance(named name: String? = nil, memory: [UInt8]? = nil) throws -> any ForecastModel {
    guard let instanced = model.instanced else { return model }
    let instance = try instanced.makeInstance(named: name ?? "agents-\(communicator.rank)")
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
