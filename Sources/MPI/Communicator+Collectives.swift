import COpenMPI

extension Communicator {
  /// MPI counts elements with 32 bits; longer buffers go in pieces of this many elements.
  private static let pieceLength = 1 << 30

  // MARK: Reductions

  /// Combines the buffers of all ranks element by element; all ranks get the result in place.
  ///
  /// - Parameter buffer: of the same count on all ranks.
  public func allreduce<T: MPIScalar>(
    _ buffer: inout [T], _ operation: ReduceOperation
  ) throws(MPIError) {
    let code = buffer.withUnsafeMutableBytes { reduce($0, as: T.self, operation) }
    try check(code, "MPI_Allreduce")
  }

  /// Combines the buffers of all ranks element by element; all ranks get the result in place.
  ///
  /// - Parameter buffer: of the same count on all ranks.
  public func allreduce<T: MPIScalar>(
    _ buffer: inout MutableSpan<T>, _ operation: ReduceOperation
  ) throws(MPIError) {
    let code = buffer.withUnsafeMutableBytes { reduce($0, as: T.self, operation) }
    try check(code, "MPI_Allreduce")
  }

  /// Combines one value of every rank; all ranks get the result.
  public func allreduce<T: MPIScalar>(
    _ value: T, _ operation: ReduceOperation
  ) throws(MPIError) -> T {
    var result = value
    let code = withUnsafeMutableBytes(of: &result) { reduce($0, as: T.self, operation) }
    try check(code, "MPI_Allreduce")
    return result
  }

  private func reduce<T: MPIScalar>(
    _ bytes: UnsafeMutableRawBufferPointer, as type: T.Type, _ operation: ReduceOperation
  ) -> CInt {
    record(bytes: bytes.count)
    if let board, board.takesReduction(of: bytes.count) {
      return board.reduce(
        bytes, count: bytes.count / MemoryLayout<T>.stride, T.datatype.handle, operation.handle)
    }
    return inPieces(bytes, of: T.self) { start, count in
      MPI_Allreduce(daunce_in_place(), start, count, T.datatype.handle, operation.handle, handle)
    }
  }

  // MARK: Broadcasts

  /// Copies the root's buffer to all ranks.
  ///
  /// - Parameter buffer: of the same count on all ranks.
  public func broadcast<T: MPIScalar>(_ buffer: inout [T], root: Int = 0) throws(MPIError) {
    let code = buffer.withUnsafeMutableBytes { bytes in
      record(bytes: rank == root ? bytes.count : 0)
      return inPieces(bytes, of: T.self) { start, count in
        MPI_Bcast(start, count, T.datatype.handle, CInt(root), handle)
      }
    }
    try check(code, "MPI_Bcast")
  }

  /// Copies the root's buffer to all ranks, which need not know its length: theirs is made to fit.
  public func broadcast<T: MPIScalar>(resizing buffer: inout [T], root: Int = 0) throws(MPIError) {
    var length = [Int64(buffer.count)]
    try broadcast(&length, root: root)
    let count = Int(length[0])
    if buffer.count != count { buffer = [T](repeating: .zero, count: count) }
    try broadcast(&buffer, root: root)
  }

  /// The root's text on all ranks.
  public func broadcast(_ text: String, root: Int = 0) throws(MPIError) -> String {
    var bytes = rank == root ? Array(text.utf8) : []
    try broadcast(resizing: &bytes, root: root)
    return rank == root ? text : String(decoding: bytes, as: UTF8.self)
  }

  // MARK: Gathers

  /// Lines up the values of all ranks, in the order of ranks, on every rank.
  ///
  /// - Parameters:
  ///   - values: of this rank, `counts[rank]` of them.
  ///   - result: `counts[0] + counts[1] + ...` elements.
  ///   - counts: of every rank, the same on all ranks (`[size]`).
  public func allgatherv<T: MPIScalar>(
    _ values: Span<T>, into result: inout [T], counts: [Int]
  ) throws(MPIError) {
    let code = try values.withUnsafeBufferPointer { (values) throws(MPIError) in
      try gatherAll(values, into: &result, counts: counts)
    }
    try check(code, "MPI_Allgatherv")
  }

  /// Lines up the values of all ranks, in the order of ranks, on every rank.
  public func allgatherv<T: MPIScalar>(
    _ values: [T], into result: inout [T], counts: [Int]
  ) throws(MPIError) {
    let code = try values.withUnsafeBufferPointer { (values) throws(MPIError) in
      try gatherAll(values, into: &result, counts: counts)
    }
    try check(code, "MPI_Allgatherv")
  }

  private func gatherAll<T: MPIScalar>(
    _ values: UnsafeBufferPointer<T>, into result: inout [T], counts: [Int]
  ) throws(MPIError) -> CInt {
    let total = try plan(counts)
    precondition(values.count == counts[rank], "allgatherv: values don't have the count of this rank")
    precondition(result.count == total, "allgatherv: result doesn't have the sum of the counts")
    record(bytes: values.count * MemoryLayout<T>.stride)
    if let board, takes(board, T.self) {
      result.withUnsafeMutableBytes {
        board.gather(
          UnsafeRawBufferPointer(values), into: $0.baseAddress, counts: self.counts, stride: MemoryLayout<T>.stride)
      }
      return daunce_success()
    }
    return result.withUnsafeMutableBytes { target in
      MPI_Allgatherv(
        values.baseAddress, CInt(values.count), T.datatype.handle, target.baseAddress, self.counts,
        displacements, T.datatype.handle, handle)
    }
  }

