extension Communicator {
  /// Makes sure that all ranks hold the same thing, by a digest of it.
  ///
  /// One reduction: the maximum of (x, ~x) holds the maximum of x and the complement of its minimum. Only when they
  /// differ are the digests gathered to name the ranks.
  ///
  /// - Throws: `MPIError.disagreement` on all ranks.
  public func agree(on digest: UInt64, about subject: String) throws(MPIError) {
    agreement[0] = digest
    agreement[1] = ~digest
    try allreduce(&agreement, .max)
    if agreement[0] == ~agreement[1] { return }
    var digests = [UInt64](repeating: 0, count: size)
    try allgatherv([digest], into: &digests, counts: [Int](repeating: 1, count: size))
    throw .disagreement(
      subject: subject, ranks: digests.indices.filter { digests[$0] != digests[0] })
  }

  /// Whether `condition` holds on any rank: for a signal that one rank caught, or a member that failed.
  public func anyRank(_ condition: Bool) throws(MPIError) -> Bool {
    try allreduce(condition ? 1 : 0 as Int32, .max) != 0
  }

  /// Runs `body` on every rank and goes on only if it succeeded on all.
  ///
  /// One reduction when all is well. If a rank's `body` throws, all ranks throw, so none waits for it in a later
  /// collective. `body` itself must be local: a rank that fails inside would leave others waiting in a collective of
  /// the body.
  ///
  /// - Throws: `MPIError.rankFailed` on all ranks, with the error text of the lowest rank that failed.
  public func collectively<Result>(_ body: () throws -> Result) throws(MPIError) -> Result {
    let outcome = Swift.Result { try body() }
    // Errors that ranks know only from another one count after errors of their own, so nested calls keep the first
    // cause.
    let key: Int
    let own: (any Error)?
    switch outcome {
    case .success: (key, own) = (2 * size, nil)
    case .failure(MPIError.rankFailed(let inner)):
      (key, own) = (inner.underlying == nil ? size + rank : rank, inner.underlying ?? inner)
    case .failure(let error): (key, own) = (rank, error)
    }
    let lowest = try Int(allreduce(Int64(key), .min))
    if lowest == 2 * size, case .success(let result) = outcome { return result }
    let culprit = lowest % size
    let message = try broadcast(own.map { "\($0)" } ?? "", root: culprit)
    throw .rankFailed(
      RankFailure(rank: culprit, message: message, underlying: rank == culprit ? own : nil))
  }
}
