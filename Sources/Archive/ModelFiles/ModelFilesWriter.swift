import CNetCDF
import DaunceState
import Glibc

/// Writes an ensemble as files of exactly the layout, attributes, types and names of those that it was read from,
/// changed in the fields of the state alone.
///
/// Each file is a copy of its original under a temporary name, in which values are replaced. Nothing has its final name
/// before `publish`, and nothing is left where that is not called.
///
/// The names in the folder: of a single file its own, of a file per member their paths from the innermost folder that
/// has all of them: `run/mem001/restart.nc` gives `mem001/restart.nc`.
public final class ModelFilesWriter {
  /// Final names of all members' files, relative to the folder: one, or one for each member.
  public let names: [String]
  private let files: ModelFiles
  private let members: Range<Int>
  private let folder: String
  /// By number of file; those of the members that are written here.
  private var copies: [Int: StagedCopy] = [:]
  private var written: Set<Int> = []
  /// The file that values are being written to, by number.
  private var current: (number: Int, file: ModelFile)?
  private var madeFolders: [String] = []
  private var state = State.writing
  private var scratch = Scratch()

  private enum State { case writing, finished, published }

  /// Copies the files that this process writes. Throws if the folder cannot be written to, has not enough room, or is
  /// the one that the ensemble's files are in.
  ///
  /// - Parameters:
  ///   - folder: made if it is missing.
  ///   - members: those whose values this process writes; all by default. A single file is written by one process, to
  ///     which all members are given; others have an empty range.
  public init(_ files: ModelFiles, folder: String, members: Range<Int>? = nil) throws(ArchiveError) {
    let members = members ?? 0..<files.memberCount
    (self.files, self.folder, self.members) = (files, folder, members)
    names = Self.names(of: files.paths)
    guard !files.isSingle || members.isEmpty || members == 0..<files.memberCount else {
      throw ArchiveError(
        .contradiction, path: "\(folder)/\(names[0])", found: "members \(members) of a single file",
        expected: "all of them by one process")
    }
    guard !members.isEmpty else { return }
    try Folders.make(folder)
    let numbers = files.isSingle ? 0..<1 : members
    do throws(ArchiveError) {
      for number in numbers {
        let reserve = try files.growth(number)
        copies[number] = try StagedCopy(of: files.paths[number], in: folder, as: names[number], reserve: reserve)
      }
    } catch {
      discard()
      throw error
    }
  }

  deinit { discard() }

  /// Writes one member's values (`[layout.count]`) in the fields' units. What is NaN here, or missing in the original,
  /// stays bit for bit as it is there, and so does what has not changed; packed values are rounded to the nearest that
  /// the file can hold and is no fill value.
  ///
  /// - Throws: `ArchiveError` where the file system refuses; nothing should be published then.
  public func write(member: Int, _ state: Span<Double>) throws(ArchiveError) {
    precondition(state.count == files.layout.count, "a state has \(files.layout.count) elements")
    guard self.state == .writing, members.contains(member) else {
      throw ArchiveError(
        .contradiction, path: folder, found: "values of member \(member)", expected: "one of \(members), before the end"
      )
    }
    let number = files.isSingle ? 0 : member
    let file = try open(number)
    for (f, field) in file.fields.enumerated() {
      let (start, count) = field.block(member: files.isSingle ? member : 0)
      let raw = try scratch.bytes(file.size(f), file.reader.path)
      try check(number) {
        nc_get_vara(file.reader.dataset, field.variable.id, start, count, raw.baseAddress)
      }
      let isChanged = state.extracting(files.layout.range(f)).withUnsafeBufferPointer { values in
        file.stored[f].encode(values, over: raw)
      }
      guard isChanged else { continue }
      try check(number) {
        nc_put_vara(file.reader.dataset, field.variable.id, start, count, raw.baseAddress)
      }
    }
    written.insert(member)
    if !files.isSingle { try close() }
  }

