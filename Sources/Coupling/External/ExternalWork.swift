/// Runs of the program, side by side.
final class ExternalWork: ProgramWork {
  private let setup: ExternalSetup
  private let pieces: [ExternalModel.Piece]
  private var before: [[String: FileStamp]]
  private var results: [Result<[Double], any Error>?]
  /// How often each has failed.
  private(set) var failures: [Int]
  /// Whether each was begun again because of a signal at its start.
  private var isRepeated: [Bool]

  init(_ setup: ExternalSetup, _ pieces: [ExternalModel.Piece]) {
    (self.setup, self.pieces) = (setup, pieces)
    before = pieces.map { _ in [:] }
    results = pieces.map { _ in nil }
    failures = pieces.map { _ in 0 }
    isRepeated = pieces.map { _ in false }
  }

  var count: Int { pieces.count }

  func prepare(_ k: Int) throws -> ProgramRequest? {
    guard let (request, before) = try pieces[k].model.prepare(pieces[k], isAgain: failures[k] > 0 || isRepeated[k]) else { return nil }
    self.before[k] = before
    return request
  }

  func end(_ k: Int, seconds: Double, error: (any Error)?) -> Bool {
    let piece = pieces[k]
    if !isRepeated[k], ended(error)?.isCaughtAtStart ?? false {
      isRepeated[k] = true
      return true
    }
    if seconds > 0 { setup.count(seconds, of: piece.model.trajectory) }
    let result = Result {
      switch error {
      case let error as ProcessOutcome: throw CouplingError(ExternalSetup.name, "\(error)")
      case let error as WorkerError: throw CouplingError("\(ExternalSetup.name) in \(piece.model.place)", "\(error)")
      case let error?: throw error
      case nil: break
      }
      return try piece.model.take(piece, before: before[k])
    }
    if case .failure = result {
      failures[k] += 1
      if failures[k] <= setup.settings.retries { return true }
      piece.model.keepFolder()
    }
    results[k] = result
    return false
  }

  /// The program that has ended, where that is the error.
  private func ended(_ error: (any Error)?) -> ProcessOutcome? {
    if case .ended(let outcome)? = (error as? WorkerError)?.problem { return outcome }
    return error as? ProcessOutcome
  }

  /// The state after piece `k`.
  func result(_ k: Int) throws -> [Double] {
    guard let result = results[k] else { throw CouplingError(ExternalSetup.name, "no result of \(pieces[k].model.trajectory)") }
    return try result.get()
  }
}
