import Glibc
import Synchronization

/// A new file beside `path` that takes its name only when it is complete and on disk.
///
/// Whatever happens before `commit`, the file that `path` named before stays as it was.
final class TemporaryFile {
  private let path: String
  private let temporaryPath: String
  private var descriptor: Int32

  private static let serial = Atomic(0)

  /// Whether a file's name is that of a temporary: `name.tmp-process-number`.
  static func isName(_ name: String) -> Bool {
    guard let last = name.split(separator: ".").last, last.count < name.count else { return false }
    let parts = last.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0] == "tmp"
      && parts.dropFirst().allSatisfy { part in !part.isEmpty && part.allSatisfy { $0.isNumber } }
  }

  /// Creates the temporary, so that an unwritable folder is found out before the work and not after it.
  init(path: String) throws(ArchiveError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw ArchiveError(.notAFile, path: path, found: "a folder or device", expected: "the name of a file to write")
    }
    let number = Self.serial.wrappingAdd(1, ordering: .relaxed).newValue
    self.path = path
    temporaryPath = "\(path).tmp-\(getpid())-\(number)"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw systemError(path: path, doing: "cannot create the file", errno) }
  }

  deinit { discard() }

  /// Removes the temporary; nothing happens after `commit`.
  func discard() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
    descriptor = -1
  }

  /// Writes `parts` one after the other, brings them to disk and takes the name, replacing an older file in one step.
  func commit(_ parts: [UnsafeRawBufferPointer]) throws(ArchiveError) {
    guard descriptor >= 0 else { return }
    do throws(ArchiveError) {
      for part in parts { try write(part) }
      guard fsync(descriptor) == 0 else { throw systemError(path: path, doing: "cannot write", errno) }
      guard rename(temporaryPath, path) == 0 else { throw systemError(path: path, doing: "cannot rename", errno) }
    } catch {
      discard()
      throw error
    }
    close(descriptor)
    descriptor = -1
    syncFolder()
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var offset = 0
    while offset < bytes.count {
      // Linux writes at most 2 GiB at once.
      let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: offset), min(bytes.count - offset, 1 << 30))
      if count < 0 {
        if errno == EINTR { continue }
        throw systemError(path: path, doing: "cannot write \(bytes.count) bytes", errno)
      }
      offset += count
    }
  }

  /// Makes the new name survive a power cut. Some file systems cannot sync a folder; the file itself is safe by then.
  private func syncFolder() {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// The bytes of a whole file, in memory that lives as long as this object.
final class FileContents {
  private(set) var bytes: UnsafeMutableRawBufferPointer

  /// Reads a file; `expected` is what it should have been where it is a folder or device.
  init(path: String, expected: String = "a NetCDF file") throws(ArchiveError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw systemError(path: path, doing: "cannot open the file", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError(path: path, doing: "cannot read", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.notAFile, path: path, found: "a folder or device", expected: expected)
    }
    let size = Int(status.st_size)
    // malloc, because a Swift allocation traps where a damaged or huge file should only be an error.
    guard let memory = malloc(max(size, 1)) else {
      throw ArchiveError(.ioFailure, path: path, found: "\(size) bytes, more than there is memory for")
    }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: size)
    var offset = 0
    while offset < size {
      let count = read(descriptor, memory + offset, min(size - offset, 1 << 30))
      if count < 0, errno == EINTR { continue }
      if count < 0 { throw systemError(path: path, doing: "cannot read", errno) }
      if count == 0 {
        throw ArchiveError(
          .truncated, path: path, found: "end of file after \(offset) bytes", expected: "\(size) bytes")
      }
      offset += count
    }
  }

  /// Takes over `size` bytes of memory that came from `malloc`.
  init(owning memory: UnsafeMutableRawPointer, size: Int) {
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: size)
  }

  /// Leaves out the last `count` bytes.
  func removeLast(_ count: Int) { bytes = UnsafeMutableRawBufferPointer(rebasing: bytes[..<(bytes.count - count)]) }

  deinit { free(bytes.baseAddress) }
}

/// The error for what the system answered.
func systemError(path: String, doing: String, _ code: Int32) -> ArchiveError {
  let problem: ArchiveError.Problem =
    switch code {
    case ENOENT, ENOTDIR: .missingFile
    case EACCES, EPERM, EROFS: .permissionDenied
    case ENOSPC, EDQUOT, EFBIG: .diskFull
    case EISDIR, ELOOP: .notAFile
    default: .ioFailure
    }
  let reason = strerror(code).map { String(cString: $0) } ?? "error \(code)"
  return ArchiveError(problem, path: path, found: "\(doing): \(reason)")
}
