import COpenMPI

/// What can go wrong between ranks. Errors are thrown, never fatal: the caller decides whether the job ends.
public enum MPIError: Error, Sendable {
  /// An MPI call returned an error.
  ///
  /// - operation: the call's name, such as `MPI_Allreduce`.
  /// - code: MPI's error code.
  /// - message: MPI's own text for that code.
  case call(operation: String, code: Int, message: String)

  /// The library or its interface cannot do what is asked.
  case unsupported(String)

  /// Ranks that had to agree do not. Thrown on all ranks.
  ///
  /// - subject: what they had to agree about.
  /// - ranks: those that differ from rank 0, ascending.
  case disagreement(subject: String, ranks: [Int])

  /// A rank failed inside ``Communicator/collectively(_:)``. Thrown on all ranks.
  case rankFailed(RankFailure)
}

/// The error of one rank, as every rank learns of it.
public struct RankFailure: Error, Sendable {
  /// The lowest rank that failed, in the communicator whose ranks were asked.
  public let rank: Int
  /// That rank's own error, as text.
  public let message: String
  /// The error itself on the rank that had it; `nil` elsewhere. Exactly one rank has it, so that rank is the one to
  /// report it.
  public let underlying: (any Error)?
}

extension MPIError: CustomStringConvertible {
  /// As messages show it.
  public var description: String {
    switch self {
    case .call(let operation, let code, let message):
      return "\(operation): \(message) (code \(code))"
    case .unsupported(let reason):
      return reason
    case .disagreement(let subject, let ranks):
      let shown = ranks.prefix(8).map(String.init).joined(separator: ", ")
      let more = ranks.count > 8 ? " and \(ranks.count - 8) more" : ""
      let verb = ranks.count == 1 ? "rank \(shown) differs" : "ranks \(shown)\(more) differ"
      return "ranks disagree about \(subject): \(verb) from rank 0; start all ranks from the same program and files"
    case .rankFailed(let failure):
      return failure.description
    }
  }
}

extension RankFailure: CustomStringConvertible {
  /// As messages show it.
  public var description: String { "rank \(rank): \(message)" }
}

/// Throws MPI's own account of `code` unless it is success.
@inline(__always)
func check(_ code: CInt, _ operation: StaticString) throws(MPIError) {
  if code != daunce_success() { throw failure(code, operation) }
}

@inline(never)
private func failure(_ code: CInt, _ operation: StaticString) -> MPIError {
  let message = text(capacity: daunce_max_error_string()) { MPI_Error_string(code, $0, $1) }
  return .call(
    operation: operation.description, code: Int(code), message: message ?? "unknown error")
}

/// The string that one of MPI's text functions writes; `nil` when it fails.
func text(
  capacity: CInt, _ write: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<CInt>) -> CInt
) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(capacity) + 1) { buffer in
    guard let base = buffer.baseAddress else { return nil }
    var length: CInt = 0
    guard write(base, &length) == daunce_success() else { return nil }
    let characters = UnsafeBufferPointer(start: base, count: min(Int(length), Int(capacity)))
    return String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
