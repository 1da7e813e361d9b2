import Glibc

/// Folders for files, and texts beside them, with the errors and the care that NetCDF files have.
public enum Folders {
  /// Makes a folder and those above it where they are missing.
  ///
  /// - Throws: `ArchiveError` naming the part of the path that is a file, or that the system refuses to make.
  public static func make(_ path: String) throws(ArchiveError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw ArchiveError(.notAFile, path: path, found: "a file", expected: "a folder to write to")
      }
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try make(String(path[..<slash]))
    }
    // Another process may have been faster.
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw systemError(path: path, doing: "cannot create the folder", errno)
    }
  }

  /// Writes `bytes` bytes into the folder and removes them again, so that a folder that cannot be written to, or has no
  /// room left, is found out before the work and not after it.
  public static func tryWriting(to folder: String, bytes: Int) throws(ArchiveError) {
    let trial = "\(folder)/.trial-\(getpid())"
    let descriptor = open(trial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw systemError(path: folder, doing: "cannot create files here", errno) }
    defer {
      close(descriptor)
      unlink(trial)
    }
    let zeros = [UInt8](repeating: 0, count: bytes)
    var failure: Int32 = 0
    zeros.withUnsafeBytes { zeros in
      var offset = 0
      while offset < zeros.count {
        let count = Glibc.write(descriptor, zeros.baseAddress?.advanced(by: offset), zeros.count - offset)
        if count < 0, errno == EINTR { continue }
        if count <= 0 {
          failure = count < 0 ? errno : ENOSPC
          return
        }
        offset += count
      }
      // Some file systems only now find out that there is no room.
      if fsync(descriptor) != 0 { failure = errno }
    }
    guard failure == 0 else {
      throw systemError(path: folder, doing: "cannot write \(bytes) bytes here", failure)
    }
  }

  /// Removes what processes that were killed had begun to write in a folder and in those in it: the temporaries beside
  /// files that are written aside first. What cannot be removed is left.
  public static func removeTemporaries(in folder: String) {
    for name in names(in: folder) {
      let path = "\(folder)/\(name)"
      if TemporaryFile.isName(name) || name.hasPrefix(".trial-") {
        unlink(path)
      } else {
        for inner in names(in: path) where TemporaryFile.isName(inner) { unlink("\(path)/\(inner)") }
      }
    }
  }

  /// Names of a folder's entries; none of something else.
  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Writes a text file that is whole and on disk, or not there: an older one of its name stays until then.
  public static func write(_ text: String, to path: String) throws(ArchiveError) {
    let file = try TemporaryFile(path: path)
    var text = text
    let outcome = text.withUTF8 { bytes -> ArchiveError? in
      do throws(ArchiveError) {
        try file.commit([UnsafeRawBufferPointer(bytes)])
        return nil
      } catch {
        return error
      }
    }
    if let outcome { throw outcome }
  }
}