  /// Completes the files, still under temporary names: all is on the disk afterwards, and the folders are made.
  ///
  /// - Throws: `ArchiveError` where the file system refuses, or a member has not been written.
  public func finish() throws(ArchiveError) {
    guard state == .writing else { return }
    for member in members where !written.contains(member) {
      throw ArchiveError(.contradiction, path: folder, found: "no values of member \(member)", expected: "all members'")
    }
    try close()
    for number in copies.keys.sorted() {
      try copies[number]?.sync()
      try makeFolders(of: names[number])
    }
    state = .finished
  }

  /// Gives the files their final names. Other processes' are given theirs by themselves: all of them should have
  /// finished before any publishes.
  public func publish() throws(ArchiveError) {
    try finish()
    guard state == .finished else { return }
    for number in copies.keys.sorted() {
      try copies[number]?.publish()
      syncFolder(of: names[number])
    }
    state = .published
  }

  // MARK: Files

  private func open(_ number: Int) throws(ArchiveError) -> ModelFile {
    if let current, current.number == number { return current.file }
    try close()
    guard let copy = copies[number] else {
      throw ArchiveError(.contradiction, path: folder, found: "no copy of file \(number)", expected: "one")
    }
    let reader = try DatasetReader(
      path: copy.path, dataset: DiskFile.open(copy.temporaryPath, NC_WRITE), size: .max)
    let file = try files.file(in: reader)
    current = (number, file)
    return file
  }

  private func close() throws(ArchiveError) {
    guard let (number, file) = current else { return }
    current = nil
    try check(number) { file.reader.close() }
  }

  private func check(_ number: Int, _ body: () -> Int32) throws(ArchiveError) {
    let status = NetCDF.call(body)
    guard status != NC_NOERR else { return }
    let path = "\(folder)/\(names[number])"
    if status > 0 { throw systemError(path: path, doing: "cannot write", status) }
    // HDF5 does not say why.
    var room = statvfs()
    let isFull = statvfs(folder, &room) == 0 && room.f_bavail == 0
    throw ArchiveError(
      isFull ? .diskFull : .ioFailure, path: path, found: "cannot write: \(NetCDF.reason(status))",
      expected: isFull ? "room on the disk" : nil)
  }

  // MARK: Folders

  /// Paths from the innermost folder that has all of them.
  static func names(of paths: [String]) -> [String] {
    let here = getcwd(nil, 0)
    defer { free(here) }
    let parts = paths.map { path in
      var parts: [String] = []
      for part in ((path.hasPrefix("/") ? "" : here.map { String(cString: $0) + "/" } ?? "") + path).split(
        separator: "/")
      {
        if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
      }
      return parts
    }
    let shortest = parts.map(\.count).min() ?? 0
    var shared = 0
    while shared < shortest - 1, parts.allSatisfy({ $0[shared] == parts[0][shared] }) { shared += 1 }
    return parts.map { $0[(paths.count == 1 ? $0.count - 1 : shared)...].joined(separator: "/") }
  }

  /// Makes the folders of a name that are missing, and remembers them.
  private func makeFolders(of name: String) throws(ArchiveError) {
    var path = folder
    for part in name.split(separator: "/").dropLast() {
      path += "/\(part)"
      var status = stat()
      if stat(path, &status) != 0 { madeFolders.append(path) }
      try Folders.make(path)
    }
  }

  /// Makes the new name survive a power cut, where the file system can.
  private func syncFolder(of name: String) {
    let path = "\(folder)/\(name)"
    let above = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = Glibc.open(above.isEmpty ? "/" : above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    Glibc.close(descriptor)
  }

  private func discard() {
    if let current { _ = NetCDF.call { current.file.reader.close() } }
    current = nil
    for copy in copies.values { copy.discard() }
    guard state != .published else { return }
    // Only empty ones go.
    for path in madeFolders.reversed() { rmdir(path) }
    madeFolders = []
  }
}
