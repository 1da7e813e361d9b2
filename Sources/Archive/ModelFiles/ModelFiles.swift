import CNetCDF
public import DaunceState
import Glibc

/// An ensemble as a model's own files hold it: one NetCDF file with a member dimension, or a file for each member.
///
/// Files stay on disk; a member's values are read when they are asked for. Damaged files give an error: classic ones
/// are checked before the library sees them, and through NetCDF-4 ones a child process goes first (see `SandboxedReader`).
///
/// One thread uses one object; several processes may have the same files open.
public final class ModelFiles {
  /// The files as they were named: one, or one for each member.
  public let paths: [String]
  /// What the files say about the state: its fields in the order of the options or else of the files, each with the
  /// grid dimensions in the file's order.
  public let layout: StateLayout
  public let memberCount: Int

  let schema: ModelSchema
  private let geometry: ModelGeometry
  private let options: ModelFileOptions
  private var current: (number: Int, file: ModelFile)
  private var scratch = Scratch()

  /// Whether one file holds all members.
  public var isSingle: Bool { paths.count == 1 }

  /// Opens the files and finds the state in them.
  ///
  /// - Parameters:
  ///   - paths: one file with a member dimension, or at least two, one for each member in this order.
  ///   - options: what the files do not say.
  ///   - members: those of a file per member that this process compares with the first; all by default. Only these are
  ///     to be read and written here.
  ///   - isChecked: whether another process has opened the same files like this before: no child goes through them.
  /// - Throws: `ArchiveError` naming file and variable where a file cannot be read, has no such state, or is of another
  ///   grid than the first; where there is one member only.
  public init(
    paths: [String], options: ModelFileOptions, members: Range<Int>? = nil, isChecked: Bool = false
  ) throws(ArchiveError) {
    guard let path = paths.first else {
      throw ArchiveError(.missingFile, path: "ensemble", found: "no file", expected: "the files of an ensemble")
    }
    let isSingle = paths.count == 1
    let reader = try DiskFile.reader(path, isChecked: isChecked)
    schema = try ModelSchema(reader, options, isSingle: isSingle)
    geometry = try ModelGeometry(reader, schema, options)
    (self.paths, self.options, layout) = (paths, options, geometry.layout)
    memberCount = isSingle ? schema.memberCount : paths.count
    guard memberCount >= 2 else {
      throw ArchiveError(
        .wrongSize, path: path, object: schema.memberDimension.map { "dimension \($0)" },
        found: "\(memberCount) member\(memberCount == 1 ? "" : "s")", expected: "an ensemble of at least two")
    }
    current = (0, try ModelFile(reader, schema, options))
    if !isSingle {
      try checkDifferent()
      for member in members ?? 0..<memberCount where member > 0 {
        let other = try DiskFile.reader(paths[member], isChecked: isChecked)
        try current.file.compare(with: other, schema, geometry.coordinateNames, options)
      }
    }
  }

  /// Every field's values of one member, as `layout` orders them (`[layout.count]`), in the fields' units; missing ones
  /// as NaN, and so are those of cells whose coordinates are missing.
  ///
  /// - Throws: `ArchiveError` if the file cannot be read any more.
  public func read(member: Int, into state: inout MutableSpan<Double>) throws(ArchiveError) {
    precondition(state.count == layout.count, "a state has \(layout.count) elements")
    let (file, block) = (try file(of: member), isSingle ? member : 0)
    var outcome: ArchiveError?
    state.withUnsafeMutableBufferPointer { state in
      for f in layout.fields.indices where outcome == nil {
        let values = UnsafeMutableBufferPointer(rebasing: state[layout.range(f)])
        do throws(ArchiveError) {
          let raw = try scratch.bytes(file.size(f), file.reader.path)
          try file.read(f, block, into: raw)
          file.stored[f].decode(UnsafeRawBufferPointer(raw), into: values)
        } catch {
          outcome = error
        }
        for cell in unplaced(f) { values[cell] = .nan }
      }
    }
    if let outcome { throw outcome }
  }

  /// Cells of a field that have no place and are no part of the state.
  func unplaced(_ f: Int) -> [Int] { geometry.unplaced[layout.fields[f].grid] }

  /// The file that has a member's values.
  func path(of member: Int) -> String { paths[isSingle ? 0 : member] }

  /// Bytes by which a copy of a file may grow while values are written: compressed chunks that find no room where they
  /// were.
  func growth(_ number: Int) throws(ArchiveError) -> Int {
    let file = try file(of: number)
    var bytes = 0
    for field in file.fields where try file.reader.isChunked(field.variable) {
      bytes += field.variable.shape.reduce(1, *) * (numberSize(field.variable.type) ?? 1) + 1 << 16
    }
    return bytes
  }

  /// How the values are stored in a copy of a file that has been opened for writing.
  func file(in copy: DatasetReader) throws(ArchiveError) -> ModelFile { try ModelFile(copy, schema, options) }

  private func file(of member: Int) throws(ArchiveError) -> ModelFile {
    precondition(0..<memberCount ~= member, "member \(member) of \(memberCount)")
    let number = isSingle ? 0 : member
    if current.number != number {
      current = (number, try ModelFile(DiskFile.reader(paths[number], isChecked: true), schema, options))
    }
    return current.file
  }

  /// Refuses one file twice.
  private func checkDifferent() throws(ArchiveError) {
    struct Identity: Hashable {
      let device: dev_t
      let number: ino_t
    }
    var known: [Identity: Int] = [:]
    for (member, path) in paths.enumerated() {
      var status = stat()
      guard stat(path, &status) == 0 else { throw systemError(path: path, doing: "cannot open the file", errno) }
      let identity = Identity(device: status.st_dev, number: status.st_ino)
      if let other = known[identity] {
        throw ArchiveError(
          .contradiction, path: path, found: "the same file for members \(other) and \(member)",
          expected: "a file for each member")
      }
      known[identity] = member
    }
  }
}

/// Memory that grows to what was asked for last and is used again.
struct Scratch: ~Copyable {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  mutating func bytes(_ count: Int, _ path: String) throws(ArchiveError) -> UnsafeMutableRawBufferPointer {
    if memory.count < count {
      free(memory.baseAddress)
      memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      // malloc, because a Swift allocation traps where a huge variable should only be an error.
      guard let new = malloc(count) else {
        throw ArchiveError(.ioFailure, path: path, found: "\(count) bytes of one field, more than there is memory for")
      }
      memory = UnsafeMutableRawBufferPointer(start: new, count: count)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
  }

  deinit { free(memory.baseAddress) }
}
