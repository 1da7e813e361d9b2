import CNetCDF

/// Reads one NetCDF file, its own or anybody's: NetCDF-4 or classic.
///
/// A damaged file gives an error and never a crash as far as this can be assured: a file that `DatasetWriter` wrote
/// is checked against its seal before the library parses it; sizes are compared with what the file can hold before
/// memory is allocated; types and dimensions are compared with what the caller expects. The file is held in memory
/// while the reader lives, so no lock on it is needed (file locks fail on many cluster file systems). NetCDF-4 files of
/// other programs are read by a process of their own; see `SandboxedReader`.
///
/// One thread uses one reader; different readers may be used at the same time.
public final class DatasetReader {
  public let path: String
  /// Digest of the data (XXH64) if the file is sealed; `nil` for a file of another program.
  public let digest: UInt64?
  /// Dimensions in the file's order.
  public let dimensions: [(name: String, length: Int)]
  /// Variables in the file's order. Those of a group come after the root's, `t` of the group `ObsValue` as `t@ObsValue`;
  /// groups of groups are left out.
  public let variables: [Variable]

  /// The file in memory; `nil` where the library reads it from disk.
  private let contents: FileContents?
  /// Bytes of the file.
  private let size: Int
  let dataset: Int32
  private var isOpen = true

  /// A variable as the file declares it.
  public struct Variable: Sendable, Hashable {
    public let name: String
    /// Names of its dimensions, slowest first.
    public let dimensions: [String]
    /// Lengths of its dimensions.
    public let shape: [Int]
    /// Name of its stored type, as `ncdump` has it.
    public let typeName: String
    let id: Int32
    let type: nc_type
    /// The library's number of the group that it is in.
    let group: Int32

    /// Number of elements, or `nil` if it is more than an `Int` holds.
    var count: Int? {
      var product = 1
      for length in shape {
        let (next, overflow) = product.multipliedReportingOverflow(by: length)
        if overflow { return nil }
        product = next
      }
      return product
    }
  }

  /// Opens a file. Throws if it is missing, unreadable, damaged, or not NetCDF.
  public convenience init(path: String) throws(ArchiveError) {
    try self.init(path: path, contents: FileContents(path: path))
  }

  /// Opens a file whose bytes have been read.
  init(path: String, contents: FileContents) throws(ArchiveError) {
    self.path = path
    var contents = contents
    switch try Self.checkFormat(UnsafeRawBufferPointer(contents.bytes), path) {
    case (_, .whole(let sealed)): digest = sealed
    case (_, .damaged(let found)):
      throw ArchiveError(
        .damaged, path: path, found: found, expected: "the contents as they were written: the file is damaged")
    case (.classic, .unsealed): digest = nil
    case (.hdf5, .unsealed):
      digest = nil
      if let copy = try SandboxedReader.classicCopy(of: path) {
        contents = copy
        // What comes from another process is trusted no more than a file.
        _ = try Self.checkFormat(UnsafeRawBufferPointer(copy.bytes), path)
      }
    }
    self.contents = contents
    var id: Int32 = -1
    size = contents.bytes.count
    let status = NetCDF.call {
      nc_open_mem("image", NC_NOWRITE, contents.bytes.count, contents.bytes.baseAddress, &id)
    }
    guard status == NC_NOERR else {
      throw ArchiveError(
        .truncated, path: path, found: "a file that the NetCDF library cannot open (\(NetCDF.reason(status)))",
        expected: "a complete NetCDF file: this one is truncated or damaged")
    }
    do throws(ArchiveError) {
      let structure = try Self.structure(of: id, path)
      dimensions = structure.dimensions
      variables = structure.variables
    } catch {
      _ = NetCDF.call { nc_close(id) }
      throw error
    }
    dataset = id
  }

  /// Takes over `dataset`, a file of `size` bytes that the library has open on disk.
  init(path: String, dataset: Int32, size: Int) throws(ArchiveError) {
    self.path = path
    (self.dataset, self.size) = (dataset, size)
    (contents, digest) = (nil, nil)
    do throws(ArchiveError) {
      let structure = try Self.structure(of: dataset, path)
      dimensions = structure.dimensions
      variables = structure.variables
    } catch {
      _ = NetCDF.call { nc_close(dataset) }
      throw error
    }
  }

