import DaunceArchive
import DaunceEnsemble
import Foundation
import DaunceMPI

/// The folder with a job's checkpoints: the last two of them are whole at any moment, whatever happens to the job.
///
/// Files are written aside, synced and renamed, the manifest last; what neither of the two newest manifests names is
/// removed after that. All methods are collective.
final class CheckpointStore {
  let folder: String
  private let communicator: Communicator
  private let provenance: Provenance
  /// The job, with the command line that it was begun with.
  private(set) var job: CheckpointManifest.Job
  /// The newest checkpoints, oldest first, two at most.
  private var kept: [CheckpointManifest] = []
  private var serial = 0
  /// Sections of the next checkpoint that are on disk already, and those that are not.
  private var written: [CheckpointManifest.Section] = []
  private var unwritten: [(name: String, snapshot: Snapshot, members: Int)] = []
  /// Sections of the checkpoint that was opened, until they are asked for.
  private var loaded: [String: Snapshot] = [:]

  init(folder: String, job: CheckpointManifest.Job, provenance: Provenance, communicator: Communicator) {
    self.folder = folder
    self.job = job
    self.provenance = provenance.titled("checkpoint")
    self.communicator = communicator
  }

  private func path(_ file: String) -> String { "\(folder)/\(file)" }

  // MARK: Saving

  /// Keeps a section for the next checkpoint, in place of what there was under its name. Called by all ranks; for
  /// `members` 0 rank 0's snapshot is kept alone.
  func set(_ name: String, _ snapshot: Snapshot, members: Int) {
    remove(name)
    unwritten.append((name, snapshot, members))
  }

  /// Leaves a section out of the next checkpoint.
  func remove(_ name: String) {
    unwritten.removeAll { $0.name == name }
    written.removeAll { $0.name == name }
    loaded[name] = nil
  }

