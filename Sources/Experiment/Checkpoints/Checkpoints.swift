public import DaunceArchive
import DaunceEnsemble
import DaunceSettings
public import Foundation
public import DaunceMPI

/// When checkpoints are written.
public enum CheckpointSchedule: Sendable, Hashable {
  /// After so many cycles, or steps of a training.
  case cycles(Int)
  /// At the end of the cycle in which so much wall time has passed.
  case seconds(Double)
  /// Only when the job is interrupted.
  case onInterruption
}

/// The end of a job that can be gone on with: all ranks throw it at the end of the same cycle, with a checkpoint on disk.
public struct Interruption: Error, Sendable, CustomStringConvertible {
  /// Where the job stopped, and what to do.
  public let description: String
}

/// A job's checkpoints as its stages see them: they offer to save at the end of every cycle, and this decides.
public final class Checkpoints {
  private let store: CheckpointStore?
  private let communicator: Communicator
  private let schedule: CheckpointSchedule
  private let isInterrupted: () -> Bool
  private let progress: any ProgressReporter
  private var boundaries = 0
  private var last = ContinuousClock.now
  /// Set by rank 0 when what has to be saved grows large.
  var isUrgent = false

  /// No checkpoints.
  init(none communicator: Communicator) {
    store = nil
    self.communicator = communicator
    schedule = .onInterruption
    isInterrupted = { false }
    progress = SilentProgress()
  }

  /// Checkpoints in `folder`. Collective.
  ///
  /// - Parameters:
  ///   - identity: the command, which has to be the same to go on.
  ///   - resumes: whether to go on from the newest whole checkpoint in the folder.
  ///   - provenance: `history` is the command line.
  ///   - isInterrupted: whether this process has been asked to stop.
  /// - Throws: `ExperimentError` when there is nothing to resume, it is another job's, or the folder holds an unfinished
  ///   job that is not to be resumed.
  public convenience init(
    folder: URL, schedule: CheckpointSchedule, identity: String, resumes: Bool, context: ExperimentContext, provenance: Provenance,
    isInterrupted: @escaping () -> Bool
  ) throws {
    try self.init(
      folder: folder, schedule: schedule, identity: identity, resumes: resumes,
      configuration: context.configuration.canonicalText, communicator: context.communicator, progress: context.progress,
      provenance: provenance, isInterrupted: isInterrupted)
  }

  /// The same for a job without an experiment; `configuration` has `key=value` of all keys, a line each.
  public init(
    folder: URL, schedule: CheckpointSchedule, identity: String, resumes: Bool, configuration: String,
    communicator: Communicator, progress: any ProgressReporter, provenance: Provenance,
    isInterrupted: @escaping () -> Bool
  ) throws {
    self.schedule = schedule
    self.isInterrupted = isInterrupted
    self.communicator = communicator
    self.progress = progress
    let store = CheckpointStore(
      folder: folder.path,
      job: .init(
        version: provenance.version, identity: identity, command: provenance.history,
        configuration: configuration.split(separator: "\n").map(String.init)),
      provenance: provenance, communicator: communicator)
    self.store = store
    if resumes {
      let place = try store.open { [progress] in progress.note($0) }
      // What a process that was killed had begun to write.
      let output = folder.deletingLastPathComponent().path
      if communicator.isRoot { Folders.removeTemporaries(in: output) }
      progress.note("going on from \(place)")
    } else {
      try store.requireNone()
    }
  }

  /// The command line that the job was begun with; `nil` without checkpoints.
  public var command: String? { store?.job.command }

  // MARK: Going on

  /// Makes sure that a job that goes on is given what it was begun with. Collective.
  ///
  /// - Parameters:
  ///   - subject: what it is, for the message.
  ///   - digest: of what all ranks share.
  ///   - members: digests of what the local members have of their own.
  func require(_ subject: String, digest: UInt64, members: [UInt64], of context: ExperimentContext) throws {
    try require(subject, digest: digest, members: members, memberCount: context.distribution.members)
  }

  /// The same for an ensemble of `memberCount`; 0: of nothing but what all share.
  func require(_ subject: String, digest: UInt64, members: [UInt64] = [], memberCount: Int = 0) throws {
    guard let store else { return }
    let (own, locals) = (Int64(bitPattern: digest), members.map { Int64(bitPattern: $0) })
    let saved = store.take("inputs")
    try communicator.collectively {
      guard let saved else { return }
      let isSame =
        try saved.values("digest") == [own]
        && (memberCount == 0 || saved.memberValues("digest", count: 1) == locals.map { [$0] })
      guard isSame else {
        throw ExperimentError(
          .data, store.folder, found: "other contents of \(subject)",
          expected: "those that the job was begun with; only the job that was interrupted can be resumed")
      }
    }
    guard saved == nil else { return }
    var snapshot = Snapshot()
    snapshot.set("digest", [own])
    if memberCount > 0 { snapshot.set("digest", members: locals.map { [$0] }) }
    store.set("inputs", snapshot, members: memberCount)
  }

  // MARK: Saving

  /// What this rank has to say at the end of a cycle: 0 nothing, 1 save, 2 save and stop. The largest of all ranks counts.
  func vote() -> Double {
    guard store != nil else { return 0 }
    boundaries += 1
    if isInterrupted() { return 2 }
    guard communicator.isRoot else { return 0 }
    switch schedule {
    case .cycles(let count): return boundaries >= count || isUrgent ? 1 : 0
    case .seconds(let seconds): return (ContinuousClock.now - last) / .seconds(1) >= seconds || isUrgent ? 1 : 0
    case .onInterruption: return isUrgent ? 1 : 0
    }
  }

  /// Does what the ranks have agreed on at the end of a cycle or training step. Collective.
  ///
  /// - Parameters:
  ///   - vote: the largest of all ranks' votes.
  ///   - place: where the job stands, in words.
  ///   - save: keeps the running stage's sections by `set`.
  /// - Throws: `Interruption` if the job is to stop. A checkpoint that cannot be written is a reason to stop only then:
  ///   otherwise the job goes on and tells.
  func act(on vote: Double, place: @autoclosure () -> String, save: () throws -> Void) throws {
    guard let store, vote > 0 else { return }
    try save()
    let place = place()
    do {
      try store.commit(place: place)
    } catch MPIError.rankFailed(let failure) where vote < 2 {
      progress.note("no checkpoint at \(place): \(failure.message)")
    }
    boundaries = 0
    last = ContinuousClock.now
    isUrgent = false
    if vote >= 2 {
      throw Interruption(description: "interrupted at \(place); --resume goes on from the checkpoint in \(store.folder)")
    }
  }

  /// The same where no other agreement of the ranks can carry the vote.
  func atBoundary(place: @autoclosure () -> String, save: () throws -> Void) throws {
    guard store != nil else { return }
    try act(on: try communicator.allreduce(vote(), .max), place: place(), save: save)
  }

  /// The ranks that save together.
  var ranks: Communicator { communicator }

  /// Whether anything is saved at all.
  var isOn: Bool { store != nil }

  /// Keeps a section; see `CheckpointStore`.
  func set(_ name: String, _ snapshot: Snapshot, members: Int) { store?.set(name, snapshot, members: members) }

  /// Forgets a section.
  func remove(_ name: String) { store?.remove(name) }

  /// A section of the checkpoint that the job goes on from, once; `nil` if there is none.
  func take(_ name: String) -> Snapshot? { store?.take(name) }

  /// Removes all checkpoints after the job's last file is written. Collective.
  func finish() throws { try store?.removeAll() }
}