  deinit {
    if isOpen { _ = NetCDF.call { close() } }
  }

  /// Closes the library's file, of which nothing can be read any more.
  ///
  /// - Returns: the library's status: for a file that is written on disk, whether all of it came there.
  func close() -> Int32 {
    isOpen = false
    return nc_close(dataset)
  }

  private enum Format { case hdf5, classic }

  /// The first bytes tell a NetCDF file; the library itself would also try other formats by the name.
  private static func checkFormat(
    _ bytes: UnsafeRawBufferPointer, _ path: String
  ) throws(ArchiveError) -> (Format, ChecksumFooter.Finding) {
    let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    let classic = Array("CDF".utf8)
    if bytes.starts(with: hdf5) { return (.hdf5, ChecksumFooter.check(bytes)) }
    if bytes.starts(with: classic), bytes.count > 3, [1, 2, 5].contains(bytes[3]) {
      do throws(ClassicHeader.Damage) {
        try ClassicHeader.check(bytes)
        return (.classic, ChecksumFooter.check(bytes))
      } catch {
        throw ArchiveError(
          .truncated, path: path, found: "a header that names \(error.found)",
          expected: "a complete NetCDF file: this one is truncated or damaged")
      }
    }
    throw ArchiveError(
      .notNetCDF, path: path, found: bytes.isEmpty ? "an empty file" : "a file of another kind",
      expected: "a NetCDF file (NetCDF-4/HDF5 or classic)")
  }

  private typealias Structure = (dimensions: [(name: String, length: Int)], variables: [Variable])

  /// Dimensions and variables of the file and of its groups, which only NetCDF-4 has.
  private static func structure(of id: Int32, _ path: String) throws(ArchiveError) -> Structure {
    var found: Structure = ([], [])
    // Dimension identities need not be 0, 1, 2 ... where groups or damage are about.
    var places: [Int32: Int] = [:]
    try collect(id, suffix: "", &found, &places, path)
    var count: Int32 = 0
    try check(path) { nc_inq_grps(id, &count, nil) }
    var groups = [Int32](repeating: 0, count: Int(max(count, 0)))
    if count > 0 { try check(path) { nc_inq_grps(id, &count, &groups) } }
    for group in groups {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try check(path) { nc_inq_grpname(group, &name) }
      try collect(group, suffix: "@" + string(name), &found, &places, path)
    }
    return found
  }

  private static func check(_ path: String, _ body: () -> Int32) throws(ArchiveError) {
    let status = NetCDF.call(body)
    guard status == NC_NOERR else { throw damage(path, nil, status) }
  }

  /// Adds what one group has; `places` are the dimensions by the library's numbers.
  private static func collect(
    _ group: Int32, suffix: String, _ found: inout Structure, _ places: inout [Int32: Int], _ path: String
  ) throws(ArchiveError) {
    var dimensionCount: Int32 = 0
    var variableCount: Int32 = 0
    try check(path) { nc_inq(group, &dimensionCount, &variableCount, nil, nil) }
    var ids = [Int32](repeating: 0, count: Int(max(dimensionCount, 0)))
    try check(path) { nc_inq_dimids(group, &dimensionCount, &ids, 0) }
    for dimension in ids {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var length = 0
      try check(path) { nc_inq_dim(group, dimension, &name, &length) }
      places[dimension] = found.dimensions.count
      found.dimensions.append((string(name) + suffix, length))
    }
    for variable in 0..<max(variableCount, 0) {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var type: nc_type = 0
      var rank: Int32 = 0
      try check(path) { nc_inq_var(group, variable, &name, &type, &rank, nil, nil) }
      var over = [Int32](repeating: 0, count: Int(max(rank, 0)))
      if rank > 0 { try check(path) { nc_inq_vardimid(group, variable, &over) } }
      var names: [String] = []
      var shape: [Int] = []
      for dimension in over {
        guard let place = places[dimension], found.dimensions[place].length >= 0 else {
          throw ArchiveError(
            .damaged, path: path, object: "variable \(string(name))", found: "a dimension that the file does not have")
        }
        names.append(found.dimensions[place].name)
        shape.append(found.dimensions[place].length)
      }
      found.variables.append(
        Variable(
          name: string(name) + suffix, dimensions: names, shape: shape, typeName: DaunceArchive.typeName(type),
          id: variable, type: type, group: group))
    }
  }

