import CNetCDF
import Glibc
import Synchronization

/// A NetCDF-4 file without contents, in memory, as the start of every file that is written.
///
/// `nc_create_mem` would be the library's own way, but files made so keep no order of their variables (HDF5's links
/// are not tracked by creation), take no attribute beyond 64 KiB, and store times. So an empty file is created in the
/// ordinary way once, a few hundred bytes in the first place for temporary files that will have it, and its bytes are
/// used again and again.
enum BlankDataset {
  private static let cached = Mutex<[UInt8]?>(nil)

  /// Opens a new image for writing, which the library then owns until `nc_close_memio`.
  static func open(for path: String) throws(ArchiveError) -> Int32 {
    let template = try template(for: path)
    guard let memory = malloc(template.count) else {
      throw ArchiveError(.ioFailure, path: path, found: "no memory left for a new file")
    }
    memory.copyMemory(from: template, byteCount: template.count)
    var image = NC_memio(size: template.count, memory: memory, flags: 0)
    var id: Int32 = -1
    // The name is never opened.
    let status = NetCDF.call { nc_open_memio("image", NC_WRITE, &image, &id) }
    guard status == NC_NOERR else {
      throw ArchiveError(.libraryFailure, path: path, found: NetCDF.reason(status))
    }
    return id
  }

  private static func template(for path: String) throws(ArchiveError) -> [UInt8] {
    if let known = cached.withLock({ $0 }) { return known }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    var folders = ["/dev/shm/", "/tmp/", folder]
    if let named = getenv("TMPDIR") { folders.insert(String(cString: named) + "/", at: 1) }
    var reason = ""
    for folder in folders {
      var name = Array("\(folder)daunce-XXXXXX".utf8CString)
      let descriptor = mkstemp(&name)
      guard descriptor >= 0 else { continue }
      close(descriptor)
      defer { unlink(name) }
      var id: Int32 = -1
      var status = NetCDF.call { nc_create(name, NC_NETCDF4 | NC_CLOBBER, &id) }
      if status == NC_NOERR { status = NetCDF.call { nc_close(id) } }
      guard status == NC_NOERR else {
        reason = NetCDF.reason(status)
        continue
      }
      let file = try FileContents(path: string(name))
      let bytes = withExtendedLifetime(file) { Array(file.bytes) }
      cached.withLock { $0 = bytes }
      return bytes
    }
    throw ArchiveError(
      .ioFailure, path: path, found: "no place for a temporary file of some hundred bytes \(reason)",
      expected: "one of \(folders.joined(separator: ", ")) to be writable")
  }

  /// The image without the unused memory at its end: up to the end-of-file address in HDF5's superblock (format
  /// specification 3.0, section II.A, versions 2 and 3).
  static func trimmed(_ image: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard image.count >= 48, [2, 3].contains(image[8]), image[9] == 8 else { return image }
    let end = UInt64(littleEndian: image.loadUnaligned(fromByteOffset: 28, as: UInt64.self))
    guard end >= 48, end <= UInt64(image.count) else { return image }
    return UnsafeRawBufferPointer(rebasing: image[..<Int(end)])
  }
}
