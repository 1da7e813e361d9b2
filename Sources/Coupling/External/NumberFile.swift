import DaunceArchive
import Glibc

/// Files with nothing but numbers.
enum NumberFile {
  /// Writes the values over what is there.
  static func write(_ values: [Double], as form: FieldFile.Form, to path: String) throws {
    unlink(path)
    guard let file = fopen(path, "w") else { throw problem(path, "cannot create the file", errno) }
    var isWhole = true
    if form == .text {
      let text = values.map { "\($0)\n" }.joined()
      isWhole = fputs(text, file) >= 0
    } else {
      isWhole = fwrite(values, 8, values.count, file) == values.count
    }
    var code = errno
    // What is left in memory goes to the disk only now.
    if fclose(file) != 0 {
      if isWhole { code = errno }
      isWhole = false
    }
    guard isWhole else { throw problem(path, "cannot write", code) }
  }

  /// Reads `count` values.
  ///
  /// - Throws: `ArchiveError` for a file that is missing, has more or less of them, or what is no number.
  static func read(_ path: String, as form: FieldFile.Form, count: Int) throws(ArchiveError) -> [Double] {
    guard let file = fopen(path, "r") else { throw problem(path, "cannot open the file", errno) }
    defer { fclose(file) }
    var status = stat()
    guard fstat(fileno(file), &status) == 0 else { throw problem(path, "cannot read", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.notAFile, path: path, found: "a folder or device", expected: "a file of numbers")
    }
    let size = Int(status.st_size)
    let values = form == .text ? try texts(file, size, path) : try doubles(file, size, count, path)
    guard values.count == count else {
      throw ArchiveError(.wrongSize, path: path, found: "\(values.count) numbers", expected: "\(count)")
    }
    if let i = values.firstIndex(where: { !$0.isFinite }) {
      throw ArchiveError(.notFinite, path: path, object: "number \(i)", found: values[i].isNaN ? "NaN" : "\(values[i])", expected: "finite numbers")
    }
    return values
  }

  private static func doubles(
    _ file: UnsafeMutablePointer<FILE>, _ size: Int, _ count: Int, _ path: String
  ) throws(ArchiveError) -> [Double] {
    guard size == 8 * count else {
      throw ArchiveError(.wrongSize, path: path, found: "\(size) bytes", expected: "\(8 * count): \(count) doubles")
    }
    var values = [Double](repeating: 0, count: count)
    guard fread(&values, 8, count, file) == count else { throw problem(path, "cannot read", errno) }
    return values
  }

  private static func texts(
    _ file: UnsafeMutablePointer<FILE>, _ size: Int, _ path: String
  ) throws(ArchiveError) -> [Double] {
    var bytes = [UInt8](repeating: 0, count: size)
    guard fread(&bytes, 1, size, file) == size else { throw problem(path, "cannot read", errno) }
    let separators: Set<UInt8> = Set(" \t\r\n,;".utf8)
    var values: [Double] = []
    for word in bytes.split(whereSeparator: separators.contains) {
      let text = String(decoding: word, as: UTF8.self)
      // Fortran writes 1.0D+00 for doubles.
      guard let value = Double(text) ?? Double(text.replacing("D", with: "e").replacing("d", with: "e")) else {
        throw ArchiveError(
          .wrongType, path: path, object: "number \(values.count)", found: "\"\(text.prefix(40))\"", expected: "a number")
      }
      values.append(value)
    }
    return values
  }

  private static func problem(_ path: String, _ doing: String, _ code: Int32) -> ArchiveError {
    let kind: ArchiveError.Problem = code == ENOENT ? .missingFile : [ENOSPC, EDQUOT, EFBIG].contains(code) ? .diskFull : .ioFailure
    return ArchiveError(kind, path: path, found: "\(doing): \(systemText(code))")
  }
}
