import CNetCDF
import Glibc

/// Writes one NetCDF-4 file that appears under its name only when it is complete.
///
/// The file is built in memory and goes to disk in `finish()`: to a temporary beside the target, synced, then
/// renamed. So writing a variable never waits for a disk, a full disk leaves no library in an undefined state, and
/// until the last step an older file of that name stays as it was. The price is memory of the file's size.
///
/// The same calls give the same bytes: HDF5 is told by netCDF to store no times, and `Provenance` has none.
///
/// One thread uses one writer; different writers may be used at the same time.
public final class DatasetWriter {
  /// The file to be.
  public let path: String
  private let temporary: TemporaryFile
  private var dataset: Int32
  private var isOpen = true

  /// A dimension of this file.
  public struct Dimension: Sendable, Hashable {
    public let name: String
    /// Number of elements; `nil` for one that grows.
    public let length: Int?
    let id: Int32
  }

  /// A variable of this file, with the type of its elements.
  public struct Variable<Element: ArchiveElement>: Sendable, Hashable {
    public let name: String
    public let dimensions: [Dimension]
    let id: Int32
  }

  /// Starts the file. Throws if the folder is missing or cannot be written to.
  public init(path: String, provenance: Provenance) throws(ArchiveError) {
    self.path = path
    temporary = try TemporaryFile(path: path)
    dataset = try BlankDataset.open(for: path)
    for attribute in provenance.attributes { try set(attribute) }
  }

  deinit { cancel() }

  // MARK: Structure

  /// Defines a dimension; `length` nil makes one that grows as data are written.
  public func dimension(_ name: String, length: Int?) throws(ArchiveError) -> Dimension {
    guard length ?? 0 >= 0 else {
      throw ArchiveError(
        .wrongSize, path: path, object: "dimension \(name)", found: "length \(length ?? 0)", expected: "0 or more")
    }
    var id: Int32 = -1
    try check("dimension \(name)") { nc_def_dim(dataset, name, length ?? Int(NC_UNLIMITED), &id) }
    return Dimension(name: name, length: length, id: id)
  }

  /// Defines a variable over `dimensions`, slowest first. Floating-point variables have NaN as fill value, so that what
  /// is never written reads as missing, unless they are coordinates (which may not have missing values by CF) or single
  /// numbers.
  ///
  /// `chunks`: elements of each dimension stored together, for variables along a growing dimension.
  public func variable<Element: ArchiveElement>(
    _ name: String, of type: Element.Type = Double.self, over dimensions: [Dimension], chunks: [Int]? = nil,
    attributes: [Attribute] = []
  ) throws(ArchiveError) -> Variable<Element> {
    let object = "variable \(name)"
    var id: Int32 = -1
    let ids = dimensions.map(\.id)
    try check(object) { nc_def_var(dataset, name, type.elementType.code, Int32(ids.count), ids, &id) }
    if let chunks, !dimensions.isEmpty {
      try check(object) { nc_def_var_chunking(dataset, id, NC_CHUNKED, chunks.map { max($0, 1) }) }
    }
    let isCoordinate = dimensions.isEmpty || dimensions.count == 1 && dimensions[0].name == name
    switch type.elementType {
    case .double where !isCoordinate:
      var missing = Double.nan
      try check(object) { nc_def_var_fill(dataset, id, 0, &missing) }
    case .float where !isCoordinate:
      var missing = Float.nan
      try check(object) { nc_def_var_fill(dataset, id, 0, &missing) }
    default: break
    }
    for attribute in attributes { try set(attribute, of: name, id: id) }
    return Variable(name: name, dimensions: dimensions, id: id)
  }

  /// Sets a global attribute.
  public func set(_ attribute: Attribute) throws(ArchiveError) {
    try set(attribute, of: nil, id: NC_GLOBAL)
  }

  /// Sets an attribute of a variable.
  public func set<Element>(_ attribute: Attribute, of variable: Variable<Element>) throws(ArchiveError) {
    try set(attribute, of: variable.name, id: variable.id)
  }

  private func set(_ attribute: Attribute, of owner: String?, id: Int32) throws(ArchiveError) {
    let name = attribute.name
    let object = owner.map { "attribute \(name) of \($0)" } ?? "global attribute \(name)"
    try check(object) {
      switch attribute.value {
      case .text(let text): nc_put_att_text(dataset, id, name, text.utf8.count, text)
      case .numbers(let values): nc_put_att_double(dataset, id, name, NC_DOUBLE, values.count, values)
      case .integers(let values):
        values.withUnsafeBytes { nc_put_att(dataset, id, name, NC_INT64, values.count, $0.baseAddress) }
      case .unsigned(let values):
        values.withUnsafeBytes { nc_put_att(dataset, id, name, NC_UINT64, values.count, $0.baseAddress) }
      }
    }
  }

  // MARK: Data

  /// Writes all of a variable, in row-major order.
  public func write<Element>(_ values: [Element], to variable: Variable<Element>) throws(ArchiveError) {
    var count: [Int] = []
    for dimension in variable.dimensions {
      guard let length = dimension.length else {
        throw ArchiveError(
          .wrongSize, path: path, object: "variable \(variable.name)", found: "no counts for a growing dimension",
          expected: "a start and a count for each dimension")
      }
      count.append(length)
    }
    try write(values, to: variable, start: [Int](repeating: 0, count: count.count), count: count)
  }