  /// Completes `buffer`, in which this rank has filled its own part, with the parts of the other ranks: no copy is
  /// needed.
  ///
  /// - Parameters:
  ///   - buffer: `counts[0] + counts[1] + ...` elements, parts in the order of ranks.
  ///   - counts: of every rank, the same on all ranks (`[size]`).
  public func allgatherv<T: MPIScalar>(inPlace buffer: inout [T], counts: [Int]) throws(MPIError) {
    let total = try plan(counts)
    precondition(buffer.count == total, "allgatherv: buffer doesn't have the sum of the counts")
    record(bytes: counts[rank] * MemoryLayout<T>.stride)
    if let board, takes(board, T.self) {
      let stride = MemoryLayout<T>.stride
      let own = Int(displacements[rank]) * stride..<(Int(displacements[rank]) + counts[rank]) * stride
      buffer.withUnsafeMutableBytes { target in
        board.gather(
          UnsafeRawBufferPointer(rebasing: target[own]), into: target.baseAddress, counts: self.counts, stride: stride)
      }
      return
    }
    let code = buffer.withUnsafeMutableBytes { target in
      MPI_Allgatherv(
        daunce_in_place(), 0, T.datatype.handle, target.baseAddress, self.counts, displacements,
        T.datatype.handle, handle)
    }
    try check(code, "MPI_Allgatherv")
  }

  /// Lines up the values of all ranks, in the order of ranks, on the root.
  ///
  /// - Parameters:
  ///   - values: of this rank, `counts[rank]` of them.
  ///   - result: `counts[0] + counts[1] + ...` elements on the root; left alone, and may be empty, elsewhere.
  ///   - counts: of every rank, the same on all ranks (`[size]`).
  public func gatherv<T: MPIScalar>(
    _ values: Span<T>, into result: inout [T], counts: [Int], root: Int = 0
  ) throws(MPIError) {
    let code = try values.withUnsafeBufferPointer { (values) throws(MPIError) in
      try gather(values, into: &result, counts: counts, root: root)
    }
    try check(code, "MPI_Gatherv")
  }

  /// Lines up the values of all ranks, in the order of ranks, on the root.
  public func gatherv<T: MPIScalar>(
    _ values: [T], into result: inout [T], counts: [Int], root: Int = 0
  ) throws(MPIError) {
    let code = try values.withUnsafeBufferPointer { (values) throws(MPIError) in
      try gather(values, into: &result, counts: counts, root: root)
    }
    try check(code, "MPI_Gatherv")
  }

  private func gather<T: MPIScalar>(
    _ values: UnsafeBufferPointer<T>, into result: inout [T], counts: [Int], root: Int
  ) throws(MPIError) -> CInt {
    let total = try plan(counts)
    precondition(values.count == counts[rank], "gatherv: values don't have the count of this rank")
    precondition(rank != root || result.count == total, "gatherv: result doesn't have the sum of the counts")
    record(bytes: values.count * MemoryLayout<T>.stride)
    if let board, (0..<size).contains(root), takes(board, T.self) {
      result.withUnsafeMutableBytes {
        board.gather(
          UnsafeRawBufferPointer(values), into: rank == root ? $0.baseAddress : nil, counts: self.counts,
          stride: MemoryLayout<T>.stride)
      }
      return daunce_success()
    }
    return result.withUnsafeMutableBytes { target in
      MPI_Gatherv(
        values.baseAddress, CInt(values.count), T.datatype.handle, target.baseAddress, self.counts,
        displacements, T.datatype.handle, CInt(root), handle)
    }
  }

  // MARK: Order

  /// Returns when every rank has come here.
  ///
  /// - Parameter isCounted: false for a barrier that is there only to measure, and would not be otherwise.
  public func barrier(isCounted: Bool = true) throws(MPIError) {
    if isCounted { record(bytes: 0) }
    if let board { return board.meet() }
    try check(MPI_Barrier(handle), "MPI_Barrier")
  }

  // MARK: Pieces

  /// Whether the gather just planned is for the board.
  private func takes<T>(_ board: SharedBoard, _ type: T.Type) -> Bool {
    board.takesGather { Int(counts[$0]) * MemoryLayout<T>.stride }
  }

  /// Fills the scratch counts and displacements; all ranks have the same counts, so all ranks throw together.
  private func plan(_ counts: [Int]) throws(MPIError) -> Int {
    precondition(counts.count == size, "a gather needs one count for every rank")
    var total = 0
    for rank in 0..<size {
      guard let displacement = CInt(exactly: total), let count = CInt(exactly: counts[rank]), count >= 0 else {
        throw .unsupported("a gather of more than \(CInt.max) elements: MPI counts with 32 bits")
      }
      self.counts[rank] = count
      displacements[rank] = displacement
      total += counts[rank]
    }
    return total
  }

  /// Calls `body` with pieces whose counts fit MPI's 32 bits, until one fails.
  @inline(__always)
  private func inPieces<T>(
    _ bytes: UnsafeMutableRawBufferPointer, of type: T.Type,
    _ body: (UnsafeMutableRawPointer, CInt) -> CInt
  ) -> CInt {
    guard let base = bytes.baseAddress else { return daunce_success() }
    let stride = MemoryLayout<T>.stride
    let total = bytes.count / stride
    var first = 0
    while first < total {
      let count = min(total - first, Self.pieceLength)
      let code = body(base + first * stride, CInt(count))
      if code != daunce_success() { return code }
      first += count
    }
    return daunce_success()
  }
}
