import CNetCDF

/// How the values of one file's variable are stored: as which type, packed or not, and which stand for missing ones.
///
/// Cases and no protocol: behind a protocol the compiler makes no loop of its own for each type.
enum StoredField {
  case int8(StoredValues<Int8>)
  case uint8(StoredValues<UInt8>)
  case int16(StoredValues<Int16>)
  case uint16(StoredValues<UInt16>)
  case int32(StoredValues<Int32>)
  case uint32(StoredValues<UInt32>)
  case int64(StoredValues<Int64>)
  case uint64(StoredValues<UInt64>)
  case float(StoredValues<Float>)
  case double(StoredValues<Double>)

  /// Values of as many stored ones: unpacked, NaN where they are missing.
  func decode(_ raw: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Double>) {
    switch self {
    case .int8(let stored): stored.decode(raw, into: values)
    case .uint8(let stored): stored.decode(raw, into: values)
    case .int16(let stored): stored.decode(raw, into: values)
    case .uint16(let stored): stored.decode(raw, into: values)
    case .int32(let stored): stored.decode(raw, into: values)
    case .uint32(let stored): stored.decode(raw, into: values)
    case .int64(let stored): stored.decode(raw, into: values)
    case .uint64(let stored): stored.decode(raw, into: values)
    case .float(let stored): stored.decode(raw, into: values)
    case .double(let stored): stored.decode(raw, into: values)
    }
  }

  /// Stores values over those that are there. What is missing there or NaN here stays as it is, bit for bit, and so
  /// does what has not changed.
  ///
  /// - Returns: whether any has changed.
  func encode(_ values: UnsafeBufferPointer<Double>, over raw: UnsafeMutableRawBufferPointer) -> Bool {
    switch self {
    case .int8(let stored): stored.encode(values, over: raw)
    case .uint8(let stored): stored.encode(values, over: raw)
    case .int16(let stored): stored.encode(values, over: raw)
    case .uint16(let stored): stored.encode(values, over: raw)
    case .int32(let stored): stored.encode(values, over: raw)
    case .uint32(let stored): stored.encode(values, over: raw)
    case .int64(let stored): stored.encode(values, over: raw)
    case .uint64(let stored): stored.encode(values, over: raw)
    case .float(let stored): stored.encode(values, over: raw)
    case .double(let stored): stored.encode(values, over: raw)
    }
  }
}

struct StoredValues<Raw: StoredNumber> {
  /// Values for missing ones: `_FillValue` or the type's default, `missing_value`.
  let missing: [Raw]
  let scale: Double
  let offset: Double

  private var isPacked: Bool { scale != 1 || offset != 0 }

  @inline(__always) private func isMissing(_ raw: Raw) -> Bool {
    if raw.isNotANumber { return true }
    for one in missing where one == raw { return true }
    return false
  }

  @inline(__always) private func unpacked(_ raw: Raw) -> Double { raw.number * scale + offset }

  func decode(_ raw: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Double>) {
    let raw = raw.bindMemory(to: Raw.self)
    if !isPacked, missing.count == 1 {
      let fill = missing[0]
      for i in values.indices { values[i] = raw[i] == fill ? .nan : raw[i].number }
    } else if !isPacked {
      for i in values.indices { values[i] = isMissing(raw[i]) ? .nan : raw[i].number }
    } else {
      for i in values.indices { values[i] = isMissing(raw[i]) ? .nan : unpacked(raw[i]) }
    }
  }

  func encode(_ values: UnsafeBufferPointer<Double>, over raw: UnsafeMutableRawBufferPointer) -> Bool {
    let raw = raw.bindMemory(to: Raw.self)
    var isChanged = false
    if !isPacked, missing.count == 1 {
      let fill = missing[0]
      for i in values.indices {
        let (value, old) = (values[i], raw[i])
        var new = Raw.nearest(to: value.isNaN ? 0 : value)
        if new == fill { new = new.neighbour(below: fill.number > 0) }
        let isKept = value.isNaN || old == fill || old.isNotANumber || value == old.number
        raw[i] = isKept ? old : new
        isChanged = isChanged || !isKept
      }
      return isChanged
    }
    for i in values.indices {
      let (value, old) = (values[i], raw[i])
      let before = isPacked ? unpacked(old) : old.number
      if value == before || value.isNaN || isMissing(old) { continue }
      var new = Raw.nearest(to: isPacked ? (value - offset) / scale : value)
      // No value may read as missing. It takes as many steps as there are such values, at most.
      let below = new.number > 0
      for _ in missing where isMissing(new) { new = new.neighbour(below: below) }
      raw[i] = new
      isChanged = true
    }
    return isChanged
  }
}

