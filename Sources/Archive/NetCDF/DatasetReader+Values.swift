import CNetCDF

extension DatasetReader {
  /// All of a variable exactly as stored, in row-major order; throws if it is of another type.
  public func values<Element: ArchiveElement>(
    _ name: String, of type: Element.Type = Element.self
  ) throws(ArchiveError) -> [Element] {
    let variable = try variable(name)
    guard variable.type == type.elementType.code else {
      throw ArchiveError(
        .wrongType, path: path, object: "variable \(name)", found: "values of type \(variable.typeName)",
        expected: DaunceArchive.typeName(type.elementType.code))
    }
    let count = try plausibleCount(variable, variable.count)
    return try read(variable, count: count) { values in
      nc_get_var(variable.group, variable.id, values)
    }
  }

  /// All of a numeric variable as CF has it: unpacked with `scale_factor` and `add_offset`, and NaN where it is missing
  /// (`_FillValue`, `missing_value`).
  public func field(_ name: String) throws(ArchiveError) -> [Double] {
    let variable = try variable(name)
    return try field(variable, start: variable.shape.map { _ in 0 }, count: variable.shape)
  }

  /// The block of `count` elements from `start` on, in row-major order, as CF has it.
  public func field(_ variable: Variable, start: [Int], count: [Int]) throws(ArchiveError) -> [Double] {
    let object = "variable \(variable.name)"
    guard numberSize(variable.type) != nil else {
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "values of type \(variable.typeName)", expected: "numbers")
    }
    guard start.count == variable.shape.count, count.count == start.count else {
      throw ArchiveError(
        .wrongDimensions, path: path, object: object, found: "\(variable.shape.count) dimensions",
        expected: "\(start.count)")
    }
    var total: Int? = 1
    for (axis, length) in variable.shape.enumerated() {
      guard start[axis] >= 0, count[axis] >= 0, start[axis] <= length, count[axis] <= length - start[axis] else {
        throw ArchiveError(
          .wrongSize, path: path, object: object, found: "\(variable.dimensions[axis]) = \(length)",
          expected: "\(count[axis]) elements from number \(start[axis]) on along it")
      }
      let product = (total ?? 0).multipliedReportingOverflow(by: count[axis])
      if total == nil || product.overflow { total = nil } else { total = product.partialValue }
    }
    let elements = try plausibleCount(variable, total)
    var values: [Double] = try read(variable, count: elements) { values in
      nc_get_vara_double(variable.group, variable.id, start, count, values.assumingMemoryBound(to: Double.self))
    }
    try decode(&values, variable)
    return values
  }

  /// Marks missing values and unpacks the others.
  private func decode(_ values: inout [Double], _ variable: Variable) throws(ArchiveError) {
    var missing: [Double] = []
    if let fill = try fillValue(variable) { missing.append(fill) }
    missing += try numbers("missing_value", of: variable.name) ?? []
    let scale = try number("scale_factor", of: variable.name)
    let offset = try number("add_offset", of: variable.name)
    for i in values.indices {
      if missing.contains(values[i]) {
        values[i] = .nan
      } else if scale != nil || offset != nil {
        values[i] = values[i] * (scale ?? 1) + (offset ?? 0)
      }
    }
  }

  /// The declared or default fill value; `nil` for bytes, which have none by default, and where filling is off.
  private func fillValue(_ variable: Variable) throws(ArchiveError) -> Double? {
    if let declared = try numbers("_FillValue", of: variable.name) { return declared.first }
    switch variable.type {
    case NC_DOUBLE: return NC_FILL_DOUBLE
    case NC_FLOAT: return Double(NC_FILL_FLOAT)
    case NC_SHORT: return Double(NC_FILL_SHORT)
    case NC_USHORT: return Double(NC_FILL_USHORT)
    case NC_INT: return Double(NC_FILL_INT)
    case NC_UINT: return Double(NC_FILL_UINT)
    case NC_INT64: return -0x1p63
    case NC_UINT64: return 0x1p64
    default: return nil
    }
  }

  private func read<Element: ArchiveElement>(
    _ variable: Variable, count: Int, _ body: (UnsafeMutableRawPointer) -> Int32
  ) throws(ArchiveError) -> [Element] {
    guard count > 0 else { return [] }
    var status = NC_NOERR
    let values = [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      guard let base = buffer.baseAddress else { return }
      status = NetCDF.call { body(UnsafeMutableRawPointer(base)) }
      filled = status == NC_NOERR ? count : 0
    }
    try check("variable \(variable.name)") { status }
    return values
  }

  /// Texts of a variable: strings, or characters along its last dimension, without padding.
  public func texts(_ name: String) throws(ArchiveError) -> [String] {
    let variable = try variable(name)
    let object = "variable \(name)"
    let count = try plausibleCount(variable, variable.count)
    guard count > 0 else { return [] }
    switch variable.type {
    case NC_CHAR:
      var characters = [CChar](repeating: 0, count: count)
      try check(object) { nc_get_var_text(variable.group, variable.id, &characters) }
      let width = variable.shape.last ?? 1
      var texts: [String] = []
      for first in stride(from: 0, to: count, by: width) {
        texts.append(trimmed(string(characters[first..<first + width])))
      }
      return texts
    case NC_STRING:
      var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
      try check(object) { nc_get_var_string(variable.group, variable.id, &pointers) }
      let texts = pointers.map { $0.map { trimmed(String(cString: $0)) } ?? "" }
      _ = NetCDF.call { nc_free_string(count, &pointers) }
      return texts
    default:
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "values of type \(variable.typeName)", expected: "texts")
    }
  }

  private func trimmed(_ text: String) -> String {
    var text = Substring(text)
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
