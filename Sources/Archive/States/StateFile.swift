import CNetCDF
public import DaunceState
import Glibc

/// One state in a file by itself, as a program that carries it is handed it and hands it back.
///
///     dimensions:
///       y = 40 ; x = 64 ;
///     variables:
///       double y(y) ;  double x(x) ;
///       double time ;                        in the model's unit
///       double h(y, x) ; ...                 with long_name, units, valid_min, valid_max
///
/// It is written as a classic file with 64-bit offsets, which everything reads. It is scratch: not synced, without a seal.
public enum StateFile {
  /// Writes a state (`[layout.count]`) of `time`, in the model's unit, over what is there.
  ///
  /// - Throws: `ArchiveError` where the file system refuses.
  public static func write(_ state: [Double], of layout: StateLayout, time: Double, to path: String) throws(ArchiveError) {
    precondition(state.count == layout.count, "a state has \(layout.count) elements")
    let file = try ClassicFile(creating: path)
    var known: [String: Int32] = [:]
    var coordinates: [(id: Int32, values: [Double])] = []
    var grids: [[Int32]] = []
    for grid in layout.grids {
      var own: [Int32] = []
      for one in grid.dimensions {
        if let shared = known[one.name] {
          own.append(shared)
          continue
        }
        let dimension = try file.dimension(one.name, one.length)
        if let axis = one.axis {
          let attributes = layout.geometry.attributes(of: axis)
          coordinates.append((try file.variable(one.name, over: [dimension], attributes), one.coordinates))
        }
        known[one.name] = dimension
        own.append(dimension)
      }
      grids.append(own)
    }
    let clock = try file.variable("time", over: [], [Attribute("long_name", "time in the model's unit")])
    var fields: [Int32] = []
    for field in layout.fields { fields.append(try file.variable(field.name, over: grids[field.grid], field.attributes())) }
    try file.endDefinitions()
    for one in coordinates { try file.put(one.values, 0, to: one.id) }
    try file.put([time], 0, to: clock)
    for (v, id) in fields.enumerated() { try file.put(state, layout.offsets[v], to: id) }
    try file.close()
  }

  /// Reads a state of `layout` (`[layout.count]`): every field with the dimensions that it is written with, before which
  /// there may be some of length 1.
  ///
  /// - Throws: `ArchiveError` for a file that is missing or damaged, of another grid, without a field, or with what is no
  ///   number or missing.
  public static func read(_ path: String, of layout: StateLayout) throws(ArchiveError) -> [Double] {
    let reader = try DiskFile.reader(path)
    try reader.checkGrids(layout)
    var state: [Double] = []
    state.reserveCapacity(layout.count)
    for (v, field) in layout.fields.enumerated() {
      let variable = try reader.variable(field.name)
      let (names, lengths) = (layout.grid(v).dimensions.map(\.name), layout.grid(v).dimensions.map(\.length))
      guard variable.dimensions.suffix(names.count) == names[...], variable.hasOneBlock(of: lengths) else {
        throw ArchiveError(
          .wrongDimensions, path: path, object: "variable \(field.name)", found: variable.words,
          expected: "(\(names.joined(separator: ", ")))")
      }
      state += try reader.finiteField(variable)
    }
    return state
  }
}

/// A field that is a variable of a model's own file, among others that this program leaves as they are.
public enum StoredVariable {
  /// Puts the values (`[cell]`) of variables in place of those that a file has of them: packed where these are, and what
  /// is missing there stays missing.
  ///
  /// - Parameter fields: names of variables, with their values and the lengths of their dimensions, in front of which a file
  ///   may have dimensions of length 1.
  /// - Throws: `ArchiveError` for a file that is damaged, or has no such variable, and where the file system refuses.
  public static func write(_ fields: [(name: String, values: [Double], shape: [Int])], in path: String) throws(ArchiveError) {
    // A look first, in a process of its own where that is needed; then to write.
    _ = try DiskFile.reader(path)
    let reader = try DatasetReader(path: path, dataset: DiskFile.open(path, NC_WRITE), size: .max)
    for field in fields {
      let variable = try reader.block(field.name, field.shape)
      let stored = try reader.stored(variable)
      let bytes = field.values.count * (numberSize(variable.type) ?? 8)
      let object = "variable \(field.name)"
      let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes), alignment: 16)
      defer { raw.deallocate() }
      try reader.check(object) { nc_get_var(variable.group, variable.id, raw.baseAddress) }
      let used = UnsafeMutableRawBufferPointer(rebasing: raw[..<bytes])
      let isChanged = field.values.withUnsafeBufferPointer { stored.encode($0, over: used) }
      if isChanged { try reader.check(object) { nc_put_var(variable.group, variable.id, raw.baseAddress) } }
    }
    let status = NetCDF.call { reader.close() }
    guard status == NC_NOERR else { throw failure(path, status) }
  }

  /// The values (`[cell]`) of a variable with dimensions of these lengths, behind others of length 1.
  ///
  /// - Throws: `ArchiveError` for a file that is missing or damaged, has no such variable, or what is no number in it.
  public static func read(_ name: String, from path: String, shape: [Int]) throws(ArchiveError) -> [Double] {
    let reader = try DiskFile.reader(path)
    return try reader.finiteField(reader.block(name, shape))
  }

  /// All values of a variable, in row-major order, of any shape.
  ///
  /// - Throws: `ArchiveError` for a file that is missing or damaged, or has no such variable.
  public static func read(_ name: String, from path: String) throws(ArchiveError) -> [Double] {
    let reader = try DiskFile.reader(path)
    return try reader.finiteField(reader.variable(name))
  }
}