extension DatasetReader {
  /// How a variable's values are stored. Throws if its attributes about that make no sense.
  func stored(_ variable: Variable) throws(ArchiveError) -> StoredField {
    // Classic files have no unsigned types; netCDF's users have agreed on this attribute instead.
    let isUnsigned = try phrase("_Unsigned", of: variable.name)?.lowercased() == "true"
    switch variable.type {
    case NC_BYTE where isUnsigned: return .uint8(try stored(variable))
    case NC_BYTE: return .int8(try stored(variable))
    case NC_SHORT where isUnsigned: return .uint16(try stored(variable))
    case NC_SHORT: return .int16(try stored(variable))
    case NC_INT where isUnsigned: return .uint32(try stored(variable))
    case NC_INT: return .int32(try stored(variable))
    case NC_INT64 where isUnsigned: return .uint64(try stored(variable))
    case NC_INT64: return .int64(try stored(variable))
    case NC_UBYTE: return .uint8(try stored(variable))
    case NC_USHORT: return .uint16(try stored(variable))
    case NC_UINT: return .uint32(try stored(variable))
    case NC_UINT64: return .uint64(try stored(variable))
    case NC_FLOAT: return .float(try stored(variable))
    default: return .double(try stored(variable))
    }
  }

  private func stored<Raw: StoredNumber>(_ variable: Variable) throws(ArchiveError) -> StoredValues<Raw> {
    let scale = try number("scale_factor", of: variable.name) ?? 1
    let offset = try number("add_offset", of: variable.name) ?? 0
    guard scale.isFinite, scale != 0, offset.isFinite else {
      throw ArchiveError(
        .notFinite, path: path, object: "variable \(variable.name)",
        found: "scale_factor \(scale) and add_offset \(offset)", expected: "finite numbers, the first not 0")
    }
    var missing: [Raw] = []
    for name in ["_FillValue", "missing_value"] {
      for value in try missingValues(name, variable, Raw.self) where !missing.contains(value) { missing.append(value) }
    }
    if try attribute("_FillValue", of: variable.name) == nil, let fill = defaultFill(variable.type, Raw.self) {
      if !missing.contains(fill) { missing.append(fill) }
    }
    return StoredValues(missing: missing, scale: scale, offset: offset)
  }

  /// The values of an attribute in the variable's own type, bit for bit where it has that type.
  private func missingValues<Raw: StoredNumber>(
    _ name: String, _ variable: Variable, _ type: Raw.Type
  ) throws(ArchiveError) -> [Raw] {
    guard let found = try attribute(name, of: variable.name), found.length > 0 else { return [] }
    guard found.type != variable.type else {
      var values = [Raw](repeating: Raw(), count: found.length)
      try check(attributeName(name, variable.name)) { nc_get_att(dataset, found.owner, name, &values) }
      return values.filter { !$0.isNotANumber }
    }
    // Of another type: what no value of the variable can be stands for none.
    return try (numbers(name, of: variable.name) ?? []).filter { !$0.isNaN }.compactMap { value in
      let nearest = Raw.nearest(to: value)
      return abs(nearest.number - value) <= 1e-6 * abs(value) ? nearest : nil
    }
  }

  private func defaultFill<Raw: StoredNumber>(_ type: nc_type, _: Raw.Type) -> Raw? {
    switch type {
    case NC_DOUBLE: NC_FILL_DOUBLE as? Raw
    case NC_FLOAT: Float(NC_FILL_FLOAT) as? Raw
    case NC_SHORT: Int16(NC_FILL_SHORT) as? Raw
    case NC_USHORT: UInt16(NC_FILL_USHORT) as? Raw
    case NC_INT: Int32(NC_FILL_INT) as? Raw
    case NC_UINT: UInt32(NC_FILL_UINT) as? Raw
    case NC_INT64: (Int64.min + 2) as? Raw
    case NC_UINT64: (UInt64.max - 1) as? Raw
    default: nil
    }
  }
}
