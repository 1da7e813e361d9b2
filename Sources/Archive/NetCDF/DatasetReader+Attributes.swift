import CNetCDF

extension DatasetReader {
  /// The text of an attribute of a variable (`nil`: of the file); `nil` if there is none.
  public func text(_ name: String, of variable: String? = nil) throws(ArchiveError) -> String? {
    let object = attributeName(name, variable)
    guard let found = try attribute(name, of: variable) else { return nil }
    switch found.type {
    case NC_CHAR:
      var characters = [CChar](repeating: 0, count: found.length)
      if found.length > 0 {
        try check(object) { nc_get_att_text(found.group, found.owner, name, &characters) }
      }
      return string(characters)
    case NC_STRING where found.length == 1:
      var pointer: UnsafeMutablePointer<CChar>?
      try check(object) { nc_get_att_string(found.group, found.owner, name, &pointer) }
      let text = pointer.map { String(cString: $0) } ?? ""
      _ = NetCDF.call { nc_free_string(1, &pointer) }
      return text
    default:
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "\(found.length) of type \(typeName(found.type))",
        expected: "a text")
    }
  }

  /// The numbers of an attribute; `nil` if there is none.
  public func numbers(_ name: String, of variable: String? = nil) throws(ArchiveError) -> [Double]? {
    guard let found = try attribute(name, of: variable) else { return nil }
    let object = attributeName(name, variable)
    guard numberSize(found.type) != nil else {
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "a value of type \(typeName(found.type))",
        expected: "a number")
    }
    guard found.length > 0 else { return [] }
    var values = [Double](repeating: 0, count: found.length)
    try check(object) { nc_get_att_double(found.group, found.owner, name, &values) }
    return values
  }

  /// The single number of an attribute; `nil` if there is none.
  public func number(_ name: String, of variable: String? = nil) throws(ArchiveError) -> Double? {
    guard let values = try numbers(name, of: variable) else { return nil }
    guard values.count == 1 else {
      throw ArchiveError(
        .wrongSize, path: path, object: attributeName(name, variable), found: "\(values.count) numbers",
        expected: "one number")
    }
    return values[0]
  }

  /// The single whole number of an attribute, exact to 64 bits; `nil` if there is none.
  public func integer(_ name: String, of variable: String? = nil) throws(ArchiveError) -> Int64? {
    guard let found = try attribute(name, of: variable) else { return nil }
    let object = attributeName(name, variable)
    switch found.type {
    case NC_FLOAT, NC_DOUBLE, NC_CHAR, NC_STRING: break
    case _ where numberSize(found.type) != nil && found.length == 1:
      var value: Int64 = 0
      try check(object) { nc_get_att_longlong(found.group, found.owner, name, &value) }
      return value
    default: break
    }
    throw ArchiveError(
      .wrongType, path: path, object: object, found: "\(found.length) of type \(typeName(found.type))",
      expected: "one whole number")
  }

  /// The single unsigned number of an attribute, exact to 64 bits; `nil` if there is none.
  public func unsigned(_ name: String, of variable: String? = nil) throws(ArchiveError) -> UInt64? {
    guard let found = try attribute(name, of: variable) else { return nil }
    let object = attributeName(name, variable)
    guard numberSize(found.type) != nil, found.length == 1 else {
      throw ArchiveError(
        .wrongType, path: path, object: object, found: "\(found.length) of type \(typeName(found.type))",
        expected: "one whole number, not negative")
    }
    var value: UInt64 = 0
    try check(object) { nc_get_att_ulonglong(found.group, found.owner, name, &value) }
    return value
  }

  /// The value of a global attribute as it is stored.
  public func value(of name: String) throws(ArchiveError) -> Attribute.Value {
    let object = attributeName(name, nil)
    guard let found = try attribute(name, of: nil) else {
      throw ArchiveError(.missingAttribute, path: path, object: object, found: "no such attribute", expected: "it")
    }
    switch found.type {
    case NC_CHAR, NC_STRING: return .text(try text(name) ?? "")
    case NC_UINT64:
      var values = [UInt64](repeating: 0, count: found.length)
      try check(object) { nc_get_att_ulonglong(found.group, found.owner, name, &values) }
      return .unsigned(values)
    case NC_FLOAT, NC_DOUBLE: return .numbers(try numbers(name) ?? [])
    default:
      var values = [Int64](repeating: 0, count: found.length)
      try check(object) { nc_get_att_longlong(found.group, found.owner, name, &values) }
      return .integers(values)
    }
  }

  /// Names of the attributes of a variable (`nil`: of the file), in the file's order.
  public func attributeNames(of variable: String? = nil) throws(ArchiveError) -> [String] {
    let (group, owner) = try owner(variable)
    var count: Int32 = 0
    try check(nil) {
      owner == NC_GLOBAL ? nc_inq_natts(group, &count) : nc_inq_varnatts(group, owner, &count)
    }
    var names: [String] = []
    for number in 0..<max(count, 0) {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try check(nil) { nc_inq_attname(group, owner, number, &name) }
      names.append(string(name))
    }
    return names
  }

  /// Who has an attribute, its type and length; `nil` if there is none.
  func attribute(
    _ name: String, of variable: String?
  ) throws(ArchiveError) -> (group: Int32, owner: Int32, type: nc_type, length: Int)? {
    let (group, owner) = try owner(variable)
    var type: nc_type = 0
    var length = 0
    let status = NetCDF.call { nc_inq_att(group, owner, name, &type, &length) }
    if status == NC_ENOTATT { return nil }
    let object = attributeName(name, variable)
    try check(object) { status }
    guard length >= 0, length <= 1 << 26 else {
      throw ArchiveError(.tooLarge, path: path, object: object, found: "\(length) elements")
    }
    return (group, owner, type, length)
  }

  /// The library's numbers of a variable (`nil`: of the file).
  private func owner(_ variable: String?) throws(ArchiveError) -> (group: Int32, owner: Int32) {
    guard let variable else { return (dataset, NC_GLOBAL) }
    let found = try self.variable(variable)
    return (found.group, found.id)
  }

  func attributeName(_ name: String, _ variable: String?) -> String {
    variable.map { "attribute \(name) of \($0)" } ?? "global attribute \(name)"
  }
}
