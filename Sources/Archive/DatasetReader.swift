import CNetCDF

/// Reads one NetCDF file, its own or anybody's: NetCDF-4 or classic.
///
/// A damaged file gives an error and never a crash as far as this can be assured: a file that `DatasetWriter` wrote
/// is checked against its seal before the library parses it; sizes are compared with what the file can hold before
/// memory is allocated; types and dimensions are compared with what the caller expects. The file is held in memory
/// while the reader lives, so no lock on it is needed (file locks fail on many cluster file systems). NetCDF-4 files of
/// other programs are read by a process of their own; see `ForeignFile`.
///
/// One thread uses one reader; different readers may be used at the same time.
public final class DatasetReader {
  public let path: String
  /// Digest of the data (XXH64) if the file is sealed; `nil` for a file of another program.
  public let digest: UInt64?
  /// Dimensions in the file's order.
  public let dimensions: [(name: String, length: Int)]
  /// Variables in the file's order.
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
  public init(path: String) throws(ArchiveError) {
    self.path = path
    var contents = try FileContents(path: path)
    switch try Self.checkFormat(UnsafeRawBufferPointer(contents.bytes), path) {
    case (_, .whole(let sealed)): digest = sealed
    case (_, .damaged(let found)):
      throw ArchiveError(
        .damaged, path: path, found: found, expected: "the contents as they were written: the file is damaged")
    case (.classic, .unsealed): digest = nil
    case (.hdf5, .unsealed):
      digest = nil
      if let copy = try ForeignFile.classicCopy(of: path) {
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
  ) throws(ArchiveError) -> (Format, Seal.Finding) {
    let hdf5: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    let classic = Array("CDF".utf8)
    if bytes.starts(with: hdf5) { return (.hdf5, Seal.check(bytes)) }
    if bytes.starts(with: classic), bytes.count > 3, [1, 2, 5].contains(bytes[3]) {
      do throws(ClassicHeader.Damage) {
        try ClassicHeader.check(bytes)
        return (.classic, Seal.check(bytes))
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

  private static func structure(
    of id: Int32, _ path: String
  ) throws(ArchiveError) -> (dimensions: [(name: String, length: Int)], variables: [Variable]) {
    func check(_ status: Int32) throws(ArchiveError) {
      guard status == NC_NOERR else { throw Self.damage(path, nil, status) }
    }
    var dimensionCount: Int32 = 0
    var variableCount: Int32 = 0
    try check(NetCDF.call { nc_inq(id, &dimensionCount, &variableCount, nil, nil) })
    // Dimension identities need not be 0, 1, 2 ... where groups or damage are about.
    var ids = [Int32](repeating: 0, count: Int(max(dimensionCount, 0)))
    try check(NetCDF.call { nc_inq_dimids(id, &dimensionCount, &ids, 0) })
    var dimensions: [(name: String, length: Int)] = []
    var nameOf: [Int32: Int] = [:]
    for dimension in ids {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var length = 0
      try check(NetCDF.call { nc_inq_dim(id, dimension, &name, &length) })
      nameOf[dimension] = dimensions.count
      dimensions.append((string(name), length))
    }
    var variables: [Variable] = []
    for variable in 0..<max(variableCount, 0) {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var type: nc_type = 0
      var rank: Int32 = 0
      try check(NetCDF.call { nc_inq_var(id, variable, &name, &type, &rank, nil, nil) })
      var over = [Int32](repeating: 0, count: Int(max(rank, 0)))
      if rank > 0 { try check(NetCDF.call { nc_inq_vardimid(id, variable, &over) }) }
      var names: [String] = []
      var shape: [Int] = []
      for dimension in over {
        guard let place = nameOf[dimension], dimensions[place].length >= 0 else {
          throw ArchiveError(
            .damaged, path: path, object: "variable \(string(name))", found: "a dimension that the file does not have")
        }
        names.append(dimensions[place].name)
        shape.append(dimensions[place].length)
      }
      variables.append(
        Variable(
          name: string(name), dimensions: names, shape: shape, typeName: DaunceArchive.typeName(type), id: variable,
          type: type))
    }
    return (dimensions, variables)
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
