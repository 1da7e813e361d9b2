import COpenMPI

/// A group of ranks that communicate with each other and with nobody else.
///
/// Every method but the properties is collective: all ranks of the communicator call it, in the same order, with equal
/// counts. Where that could fail (other files, other settings) check with ``agree(on:about:)`` first: MPI itself may
/// hang or return wrong values. No collective allocates memory when its buffers have their final size.
///
/// A communicator belongs to the thread that initialised MPI. It lives until the job ends unless ``free()`` is called:
/// freeing is collective too, so it is not left to the moment when a rank drops its last reference.
public final class Communicator {
  /// Number of this process, in `0..<size`.
  public let rank: Int
  /// Number of ranks.
  public let size: Int
  /// What this rank has communicated so far.
  public internal(set) var traffic = Traffic()

  private(set) var handle: MPI_Comm?
  /// For small collectives among ranks that share a machine.
  var board: SharedBoard?
  /// Scratch for the counts and displacements of gathers, so that they allocate nothing.
  var counts: [CInt]
  var displacements: [CInt]
  /// Scratch of agreement checks.
  var agreement: [UInt64] = [0, 0]

  /// Takes over `handle` and lets it return errors instead of aborting.
  init(owning handle: MPI_Comm?) throws(MPIError) {
    try check(MPI_Comm_set_errhandler(handle, daunce_errors_return()), "MPI_Comm_set_errhandler")
    var (rank, size): (CInt, CInt) = (0, 0)
    try check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
    self.handle = handle
    self.rank = Int(rank)
    self.size = Int(size)
    counts = [CInt](repeating: 0, count: Int(size))
    displacements = counts
  }

  /// Whether small collectives of these ranks go through memory that they share.
  public var hasBoard: Bool { board != nil }

  /// Whether this is rank 0.
  public var isRoot: Bool { rank == 0 }

  /// The same ranks with messages of their own.
  public func duplicate() throws(MPIError) -> Communicator {
    var copy = daunce_comm_null()
    try check(MPI_Comm_dup(handle, &copy), "MPI_Comm_dup")
    return try Communicator(owning: copy)
  }

  /// One communicator for each distinct `color`, its ranks in the order of `key`, then of their old ranks.
  ///
  /// - Parameter color: at least 0, or `nil` on a rank that joins none.
  public func split(color: Int?, key: Int = 0) throws(MPIError) -> Communicator? {
    guard let key = CInt(exactly: key), let value = color.map(CInt.init(exactly:)) ?? daunce_undefined(),
      color == nil || value >= 0
    else {
      throw .unsupported("split: found color \(color ?? -1), key \(key), expected 32-bit numbers, color at least 0")
    }
    var part = daunce_comm_null()
    try check(MPI_Comm_split(handle, value, key, &part), "MPI_Comm_split")
    return color == nil ? nil : try Communicator(owning: part)
  }

  /// Gives the communicator back to MPI. Nothing may be called on it afterwards.
  public func free() throws(MPIError) {
    try board?.free()
    board = nil
    try check(MPI_Comm_free(&handle), "MPI_Comm_free")
  }

  /// Counts one collective to which this rank contributes `bytes`.
  @inline(__always)
  func record(bytes: Int) {
    traffic.collectives += 1
    traffic.bytes += bytes
  }
}

/// Number and size of the collectives that a rank took part in. There is nothing else to count: this module has no
/// messages between two ranks.
public struct Traffic: Sendable, Hashable {
  /// Calls of collectives.
  public var collectives = 0
  /// Bytes that this rank put into them: its buffer in a reduction, its own part of a gather, the message at the root
  /// of a broadcast. What travels over the wires is up to MPI's algorithms.
  public var bytes = 0

  /// Nothing sent yet.
  public init() {}

  /// Traffic of two parts together.
  public static func + (one: Traffic, other: Traffic) -> Traffic {
    var sum = one
    sum.collectives += other.collectives
    sum.bytes += other.bytes
    return sum
  }

  /// Adds another part's traffic.
  public static func += (sum: inout Traffic, other: Traffic) { sum = sum + other }

  /// Traffic between two readings.
  public static func - (later: Traffic, earlier: Traffic) -> Traffic {
    var difference = later
    difference.collectives -= earlier.collectives
    difference.bytes -= earlier.bytes
    return difference
  }
}
