import DaunceArchive
import DaunceState

/// Everything in a file that the reader gives, a line each, numbers to the last bit.
func listing(of path: String) throws -> [String] {
  let reader = try DatasetReader(path: path)
  var lines = reader.dimensions.filter { !$0.name.hasPrefix("characters_") }.map { "\($0.name) = \($0.length)" }
  func notes(_ owner: String?) throws {
    for name in try reader.attributeNames(of: owner) {
      let text = try? reader.text(name, of: owner)
      let numbers = try? reader.numbers(name, of: owner)
      let whole = try? reader.integer(name, of: owner)
      lines.append(
        "\(owner ?? ""):\(name) \(text ?? "") \((numbers ?? [])?.map(\.bitPattern) ?? []) \(whole.flatMap { $0 } ?? 0)")
    }
  }
  try notes(nil)
  for variable in reader.variables {
    try notes(variable.name)
    let isText = ["string", "char"].contains(variable.typeName)
    let values =
      try isText ? reader.texts(variable.name) : reader.field(variable.name).map { "\($0.bitPattern)" }
    lines.append(
      "\(isText ? "text" : variable.typeName) \(variable.name) \(isText ? [] : variable.dimensions) \(values)")
  }
  return lines
}

/// The state that a model's file holds, a member a line.
func modelListing(of path: String) throws -> [String] {
  let files = try ModelFiles(paths: [path], options: ModelFileOptions())
  var values = [Double](repeating: 0, count: files.layout.count)
  return try (0..<files.memberCount).map { member in
    var span = values.mutableSpan
    try files.read(member: member, into: &span)
    return "\(files.layout.fields.map(\.name)) \(values.map(\.bitPattern))"
  }
}
