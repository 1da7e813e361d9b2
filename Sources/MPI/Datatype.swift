import COpenMPI

/// MPI's description of an element type.
public struct Datatype {
  let handle: MPI_Datatype
}

/// A number that MPI can send and reduce as it lies in memory.
public protocol MPIScalar: Numeric, BitwiseCopyable {
  /// MPI's own type with the same bits.
  static var datatype: Datatype { get }
}

extension Double: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_double()) }
}

extension Float: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_float()) }
}

extension Int64: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_int64()) }
}

extension Int32: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_int32()) }
}

extension UInt64: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_uint64()) }
}

extension UInt8: MPIScalar {
  public static var datatype: Datatype { Datatype(handle: daunce_uint8()) }
}

/// How a reduction combines the values of the ranks, element by element.
///
/// A sum of floating-point numbers depends on the order in which MPI adds them, and so on the number of ranks; sums of
/// integers, maxima and minima do not.
public enum ReduceOperation: Sendable, Hashable {
  case sum
  case max
  case min

  var handle: MPI_Op {
    switch self {
    case .sum: daunce_sum()
    case .max: daunce_max()
    case .min: daunce_min()
    }
  }
}
