import CNetCDF
import Glibc
import Synchronization

/// A copy of a file under a temporary name in the folder where it is to appear, which begins as the bytes of the
/// original and is then changed in place.
final class StagedCopy {
  /// The file to be.
  let path: String
  /// Where it is until then.
  let temporaryPath: String
  private var descriptor: Int32

  private static let serial = Atomic(0)

  /// Copies `source` byte for byte, without the seal that a file of this program ends with: its contents will change.
  ///
  /// - Parameters:
  ///   - name: final name, relative to `folder`; its folders are made by `makeFolders`.
  ///   - reserve: bytes by which the file may grow before it is published: room on the disk is taken now, because
  ///     HDF5 does not survive a disk that is full.
  init(of source: String, in folder: String, as name: String, reserve: Int) throws(ArchiveError) {
    path = "\(folder)/\(name)"
    let number = Self.serial.wrappingAdd(1, ordering: .relaxed).newValue
    let flat = name.split(separator: "/").joined(separator: "_").utf8.suffix(200)
    temporaryPath = "\(folder)/\(String(decoding: flat, as: UTF8.self)).tmp-\(getpid())-\(number)"
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw ArchiveError(.notAFile, path: path, found: "a folder or device", expected: "the name of a file to write")
    }
    descriptor = -1
    let input = open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0, fstat(input, &status) == 0 else {
      throw systemError(path: source, doing: "cannot open the file", errno)
    }
    defer { close(input) }
    var old = stat()
    guard stat(path, &old) != 0 || old.st_dev != status.st_dev || old.st_ino != status.st_ino else {
      throw ArchiveError(
        .contradiction, path: path, found: "the ensemble's own file", expected: "another folder for the output")
    }
    descriptor = open(temporaryPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw systemError(path: path, doing: "cannot create the file", errno) }
    do throws(ArchiveError) {
      try copy(from: input, bytes: Int(status.st_size))
      let size = try removeSeal(Int(status.st_size))
      if reserve > 0, daunce_reserve(descriptor, size, reserve) != 0, [ENOSPC, EDQUOT, EFBIG].contains(errno) {
        throw systemError(path: path, doing: "cannot take room for \(reserve) bytes", errno)
      }
    } catch {
      discard()
      throw error
    }
  }

  deinit { discard() }

  /// Removes the copy; nothing happens after `publish`.
  func discard() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
    descriptor = -1
  }

  /// Brings everything to the disk, and gives room back that was not needed.
  func sync() throws(ArchiveError) {
    guard descriptor >= 0 else { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0, ftruncate(descriptor, status.st_size) == 0, fsync(descriptor) == 0 else {
      throw systemError(path: path, doing: "cannot write", errno)
    }
  }

  /// Gives the copy its name, in place of an older file.
  func publish() throws(ArchiveError) {
    guard descriptor >= 0 else { return }
    guard rename(temporaryPath, path) == 0 else { throw systemError(path: path, doing: "cannot rename", errno) }
    close(descriptor)
    descriptor = -1
  }

  private func copy(from input: Int32, bytes size: Int) throws(ArchiveError) {
    var copied = 0
    // Within the kernel, or without copying at all where the file system shares blocks.
    while copied < size {
      let count = daunce_copy_range(input, descriptor, UInt(size - copied))
      if count < 0, errno == EINTR { continue }
      if count < 0, [ENOSPC, EDQUOT, EFBIG, EIO].contains(errno) {
        throw systemError(path: path, doing: "cannot write \(size) bytes", errno)
      }
      // Not between these two, which is for the caller to find out: by hand then.
      if count <= 0 { break }
      copied += count
    }
    var buffer = [UInt8](repeating: 0, count: copied < size ? 1 << 20 : 0)
    while copied < size {
      let got = read(input, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else {
        if got < 0 { throw systemError(path: path, doing: "cannot copy", errno) }
        throw ArchiveError(
          .truncated, path: path, found: "a file that became shorter while it was copied", expected: "\(size) bytes")
      }
      var written = 0
      while written < got {
        let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: written), got - written) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw systemError(path: path, doing: "cannot write \(size) bytes", errno) }
        written += count
      }
      copied += got
    }
  }

  /// - Returns: bytes that are left.
  private func removeSeal(_ size: Int) throws(ArchiveError) -> Int {
    guard size >= ChecksumFooter.size else { return size }
    var end = [UInt8](repeating: 0, count: ChecksumFooter.size)
    guard pread(descriptor, &end, ChecksumFooter.size, off_t(size - ChecksumFooter.size)) == ChecksumFooter.size, ChecksumFooter.isMarked(end) else {
      return size
    }
    guard ftruncate(descriptor, off_t(size - ChecksumFooter.size)) == 0 else {
      throw systemError(path: path, doing: "cannot write", errno)
    }
    return size - ChecksumFooter.size
  }
}

extension ChecksumFooter {
  /// Whether these are the last bytes of a file with a seal, whole or not.
  static func isMarked(_ end: [UInt8]) -> Bool { end.starts(with: Array("daunce seal v1: ".utf8)) }
}
