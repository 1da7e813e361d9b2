import Glibc

/// When a file was last written, and which one it was: tells whether a program has.
struct FileStamp: Equatable {
  private let device: UInt
  private let number: UInt
  private let seconds: Int
  private let nanoseconds: Int
  private let size: Int

  /// `nil` where there is no file.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
    (seconds, nanoseconds, size) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec, Int(status.st_size))
  }
}

/// Removes a file, or a link to one; nothing happens where there is none.
func unlinkFile(_ path: String) { unlink(path) }
