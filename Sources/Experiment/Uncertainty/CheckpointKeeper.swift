import DaunceEnsemble
import DaunceUncertainty

/// Progress and checkpoints of work in pieces.
struct CheckpointKeeper: WorkKeeper {
  let checkpoints: Checkpoints
  let progress: any ProgressReporter

  func begin(_ name: String, count: Int, width: Int) throws -> Pieces {
    progress.begin(name, total: count)
    guard let saved = checkpoints.take(section(name)) else { return Pieces(count: count, width: width) }
    let isDone: [UInt8] = try saved.values("done", count: count)
    guard
      let pieces = Pieces(
        count: count, width: width, values: try saved.values("values", count: count * width), isDone: isDone.map { $0 == 1 })
    else { throw SnapshotError(name: section(name), found: "other numbers of pieces") }
    // What is done stays in later checkpoints.
    keep(name, pieces)
    return pieces
  }

  func offer(_ name: String, done: Int, _ pieces: inout Pieces) throws {
    progress.advance(to: done)
    var collected = pieces
    try checkpoints.atBoundary(place: "\(name) \(done) of \(collected.count)") {
      try collected.collect(on: checkpoints.ranks)
      keep(name, collected)
    }
    pieces = collected
  }

  func end(_ name: String, _ pieces: Pieces) throws {
    keep(name, pieces)
    progress.end()
  }

  private func keep(_ name: String, _ pieces: Pieces) {
    guard checkpoints.isOn else { return }
    var snapshot = Snapshot()
    snapshot.set("done", pieces.isDone.map { UInt8($0 ? 1 : 0) })
    snapshot.set("values", pieces.values)
    checkpoints.set(section(name), snapshot, members: 0)
  }

  private func section(_ name: String) -> String { name.replacing(" ", with: "-") }
}