  /// Writes a checkpoint.
  ///
  /// - Throws: the same error on all ranks. Older checkpoints are as they were, and sections not lost.
  func commit(place: String) throws {
    let next = serial + 1
    var digests = [UInt64](repeating: 0, count: unwritten.count)
    try communicator.collectively {
      try Folders.make(folder)
      for (k, section) in unwritten.enumerated() where section.members > 0 || communicator.isRoot {
        let file = section.snapshot.file(withShared: communicator.isRoot)
        let target = CheckpointManifest.Section(name: section.name, serial: next, members: 0, digests: [])
        digests[k] = try file.write(to: path(target.file(rank: communicator.rank)), provenance: provenance)
      }
    }
    let size = communicator.size
    var all = [UInt64](repeating: 0, count: digests.count * size)
    try communicator.allgatherv(digests, into: &all, counts: [Int](repeating: digests.count, count: size))
    var sections = written
    for (k, section) in unwritten.enumerated() {
      let ranks = section.members > 0 ? size : 1
      sections.append(
        CheckpointManifest.Section(
          name: section.name, serial: next, members: section.members,
          digests: (0..<ranks).map { String(all[$0 * digests.count + k], radix: 16) }))
    }
    let manifest = CheckpointManifest(serial: next, job: job, place: place, sections: sections)
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try Folders.write(try manifest.text(), to: path(CheckpointManifest.file(serial: next)))
    }
    serial = next
    written = sections
    unwritten = []
    kept = Array((kept + [manifest]).suffix(2))
    if communicator.isRoot { removeAllBut(kept) }
  }

  /// Removes files of older checkpoints, and what an interrupted write has left.
  private func removeAllBut(_ manifests: [CheckpointManifest]) {
    var needed = Set(manifests.map { CheckpointManifest.file(serial: $0.serial) })
    for manifest in manifests { needed.formUnion(manifest.files) }
    for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where !needed.contains(file) {
      try? FileManager.default.removeItem(atPath: path(file))
    }
  }

  /// Removes the folder: the job is done.
  func removeAll() throws {
    if communicator.isRoot, FileManager.default.fileExists(atPath: folder) {
      // Manifests first, the newest before the other: whenever this is interrupted, a manifest that is there is whole.
      for number in serials().reversed() {
        try? FileManager.default.removeItem(atPath: path(CheckpointManifest.file(serial: number)))
      }
      removeAllBut([])
      try? FileManager.default.removeItem(atPath: folder)
    }
    try communicator.barrier()
  }

  // MARK: Going on

  /// Makes sure that the folder has no checkpoint, whole or not.
  ///
  /// - Throws: `ExperimentError` that says what to do with it.
  func requireNone() throws {
    try communicator.collectively {
      guard communicator.isRoot, let newest = serials().last else { return }
      throw ExperimentError(
        .data, folder, found: "checkpoint \(newest) of an unfinished job",
        expected: "none; add --resume to go on with that job, or remove the folder, or name another --output")
    }
  }

  /// Numbers of the checkpoints with a manifest, ascending.
  private func serials() -> [Int] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap(CheckpointManifest.serial(of:))
      .sorted()
  }

  /// Reads the newest checkpoint that is whole on all ranks.
  ///
  /// - Parameter onDamage: told of each checkpoint that is not.
  /// - Returns: where the job stood.
  /// - Throws: `ExperimentError` when there is no whole one, or it is another job's.
  func open(onDamage: (String) -> Void) throws -> String {
    var numbers = communicator.isRoot ? serials().reversed().map { Int64($0) } : []
    try communicator.broadcast(resizing: &numbers)
    try communicator.collectively {
      guard numbers.isEmpty else { return }
      throw ExperimentError(
        .data, folder, found: "no checkpoint", expected: "one to resume from; without --resume the job starts anew")
    }
    for number in numbers.map({ Int($0) }) {
      let manifest: CheckpointManifest
      do {
        manifest = try read(number)
      } catch MPIError.rankFailed(let failure) {
        onDamage("checkpoint \(number) is left out: \(failure.message)")
        continue
      }
      try requireSame(manifest)
      job = manifest.job
      serial = Int(numbers[0])
      written = manifest.sections
      kept = [manifest]
      return manifest.place
    }
    return try communicator.collectively {
      throw ExperimentError(
        .data, folder, found: "no whole checkpoint",
        expected: "at least one of two; remove the folder to start the job anew")
    }
  }

  /// Makes sure that a checkpoint is of this job.
  private func requireSame(_ manifest: CheckpointManifest) throws {
    try communicator.collectively {
      guard let difference = manifest.job.difference(to: job) else { return }
      throw ExperimentError(
        .data,
        "\(path(CheckpointManifest.file(serial: manifest.serial))): \(difference); only the job that was interrupted can "
          + "be resumed")
    }
  }

  /// Reads all sections of one checkpoint: every rank the files with its members, and rank 0's.
  private func read(_ number: Int) throws -> CheckpointManifest {
    let manifest = try communicator.collectively {
      let path = path(CheckpointManifest.file(serial: number))
      guard let data = FileManager.default.contents(atPath: path) else {
        throw ExperimentError(.inputOutput, path, found: "a file that cannot be read", expected: "a manifest")
      }
      return try CheckpointManifest(text: String(decoding: data, as: UTF8.self), path: path)
    }
    let sections = try communicator.collectively { try manifest.sections.map { ($0.name, try read($0)) } }
    loaded = Dictionary(sections) { $1 }
    return manifest
  }

  private func read(_ section: CheckpointManifest.Section) throws -> Snapshot {
    var snapshot = Snapshot()
    let own =
      section.members > 0
      ? try Distribution(members: section.members, ranks: communicator.size, rank: communicator.rank).local : 0..<0
    for rank in section.digests.indices {
      let held =
        section.members > 0
        ? try Distribution(members: section.members, ranks: section.digests.count, rank: rank).local : 0..<0
      let shared = held.clamped(to: own)
      guard rank == 0 || !shared.isEmpty else { continue }
      let path = path(section.file(rank: rank))
      let file = try ArrayFile.read(path)
      guard String(file.digest, radix: 16) == section.digests[rank] else {
        throw ExperimentError(
          .data, path, found: "contents with digest \(String(file.digest, radix: 16))",
          expected: "\(section.digests[rank]), as the manifest has it")
      }
      snapshot.add(
        file, shared: rank == 0,
        rows: shared.isEmpty ? 0..<0 : shared.lowerBound - held.lowerBound..<shared.upperBound - held.lowerBound)
    }
    return snapshot
  }

  /// A section of the checkpoint that was opened, once; `nil` if it has none of that name.
  func take(_ name: String) -> Snapshot? { loaded.removeValue(forKey: name) }
}
