import CNetCDF
import Glibc

extension DatasetReader {
  /// The file's contents anew in the classic format (CDF-5), which can be checked before it is parsed. Everything is
  /// read, so that nothing is left to the library that could fail later.
  ///
  /// Texts become characters along a further dimension, a variable `t` of a group `ObsValue` is called `t@ObsValue`. What classic files cannot hold is left out (attributes of
  /// user-defined types) or an error (variables of such types, empty dimensions other than one that comes first).
  func classicCopy() throws(ArchiveError) -> [UInt8] {
    var id: Int32 = -1
    try check(nil) { nc_create_mem("copy", NC_64BIT_DATA, 1 << 16, &id) }
    var image = NC_memio()
    do throws(ArchiveError) {
      try copy(to: id)
      try check(nil) { nc_close_memio(id, &image) }
    } catch {
      _ = NetCDF.call { nc_abort(id) }
      throw error
    }
    defer { free(image.memory) }
    return Array(UnsafeRawBufferPointer(start: image.memory, count: image.size))
  }

  private func copy(to target: Int32) throws(ArchiveError) {
    var dimensionIDs: [String: Int32] = [:]
    func define(_ name: String, _ length: Int) throws(ArchiveError) {
      var id: Int32 = -1
      // The length 0 is that of a growing dimension without records yet.
      try check("dimension \(name)") { nc_def_dim(target, name, length, &id) }
      dimensionIDs[name] = id
    }
    for dimension in dimensions { try define(dimension.name, dimension.length) }
    try copyAttributes(of: nil, to: target, NC_GLOBAL)

    var targets: [(id: Int32, texts: [[UInt8]], width: Int)] = []
    for variable in variables {
      var over = variable.dimensions.compactMap { dimensionIDs[$0] }
      var (type, width, texts) = (variable.type, 0, [[UInt8]]())
      if type == NC_STRING {
        texts = try self.texts(variable.name).map { Array($0.utf8) }
        width = max(1, texts.map(\.count).max() ?? 1)
        let name = "characters_\(width)"
        if dimensionIDs[name] == nil { try define(name, width) }
        over += dimensionIDs[name].map { [$0] } ?? []
        type = NC_CHAR
      }
      guard type == NC_CHAR || numberSize(type) != nil else {
        throw ArchiveError(
          .wrongType, path: path, object: "variable \(variable.name)", found: "values of type \(variable.typeName)",
          expected: "numbers or texts in every variable of another program's NetCDF-4 file")
      }
      var id: Int32 = -1
      let rank = Int32(over.count)
      try check("variable \(variable.name)") { nc_def_var(target, variable.name, type, rank, over, &id) }
      try copyAttributes(of: variable, to: target, id)
      targets.append((id, texts, width))
    }
    var before: Int32 = 0
    try check(nil) { nc_set_fill(target, NC_NOFILL, &before) }
    try check(nil) { nc_enddef(target) }

    for (variable, copy) in zip(variables, targets) {
      let object = "variable \(variable.name)"
      let count = try plausibleCount(variable, variable.count)
      guard count > 0 else { continue }
      var bytes: [UInt8]
      if variable.type == NC_STRING {
        bytes = copy.texts.flatMap { $0 + [UInt8](repeating: 0, count: copy.width - $0.count) }
      } else {
        bytes = [UInt8](repeating: 0, count: count * (numberSize(variable.type) ?? 1))
        try check(object) { nc_get_var(variable.group, variable.id, &bytes) }
      }
      // A variable along an empty growing dimension has no records, whatever its shape says: start and count tell.
      let shape = variable.shape + (copy.width > 0 ? [copy.width] : [])
      try check(object) { nc_put_vara(target, copy.id, shape.map { _ in 0 }, shape, bytes) }
    }
  }

  private func copyAttributes(of variable: Variable?, to target: Int32, _ owner: Int32) throws(ArchiveError) {
    for name in try attributeNames(of: variable?.name) {
      guard let found = try attribute(name, of: variable?.name) else { continue }
      let object = attributeName(name, variable?.name)
      if found.type == NC_STRING {
        // The fill value of texts would not fit their characters.
        guard found.length == 1, name != "_FillValue", let text = try text(name, of: variable?.name) else { continue }
        try check(object) { nc_put_att_text(target, owner, name, text.utf8.count, text) }
      } else if let size = found.type == NC_CHAR ? 1 : numberSize(found.type) {
        var bytes = [UInt8](repeating: 0, count: max(found.length * size, 1))
        try check(object) { nc_get_att(found.group, found.owner, name, &bytes) }
        try check(object) { nc_put_att(target, owner, name, found.type, found.length, bytes) }
      }
    }
  }
}
