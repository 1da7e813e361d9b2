import CNetCDF
import Glibc

/// NetCDF files that stay on disk: checked as far as their structure goes and opened in place.
enum DiskFile {
  /// Bytes of a header that are looked at before all others are.
  private static let headerSizes = [1 << 20, 1 << 26]

  /// Opens a file for reading in place, of which no more is held in memory than is asked for.
  ///
  /// - Parameter isChecked: whether another process's HDF5 has been through the file already; otherwise that is done
  ///   here, see `SandboxedReader.check`.
  static func reader(_ path: String, isChecked: Bool = false) throws(ArchiveError) -> DatasetReader {
    let size = try check(path, isChecked: isChecked)
    return try DatasetReader(path: path, dataset: open(path, NC_NOWRITE), size: size)
  }

  /// Opens a file that has been checked.
  static func open(_ path: String, _ mode: Int32) throws(ArchiveError) -> Int32 {
    var id: Int32 = -1
    // What the classic library reads and writes at once.
    var buffer = 1 << 20
    let status = NetCDF.call { nc__open(path, mode, &buffer, &id) }
    if status > 0 { throw systemError(path: path, doing: "cannot open the file", status) }
    guard status == NC_NOERR else {
      throw ArchiveError(
        .damaged, path: path, found: "a file that the NetCDF library cannot open (\(NetCDF.reason(status)))",
        expected: "a complete NetCDF file: this one is truncated or damaged")
    }
    return id
  }

  /// Checks that a file is NetCDF and can be given to the library.
  ///
  /// - Returns: its bytes.
  private static func check(_ path: String, isChecked: Bool) throws(ArchiveError) -> Int {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw systemError(path: path, doing: "cannot open the file", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError(path: path, doing: "cannot read", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.notAFile, path: path, found: "a folder or device", expected: "a NetCDF file")
    }
    let size = Int(status.st_size)
    let start = try first(8, of: descriptor, path)
    if start == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] {
      if !isChecked { try SandboxedReader.check(path) }
      return size
    }
    guard start.count > 3, start.starts(with: Array("CDF".utf8)), [1, 2, 5].contains(start[3]) else {
      throw ArchiveError(
        .notNetCDF, path: path, found: size == 0 ? "an empty file" : "a file of another kind",
        expected: "a NetCDF file (NetCDF-4/HDF5 or classic)")
    }
    var damage: ClassicHeader.Damage?
    for limit in headerSizes {
      let bytes = try first(min(limit, size), of: descriptor, path)
      damage = bytes.withUnsafeBytes { bytes in
        do throws(ClassicHeader.Damage) {
          try ClassicHeader.check(bytes, ofFile: size)
          return nil
        } catch {
          return error
        }
      }
      if damage == nil || limit >= size { break }
    }
    if let damage {
      throw ArchiveError(
        .truncated, path: path, found: "a header that names \(damage.found)",
        expected: "a complete NetCDF file: this one is truncated or damaged")
    }
    return size
  }

  /// The first bytes of a file, as many as there are.
  private static func first(_ count: Int, of descriptor: Int32, _ path: String) throws(ArchiveError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var (filled, failure) = (0, Int32(0))
    bytes.withUnsafeMutableBytes { bytes in
      while filled < count {
        let got = pread(descriptor, bytes.baseAddress?.advanced(by: filled), count - filled, off_t(filled))
        if got < 0, errno == EINTR { continue }
        if got < 0 { failure = errno }
        if got <= 0 { break }
        filled += got
      }
    }
    guard failure == 0 else { throw systemError(path: path, doing: "cannot read", failure) }
    return Array(bytes[..<filled])
  }
}
