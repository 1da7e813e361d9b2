import CNetCDF
import Glibc
import Synchronization

/// The NetCDF library is not safe for threads, so every call into it goes through one lock; and HDF5 below it is told
/// for the calling thread not to print.
enum NetCDF {
  private static let lock = Mutex(())
  /// Whether HDF5 has been told not to lock files, which it asks when it starts: several processes read one file, and
  /// locks fail on many cluster file systems.
  private static let isUnlocked = setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1) == 0

  /// Calls the library and returns its status.
  static func call(_ body: () -> Int32) -> Int32 {
    lock.withLock { _ in
      _ = isUnlocked
      daunce_silence_hdf5()
      return body()
    }
  }

  /// The library's own words for a status; positive ones are the system's.
  static func reason(_ status: Int32) -> String {
    guard let text = nc_strerror(status) else { return "status \(status)" }
    return String(cString: text)
  }
}

/// Types of numbers in files.
public enum ElementType: Sendable, Hashable {
  case double, float, int32, int64, uint8

  var code: nc_type {
    switch self {
    case .double: NC_DOUBLE
    case .float: NC_FLOAT
    case .int32: NC_INT
    case .int64: NC_INT64
    case .uint8: NC_UBYTE
    }
  }

  /// Bytes of one element.
  var size: Int {
    switch self {
    case .double, .int64: 8
    case .float, .int32: 4
    case .uint8: 1
    }
  }
}

/// A number that a file can hold as it is.
public protocol ArchiveElement: BitwiseCopyable, Sendable, Hashable {
  static var elementType: ElementType { get }
}

extension Double: ArchiveElement {
  public static var elementType: ElementType { .double }
}

extension Float: ArchiveElement {
  public static var elementType: ElementType { .float }
}

extension Int32: ArchiveElement {
  public static var elementType: ElementType { .int32 }
}

extension Int64: ArchiveElement {
  public static var elementType: ElementType { .int64 }
}

extension UInt8: ArchiveElement {
  public static var elementType: ElementType { .uint8 }
}

/// Name of a stored type for messages, in the words of `ncdump`.
func typeName(_ type: nc_type) -> String {
  switch type {
  case NC_BYTE: "byte"
  case NC_CHAR: "char"
  case NC_SHORT: "short"
  case NC_INT: "int"
  case NC_FLOAT: "float"
  case NC_DOUBLE: "double"
  case NC_UBYTE: "ubyte"
  case NC_USHORT: "ushort"
  case NC_UINT: "uint"
  case NC_INT64: "int64"
  case NC_UINT64: "uint64"
  case NC_STRING: "string"
  default: "a user-defined type"
  }
}

/// Bytes of one stored number; `nil` for text and types that are not numbers.
func numberSize(_ type: nc_type) -> Int? {
  switch type {
  case NC_BYTE, NC_UBYTE: 1
  case NC_SHORT, NC_USHORT: 2
  case NC_INT, NC_UINT, NC_FLOAT: 4
  case NC_DOUBLE, NC_INT64, NC_UINT64: 8
  default: nil
  }
}
