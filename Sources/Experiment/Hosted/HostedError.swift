import DaunceMPI

/// An error of an analysis in somebody else's program: the same on all ranks.
public struct HostedError: Error, Sendable, CustomStringConvertible {
  /// Number of ``FailureKind``, or `lost`.
  public let code: Int32
  /// The message.
  public let description: String

  /// Code of an update that has left a member that cannot go on.
  public static let lost: Int32 = 66

  /// A message with the code of a kind.
  public init(_ kind: FailureKind, _ description: String) { self.init(code: kind.rawValue, description) }

  init(code: Int32, _ description: String) { (self.code, self.description) = (code, description) }

  /// A message of one form: `place: found this; expected that`.
  init(_ kind: FailureKind, _ place: String, found: String, expected: String) {
    self.init(kind, "\(place): found \(found); expected \(expected)")
  }

  /// What any error is to a host.
  public init(of error: any Error) {
    if let error = error as? HostedError {
      self = error
    } else if case .rankFailed(let failure)? = error as? MPIError {
      let cause = failure.underlying.map { HostedError(of: $0) }
      self.init(
        code: cause?.code ?? FailureKind.bug.rawValue,
        failure.rank == 0 ? failure.message : "rank \(failure.rank): \(failure.message)")
    } else {
      self.init(FailureKind(of: error), "\(error)")
    }
  }
}

extension Communicator {
  /// Runs `body` on every rank, and throws the same error on all of them where it throws on any: that of the lowest rank
  /// that has one of its own. Collective; one reduction where all is well.
  ///
  /// `body` is local, or throws on all ranks alike what it throws within a collective.
  package func hosted<Result>(_ body: () throws -> Result) throws(HostedError) -> Result {
    let outcome = Swift.Result { try body() }
    do {
      var own: HostedError?
      var key = 2 * size
      if case .failure(let error) = outcome {
        // After a failure of MPI's own nobody can be asked.
        if case .call? = error as? MPIError { throw HostedError(of: error) }
        own = HostedError(of: error)
        if case .rankFailed(let failure)? = error as? MPIError {
          key = failure.underlying == nil ? size + rank : rank
        } else {
          key = rank
        }
      }
      let lowest = try Int(allreduce(Int64(key), .min))
      if lowest == 2 * size { return try outcome.get() }
      let culprit = lowest % size
      var code = [own?.code ?? 0]
      try broadcast(&code, root: culprit)
      let text = try broadcast(own?.description ?? "", root: culprit)
      let isTold = culprit == 0 || text.hasPrefix("rank ")
      throw HostedError(code: code[0], isTold ? text : "rank \(culprit): \(text)")
    } catch {
      throw HostedError(of: error)
    }
  }
}
