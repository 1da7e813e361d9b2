import CNetCDF

extension SandboxedReader {
  /// The only argument of a child process that goes through a file without handing it on.
  public static let checkArgument = "--check-foreign-file"

  /// Does a child process's work where the program's arguments are those of one.
  ///
  /// - Returns: exit code of the process; `nil` where it is none of the children.
  public static func serve(_ arguments: [String], limits: Limits = Limits()) -> Int32? {
    switch arguments {
    case [argument]: serve(limits: limits)
    case [checkArgument]:
      serve(limits) { () throws(ArchiveError) in
        try DiskFile.reader("/dev/stdin", isChecked: true).readThrough()
        return [checked]
      }
    default: nil
    }
  }

  /// Has a child process read all of another program's NetCDF-4 file, which is then opened in this one: what HDF5 got
  /// through there it gets through here. Nothing is done where files are read in this process.
  ///
  /// - Throws: the child's error, or one that says how the child ended.
  static func check(_ path: String) throws(ArchiveError) {
    _ = try run(checkArgument, on: path) { bytes in bytes.elementsEqual(checked) }
  }

  /// What a child writes at the end of a file that can be read: nothing else means that it came so far.
  static let checked = Array("read through\n".utf8)
}

extension DatasetReader {
  /// Bytes of a variable that are read at once.
  private static let window = 16 << 20

  /// Reads everything: names, attributes, and all numbers and texts.
  func readThrough() throws(ArchiveError) {
    for owner in [nil] + variables.map({ Optional($0.name) }) {
      for name in try attributeNames(of: owner) {
        guard let found = try attribute(name, of: owner) else { continue }
        if found.type == NC_CHAR || found.type == NC_STRING && found.length == 1 {
          _ = try text(name, of: owner)
        } else if numberSize(found.type) != nil {
          _ = try numbers(name, of: owner)
        }
      }
    }
    for variable in variables { try readThrough(variable) }
  }

  /// Reads a variable, some of its first dimension's elements at a time: whole chunks, so that none is read twice.
  private func readThrough(_ variable: Variable) throws(ArchiveError) {
    // Variables of other types are copied with the file and never read.
    guard let size = numberSize(variable.type) ?? (variable.type == NC_CHAR ? 1 : nil) else { return }
    let object = "variable \(variable.name)"
    let total = try plausibleCount(variable, variable.count)
    guard total > 0 else { return }
    var chunks = [Int](repeating: 1, count: max(variable.shape.count, 1))
    var storage: Int32 = 0
    try check(object) { nc_inq_var_chunking(dataset, variable.id, &storage, &chunks) }
    let length = variable.shape.first ?? 1
    let row = total / length * size
    let layer = storage == NC_CHUNKED ? max(1, min(chunks[0], length)) : 1
    let rows = max(1, Self.window / max(row, 1) / layer) * layer
    var (start, count) = (variable.shape.map { _ in 0 }, variable.shape)
    var values = [UInt8](repeating: 0, count: min(rows, length) * row)
    for first in stride(from: 0, to: length, by: rows) {
      if !count.isEmpty { (start[0], count[0]) = (first, min(rows, length - first)) }
      try check(object) { nc_get_vara(dataset, variable.id, start, count, &values) }
    }
  }
}