extension DatasetReader.Variable {
  /// Whether it has dimensions of these lengths, and before them only some of length 1.
  fileprivate func hasOneBlock(of lengths: [Int]) -> Bool {
    shape.count >= lengths.count && shape.suffix(lengths.count) == lengths[...]
      && shape.dropLast(lengths.count).allSatisfy { $0 == 1 }
  }

  /// `(y = 40, x = 64)`.
  fileprivate var words: String { "(\(zip(dimensions, shape).map { "\($0) = \($1)" }.joined(separator: ", ")))" }
}

extension DatasetReader {
  /// The variable of a field with dimensions of these lengths.
  fileprivate func block(_ name: String, _ shape: [Int]) throws(ArchiveError) -> Variable {
    let variable = try variable(name)
    guard numberSize(variable.type) != nil else {
      throw ArchiveError(
        .wrongType, path: path, object: "variable \(name)", found: "values of type \(variable.typeName)", expected: "numbers")
    }
    // A single number may be stored without any dimension.
    guard variable.hasOneBlock(of: shape) || variable.shape.isEmpty && shape.allSatisfy({ $0 == 1 }) else {
      throw ArchiveError(
        .wrongDimensions, path: path, object: "variable \(name)", found: variable.words,
        expected: "\(shape.map(String.init).joined(separator: " x ")) values")
    }
    return variable
  }

  /// All values of a variable, none of them missing.
  fileprivate func finiteField(_ variable: Variable) throws(ArchiveError) -> [Double] {
    let values = try field(variable, start: variable.shape.map { _ in 0 }, count: variable.shape)
    if let i = values.firstIndex(where: { !$0.isFinite }) {
      throw ArchiveError(
        .notFinite, path: path, object: "variable \(variable.name)", found: "\(values[i].isNaN ? "a missing value or NaN" : "\(values[i])") at cell \(i)",
        expected: "finite numbers")
    }
    return values
  }
}

/// A classic file that is being written in place.
private final class ClassicFile {
  private let path: String
  private var id: Int32 = -1
  private var isOpen = false

  init(creating path: String) throws(ArchiveError) {
    self.path = path
    // A program may have left a link there, or somebody a file without a right to write to it.
    unlink(path)
    var buffer = 1 << 20
    try check { nc__create(path, NC_CLOBBER | NC_64BIT_OFFSET, 0, &buffer, &id) }
    isOpen = true
    var before: Int32 = 0
    try check { nc_set_fill(id, NC_NOFILL, &before) }
  }

  deinit { if isOpen { _ = NetCDF.call { nc_close(id) } } }

  func dimension(_ name: String, _ length: Int) throws(ArchiveError) -> Int32 {
    var dimension: Int32 = -1
    try check { nc_def_dim(id, name, length, &dimension) }
    return dimension
  }

  func variable(_ name: String, over dimensions: [Int32], _ attributes: [Attribute]) throws(ArchiveError) -> Int32 {
    var variable: Int32 = -1
    try check { nc_def_var(id, name, NC_DOUBLE, Int32(dimensions.count), dimensions, &variable) }
    for attribute in attributes {
      switch attribute.value {
      case .text(let text): try check { nc_put_att_text(id, variable, attribute.name, text.utf8.count, text) }
      case .numbers(let values):
        try check { nc_put_att_double(id, variable, attribute.name, NC_DOUBLE, values.count, values) }
      case .integers, .unsigned: continue
      }
    }
    return variable
  }

  func endDefinitions() throws(ArchiveError) { try check { nc_enddef(id) } }

  /// Writes all of a variable from element `first` of `values` on.
  func put(_ values: [Double], _ first: Int, to variable: Int32) throws(ArchiveError) {
    try check {
      values.withUnsafeBufferPointer { values in
        guard let start = values.baseAddress else { return NC_NOERR }
        return nc_put_var_double(id, variable, start + first)
      }
    }
  }

  func close() throws(ArchiveError) {
    isOpen = false
    try check { nc_close(id) }
  }

  private func check(_ body: () -> Int32) throws(ArchiveError) {
    let status = NetCDF.call(body)
    guard status != NC_NOERR else { return }
    throw failure(path, status)
  }
}

/// Why a file could not be written.
private func failure(_ path: String, _ status: Int32) -> ArchiveError {
  status > 0
    ? systemError(path: path, doing: "cannot write", status)
    : ArchiveError(.ioFailure, path: path, found: "cannot write: \(NetCDF.reason(status))")
}
