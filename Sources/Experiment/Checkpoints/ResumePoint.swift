import DaunceEnsemble
import DaunceState

/// How far a method has come through its truths' observations, as checkpoints have it: one section with the ensemble after
/// the last cycle, and one with what was recorded between each checkpoint and the one before.
struct ResumePoint {
  private let name: String
  /// Truth and cycle of the last checkpoint.
  var truth = 0
  var cycle = 0
  /// Sections of records so far.
  private var parts = 0

  init(_ name: String) { self.name = name }

  private var section: String { "method-\(name)" }
  private func part(_ k: Int) -> String { "records-\(name)-\(k)" }

  /// Goes to where a checkpoint has it, and records again what was recorded.
  ///
  /// - Returns: the rest of the section; `nil` if there is no checkpoint of this run.
  mutating func resume(_ checkpoints: Checkpoints, recorder: AnalysisRecorder?) throws -> Snapshot? {
    guard let snapshot = checkpoints.take(section) else { return nil }
    truth = try snapshot.integer("truth")
    cycle = try snapshot.integer("cycle")
    parts = try snapshot.integer("parts")
    for k in 0..<parts {
      guard let records = checkpoints.take(part(k)) else { throw SnapshotError(name: part(k), found: "nothing") }
      try recorder?.replay(records)
    }
    return snapshot
  }

  /// Keeps the run's sections for the next checkpoint. Called by all ranks.
  mutating func keep(_ snapshot: inout Snapshot, in context: ExperimentContext, recorder: AnalysisRecorder?) {
    context.checkpoints.set(part(parts), recorder?.takeUnsaved() ?? Snapshot(), members: 0)
    parts += 1
    snapshot.set("truth", truth)
    snapshot.set("cycle", cycle)
    snapshot.set("parts", parts)
    context.checkpoints.set(section, snapshot, members: context.distribution.members)
  }

  /// Leaves the run out of later checkpoints: it is over.
  func discard(_ checkpoints: Checkpoints) {
    checkpoints.remove(section)
    for k in 0..<parts { checkpoints.remove(part(k)) }
  }
}
