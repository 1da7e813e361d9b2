import COpenMPI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Small collectives through memory that all ranks of a machine share (an MPI-3 window).
///
/// Every rank puts its part on the board and takes what it needs from the others', so a collective has one rendezvous,
/// and ranks that wait long for it sleep until the last one wakes them. MPI's own collectives are chains of messages,
/// and each message that a rank without a core has to pass on costs a turn of the scheduler.
///
/// Parts of consecutive collectives lie in two halves of the board in turn: nobody can begin the next but one before
/// all have done with this one.
final class SharedBoard {
  /// Bytes of a part; larger ones are MPI's. With many ranks parts are smaller, so that the board stays below 32 MiB.
  let partBytes: Int
  private static func partBytes(size: Int) -> Int { min(1 << 18, max(1 << 12, (1 << 24) / size & ~63)) }
  /// Bytes of all parts that every rank goes through in a reduction; beyond it, MPI's division of the work wins.
  private static let reductionBytes = 1 << 18

  let size: Int
  private let rank: Int
  private var window: MPI_Win?
  /// Ranks that have come to the present rendezvous, and the number of those that are over, on cache lines of their
  /// own.
  private let arrived: UnsafeMutablePointer<UInt32>
  private let passed: UnsafeMutablePointer<UInt32>
  private let parts: UnsafeMutableRawPointer
  /// Looks at `passed` before a rank goes to sleep.
  private let patience: Int
  /// Turns that a rank without a core of its own gives to others before it goes to sleep.
  private let turns: Int
  private var half = 0

  /// A board for the ranks of `handle`, which share a machine; `nil` where processes cannot sleep on a word, or there
  /// is no shared memory left. Collective.
  ///
  /// - Parameter cores: of the machine. Ranks with a core each wait awake for a while.
  init?(on handle: MPI_Comm?, rank: Int, size: Int, cores: Int) throws(MPIError) {
    guard daunce_can_sleep() != 0 else { return nil }
    (self.rank, self.size) = (rank, size)
    partBytes = Self.partBytes(size: size)
    let bytes = Self.headerBytes + 2 * size * partBytes
    var window = daunce_win_null()
    var own: UnsafeMutableRawPointer?
    let isOwner = rank == 0
    let code = MPI_Win_allocate_shared(MPI_Aint(isOwner ? bytes : 0), 1, daunce_info_null(), handle, &own, &window)
    // Without room for it, MPI does without: but all ranks alike.
    var isThere: Int32 = code == daunce_success() ? 1 : 0
    try check(
      MPI_Allreduce(daunce_in_place(), &isThere, 1, daunce_int32(), daunce_min(), handle), "MPI_Allreduce")
    guard isThere == 1 else { return nil }
    var (length, unit): (MPI_Aint, CInt) = (0, 0)
    var start: UnsafeMutableRawPointer?
    try check(MPI_Win_shared_query(window, 0, &length, &unit, &start), "MPI_Win_shared_query")
    guard let start, Int(length) >= bytes else { throw .unsupported("a window of shared memory has no memory") }
    arrived = start.assumingMemoryBound(to: UInt32.self)
    passed = (start + 64).assumingMemoryBound(to: UInt32.self)
    parts = start + Self.headerBytes
    patience = size <= cores ? 4000 : 0
    turns = size <= cores ? 0 : 64
    self.window = window
    if isOwner {
      daunce_word_store(arrived, 0)
      daunce_word_store(passed, 0)
    }
    try check(MPI_Barrier(handle), "MPI_Barrier")
  }

  private static let headerBytes = 128

  /// Gives the memory back. Collective.
  func free() throws(MPIError) {
    try check(MPI_Win_free(&window), "MPI_Win_free")
  }

  /// Returns when all ranks have come.
  func meet() {
    let turn = daunce_word_load(passed)
    half = 1 - half
    if daunce_word_add(arrived) == UInt32(size) {
      daunce_word_store(arrived, 0)
      daunce_word_store(passed, turn &+ 1)
      daunce_word_wake(passed)
      return
    }
    for _ in 0..<patience {
      if daunce_word_load(passed) != turn { return }
      daunce_pause()
    }
    // A turn of the scheduler is cheaper than being woken, above all in a virtual machine, where that interrupts a
    // core.
    for _ in 0..<turns {
      if daunce_word_load(passed) != turn { return }
      sched_yield()
    }
    while daunce_word_load(passed) == turn { daunce_word_sleep(passed, turn) }
  }

  private func part(_ rank: Int, half: Int) -> UnsafeMutableRawPointer {
    parts + (half * size + rank) * partBytes
  }

  /// Puts this rank's part on the board, meets, and returns the place of the first rank's part; the others follow at
  /// distances of ``partBytes``.
  private func exchange(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer {
    let half = half
    if let source = bytes.baseAddress { part(rank, half: half).copyMemory(from: source, byteCount: bytes.count) }
    meet()
    return part(0, half: half)
  }

  /// Whether a reduction of `bytes` bytes is for the board.
  func takesReduction(of bytes: Int) -> Bool { bytes <= partBytes && bytes * size <= Self.reductionBytes }

  /// Combines the buffers of all ranks in place, in the order of ranks.
  func reduce(
    _ bytes: UnsafeMutableRawBufferPointer, count: Int, _ type: MPI_Datatype, _ operation: MPI_Op
  ) -> CInt {
    let first = exchange(UnsafeRawBufferPointer(bytes))
    guard let target = bytes.baseAddress else { return daunce_success() }
    target.copyMemory(from: first, byteCount: bytes.count)
    for other in 1..<size {
      let code = MPI_Reduce_local(first + other * partBytes, target, CInt(count), type, operation)
      if code != daunce_success() { return code }
    }
    return daunce_success()
  }

  /// Whether a gather of `bytes` bytes a rank is for the board.
  func takesGather(of bytes: (Int) -> Int) -> Bool { (0..<size).allSatisfy { bytes($0) <= partBytes } }

  /// Lines up the parts of all ranks in `target`, where that is given.
  ///
  /// - Parameters:
  ///   - counts: elements of every rank (`[rank]`).
  ///   - stride: bytes of an element.
  func gather(
    _ own: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer?, counts: [CInt], stride: Int
  ) {
    var source = exchange(own)
    guard var target else { return }
    for rank in 0..<size {
      let bytes = Int(counts[rank]) * stride
      target.copyMemory(from: source, byteCount: bytes)
      target += bytes
      source += partBytes
    }
  }
}