  // MARK: Structure

  /// The variable called `name`, or `nil`.
  public func find(_ name: String) -> Variable? { variables.first { $0.name == name } }

  /// The variable called `name`; throws if the file has none.
  public func variable(_ name: String) throws(ArchiveError) -> Variable {
    guard let variable = find(name) else {
      let present = variables.map(\.name).joined(separator: ", ")
      throw ArchiveError(
        .missingVariable, path: path, object: "variable \(name)", found: "no such variable",
        expected: "it among the file's variables (\(present.isEmpty ? "none" : present))")
    }
    return variable
  }

  /// Length of a dimension; throws if the file has none of that name.
  public func length(of dimension: String) throws(ArchiveError) -> Int {
    guard let found = dimensions.first(where: { $0.name == dimension }) else {
      let present = dimensions.map(\.name).joined(separator: ", ")
      throw ArchiveError(
        .missingDimension, path: path, object: "dimension \(dimension)", found: "no such dimension",
        expected: "it among the file's dimensions (\(present.isEmpty ? "none" : present))")
    }
    return found.length
  }

  /// The variable called `name` if its dimensions are these, in this order; a length of `nil` is any.
  @discardableResult
  public func variable(
    _ name: String, over expected: [(name: String, length: Int?)]
  ) throws(ArchiveError) -> Variable {
    let variable = try variable(name)
    guard variable.dimensions == expected.map(\.name) else { throw wrongShape(variable, expected, .wrongDimensions) }
    for (length, wanted) in zip(variable.shape, expected) where wanted.length ?? length != length {
      throw wrongShape(variable, expected, .wrongSize)
    }
    return variable
  }

  private func wrongShape(
    _ variable: Variable, _ expected: [(name: String, length: Int?)], _ problem: ArchiveError.Problem
  ) -> ArchiveError {
    let found = zip(variable.dimensions, variable.shape).map { "\($0) = \($1)" }.joined(separator: ", ")
    let wanted = expected.map { "\($0.name) = \($0.length.map(String.init) ?? "any")" }.joined(separator: ", ")
    return ArchiveError(
      problem, path: path, object: "variable \(variable.name)", found: "dimensions (\(found))",
      expected: "(\(wanted))")
  }

  // MARK: Errors and texts

  func check(_ object: String?, _ body: () -> Int32) throws(ArchiveError) {
    let status = NetCDF.call(body)
    guard status == NC_NOERR else { throw Self.damage(path, object, status) }
  }

  private static func damage(_ path: String, _ object: String?, _ status: Int32) -> ArchiveError {
    ArchiveError(
      .damaged, path: path, object: object, found: "unreadable contents (\(NetCDF.reason(status)))",
      expected: "a complete NetCDF file: this one is truncated or damaged")
  }

  /// Refuses sizes that the file cannot hold, before memory is taken for them: the strongest compression that NetCDF
  /// offers makes data 1032 times smaller.
  func plausibleCount(_ variable: Variable, _ count: Int?) throws(ArchiveError) -> Int {
    let limit = size.multipliedReportingOverflow(by: 1100)
    guard let count, count >= 0, limit.overflow || count <= limit.partialValue else {
      throw ArchiveError(
        .tooLarge, path: path, object: "variable \(variable.name)",
        found: "\(count.map(String.init) ?? "uncountably many") elements",
        expected: "no more than a file of \(size) bytes can hold")
    }
    return count
  }
}

/// The text before the first zero; invalid UTF-8 is replaced.
func string(_ characters: some Sequence<CChar>) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
