import COpenMPI

extension Communicator {
  /// Sends a piece of `values` to every rank and receives one from each.
  ///
  /// - Parameters:
  ///   - values: what this rank sends.
  ///   - send: piece for each rank: where it starts in `values` and how long it is (`[size]`).
  ///   - result: receives the pieces.
  ///   - receive: where the piece of each rank starts in `result` and how long it is, as that rank sends it (`[size]`).
  public func alltoallv<T: MPIScalar>(
    _ values: UnsafePointer<T>, send: [Range<Int>], into result: UnsafeMutablePointer<T>, receive: [Range<Int>]
  ) throws(MPIError) {
    precondition(send.count == size && receive.count == size, "an exchange needs one piece for every rank")
    var lengths: [[CInt]] = []
    for pieces in [send, receive] {
      var (counts, starts) = ([CInt](), [CInt]())
      for piece in pieces {
        guard let count = CInt(exactly: piece.count), let start = CInt(exactly: piece.lowerBound) else {
          throw .unsupported("an exchange of more than \(CInt.max) elements: MPI counts with 32 bits")
        }
        counts.append(count)
        starts.append(start)
      }
      lengths += [counts, starts]
    }
    record(bytes: send.reduce(0) { $0 + $1.count } * MemoryLayout<T>.stride)
    let code = MPI_Alltoallv(
      values, lengths[0], lengths[1], T.datatype.handle, result, lengths[2], lengths[3], T.datatype.handle, handle)
    try check(code, "MPI_Alltoallv")
  }
}
