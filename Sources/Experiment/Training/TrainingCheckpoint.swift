import DaunceAgents
import DaunceEnsemble
import DaunceMPI

/// A training's sections in checkpoints: one of each set of agents that is trained.
final class TrainingCheckpoint {
  private let context: ExperimentContext
  private var saved: [String: Snapshot] = [:]
  private let start = ContinuousClock.now
  private var secondsBefore = 0.0

  /// Finds what a checkpoint has of the agents with these names.
  init(_ context: ExperimentContext, names: [String]) throws {
    self.context = context
    for name in names { saved[name] = context.checkpoints.take(section(name)) }
    var isOver = true
    for name in names {
      let isAtEnd = try saved[name].map { try AgentTrainer.isAtEnd($0) } ?? false
      isOver = isOver && isAtEnd
    }
    self.isOver = isOver
  }

  /// Whether all agents are trained, so that nothing of the reference filter is needed any more.
  private(set) var isOver = false

  /// Wall seconds of the training, those before an interruption included.
  var seconds: Double { secondsBefore + (ContinuousClock.now - start) / .seconds(1) }

  private func section(_ name: String) -> String { "training-\(name)" }

  /// Lets a trainer go on where a checkpoint has it, and offers a checkpoint after each of its steps.
  ///
  /// - Returns: whether a checkpoint has it.
  @discardableResult
  func resume(_ trainer: AgentTrainer, _ name: String) throws -> Bool {
    if context.checkpoints.isOn {
      trainer.onBoundary = { [unowned trainer] snapshot in
        try self.context.checkpoints.atBoundary(place: "the training of the \(name)") {
          try self.keep(trainer, name, try snapshot())
        }
      }
    }
    guard let snapshot = saved.removeValue(forKey: name) else { return false }
    try trainer.restore(snapshot, report: try snapshot.decode("report"))
    secondsBefore = max(secondsBefore, try snapshot.values("seconds", count: 1)[0])
    return true
  }

  /// Keeps a trainer's snapshot for the next checkpoint.
  func keep(_ trainer: AgentTrainer, _ name: String, _ snapshot: Snapshot) throws {
    guard context.checkpoints.isOn else { return }
    var snapshot = snapshot
    try snapshot.encode("report", trainer.report)
    snapshot.set("seconds", [seconds])
    context.checkpoints.set(section(name), snapshot, members: context.distribution.members)
  }
}