  /// Writes the block of `count` elements from `start` on, in row-major order; along a growing dimension the file
  /// grows.
  ///
  /// An array and not a span: under Swift 6.3.1's optimiser the elements of a caller's local array were not stored
  /// before the call when it was passed on as a span, and the file had zeros.
  public func write<Element>(
    _ values: [Element], to variable: Variable<Element>, start: [Int], count: [Int]
  ) throws(ArchiveError) {
    guard try checkBlock(values.count, variable, start, count) else { return }
    try check("variable \(variable.name)") {
      values.withUnsafeBytes { nc_put_vara(dataset, variable.id, start, count, $0.baseAddress) }
    }
  }

  /// Whether there is anything to write; throws if the block's shape is not the variable's or the values' number.
  private func checkBlock<Element>(
    _ values: Int, _ variable: Variable<Element>, _ start: [Int], _ count: [Int]
  ) throws(ArchiveError) -> Bool {
    let total = count.reduce(1, *)
    guard start.count == variable.dimensions.count, count.count == start.count, values == total else {
      throw ArchiveError(
        .wrongSize, path: path, object: "variable \(variable.name)",
        found: "\(values) values for a block of shape \(count)",
        expected: "a block of \(variable.dimensions.count) dimensions with as many values")
    }
    return total > 0
  }

  /// Defines a variable of texts over `dimension` (`nil` for a single one) and writes it. Stored as characters padded
  /// with zeros along a dimension of their own, which every NetCDF reader joins to texts again. Not along a dimension
  /// that grows: other variables decide how long that is.
  public func write(
    texts: [String], as name: String, over dimension: Dimension?, attributes: [Attribute] = []
  ) throws(ArchiveError) {
    let object = "variable \(name)"
    let expected = dimension.map { $0.length } ?? 1
    guard texts.count == expected else {
      throw ArchiveError(
        .wrongSize, path: path, object: object, found: "\(texts.count) texts",
        expected: expected.map { "\($0)" } ?? "a dimension of fixed length")
    }
    var width = 1
    for text in texts { width = max(width, text.utf8.count) }
    let characters = try self.dimension("\(name)_characters", length: width)
    let ids = (dimension.map { [$0.id] } ?? []) + [characters.id]
    var id: Int32 = -1
    try check(object) { nc_def_var(dataset, name, NC_CHAR, Int32(ids.count), ids, &id) }
    // Without it, Python readers give bytes in place of texts.
    for attribute in attributes + [Attribute("_Encoding", "utf-8")] { try set(attribute, of: name, id: id) }
    var bytes: [CChar] = []
    for text in texts {
      bytes += text.utf8.map { CChar(bitPattern: $0) }
      bytes += [CChar](repeating: 0, count: width - text.utf8.count)
    }
    guard !texts.isEmpty else { return }
    let count = (dimension == nil ? [] : [texts.count]) + [width]
    try check(object) { nc_put_vara_text(dataset, id, count.map { _ in 0 }, count, bytes) }
  }

  // MARK: End

  /// Completes the file: to disk, synced, then renamed to `path`. Returns the digest of its data (XXH64), which is also
  /// stored behind them and checked by `DatasetReader`.
  @discardableResult
  public func finish() throws(ArchiveError) -> UInt64 {
    guard isOpen else {
      throw ArchiveError(.contradiction, path: path, found: "a file that is already finished or cancelled")
    }
    isOpen = false
    var image = NC_memio()
    let status = NetCDF.call { nc_close_memio(dataset, &image) }
    guard status == NC_NOERR, let memory = image.memory else {
      temporary.discard()
      throw Self.failure(path, nil, status)
    }
    defer { free(memory) }
    let bytes = BlankDataset.trimmed(UnsafeRawBufferPointer(start: memory, count: image.size))
    let seal = ChecksumFooter(of: bytes)
    let sealBytes = seal.bytes
    // An array's storage may only be used inside a closure, and `commit` throws: hand the error out by hand.
    let outcome = sealBytes.withUnsafeBytes { (tail) -> ArchiveError? in
      do throws(ArchiveError) {
        try temporary.commit([bytes, tail])
        return nil
      } catch {
        return error
      }
    }
    if let outcome { throw outcome }
    return seal.digest
  }

  /// Gives the file up: nothing of it remains, and an older file of its name is untouched.
  public func cancel() {
    if isOpen {
      isOpen = false
      var image = NC_memio()
      if NetCDF.call({ nc_close_memio(dataset, &image) }) == NC_NOERR { free(image.memory) }
    }
    temporary.discard()
  }

  private func check(_ object: String?, _ body: () -> Int32) throws(ArchiveError) {
    guard isOpen else {
      throw ArchiveError(.contradiction, path: path, found: "writing to a file that is finished or cancelled")
    }
    let status = NetCDF.call(body)
    guard status == NC_NOERR else { throw Self.failure(path, object, status) }
  }

  private static func failure(_ path: String, _ object: String?, _ status: Int32) -> ArchiveError {
    let problem: ArchiveError.Problem =
      switch status {
      case NC_EBADNAME, NC_EMAXNAME, NC_ENAMEINUSE: .invalidName
      case NC_ENOMEM: .ioFailure
      default: .libraryFailure
      }
    return ArchiveError(problem, path: path, object: object, found: NetCDF.reason(status))
  }
}
