import Glibc

/// Output of a program, of which a file gets the first and the last part and a message the last lines: however much it
/// prints, the file and the memory for it stay small.
///
/// The first part is in the file as soon as it has been read, the last one when the program has ended.
final class OutputKeeper {
  private var file: Int32?
  private let capacity: (first: Int, last: Int)
  /// All bytes so far, and those of them that the file has.
  private var (total, written) = (0, 0)
  /// The last bytes: at least as many as are needed, where there are so many, and at most twice as many.
  private var tail: [UInt8] = []
  private let tailSize: Int
  /// Why the file is not whole, as an error number.
  private(set) var failure: Int32?

  /// Output to the file `path` (`nil`: none) of at most `limit` bytes, 256 at least.
  ///
  /// - Throws: the error number of a file that cannot be written.
  init(path: String?, limit: Int) throws(Errno) {
    // Room for the line between.
    let room = max(limit, 256) - 100
    capacity = (room / 2, room - room / 2)
    tailSize = max(capacity.last, LastLines.bytes)
    guard let path else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw Errno(errno) }
    file = descriptor
  }

  deinit { if let file { close(file) } }

  /// Takes the next bytes.
  func receive(_ bytes: UnsafeRawBufferPointer) {
    if written < capacity.first, written == total {
      let count = min(bytes.count, capacity.first - written)
      write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      written += count
    }
    total += bytes.count
    tail.append(contentsOf: bytes.suffix(tailSize))
    if tail.count > 2 * tailSize { tail.removeFirst(tail.count - tailSize) }
  }

  /// Writes the last part: nothing more comes.
  func finish() {
    guard let file else { return }
    let count = min(total - written, capacity.last)
    let omitted = total - written - count
    if omitted > 0 {
      let line = Array("\n[... \(omitted) bytes left out ...]\n".utf8)
      line.withUnsafeBytes { write($0) }
    }
    tail.suffix(count).withUnsafeBytes { write($0) }
    if close(file) != 0, failure == nil { failure = errno }
    self.file = nil
  }

  /// The last lines so far.
  var lastLines: String {
    LastLines.text(of: tail[...], isCut: total > min(tail.count, LastLines.bytes))
  }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    guard let file, failure == nil else { return }
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(file, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 {
        failure = errno
        return
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// The end of a text, for a message.
enum LastLines {
  /// Bytes that are enough for as many characters as are shown.
  static let bytes = 8192

  /// The last lines of `bytes`: at most `lines`, and `characters` of them, without control characters, and with � where
  /// they are not UTF-8.
  ///
  /// - Parameter isCut: whether there was something before `bytes`, so that they may begin within a character.
  static func text(of bytes: ArraySlice<UInt8>, isCut: Bool, lines: Int = 10, characters: Int = 2000) -> String {
    var bytes = bytes.suffix(Self.bytes)
    if isCut { bytes = bytes.drop { $0 & 0xC0 == 0x80 } }
    // A progress bar writes over its line by a carriage return.
    let isEnd: (Unicode.Scalar) -> Bool = { $0 == "\n" || $0 == "\r" }
    let repaired = String(decoding: bytes, as: UTF8.self).unicodeScalars
    let rows = repaired.split(whereSeparator: isEnd).suffix(lines).map { row in
      var clean = String.UnicodeScalarView()
      clean.append(contentsOf: row.filter { $0 == "\t" || ($0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)) })
      return String(clean)
    }
    return String(rows.joined(separator: "\n").suffix(characters))
  }
}
