import CNetCDF

/// One open file with values of the state.
struct ModelFile {
  let reader: DatasetReader
  let fields: [ModelSchema.FieldVariable]
  /// How each field's values are stored in this file.
  let stored: [StoredField]

  /// Memory for chunks that several members share, so that they are unpacked and packed once and not for each.
  private static let cache = 256 << 20

  /// Takes the fields of `schema` from a file, which has to have them as the first file has.
  init(_ reader: DatasetReader, _ schema: ModelSchema, _ options: ModelFileOptions) throws(ArchiveError) {
    self.reader = reader
    var own: [ModelSchema.FieldVariable] = []
    var stored: [StoredField] = []
    for field in schema.fields {
      let variable = try Self.variable(field.variable, in: reader)
      own.append(.init(variable: variable, memberAxis: field.memberAxis, gridAxes: field.gridAxes))
      stored.append(try reader.stored(variable))
      try Self.cacheChunks(of: variable, field.memberAxis, reader)
    }
    (fields, self.stored) = (own, stored)
  }

  /// Bytes of one member of a field as they are stored.
  func size(_ f: Int) -> Int {
    fields[f].block(member: 0).count.reduce(1, *) * (numberSize(fields[f].variable.type) ?? 1)
  }

  func read(_ f: Int, _ member: Int, into raw: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
    let (start, count) = fields[f].block(member: member)
    try reader.check("variable \(fields[f].name)") {
      nc_get_vara(reader.dataset, fields[f].variable.id, start, count, raw.baseAddress)
    }
  }

  /// Where members share chunks, all of one member's chunks are kept, as far as there is memory.
  private static func cacheChunks(
    of variable: DatasetReader.Variable, _ memberAxis: Int?, _ reader: DatasetReader
  ) throws(ArchiveError) {
    guard let memberAxis else { return }
    var chunks = [Int](repeating: 1, count: variable.shape.count)
    var storage: Int32 = 0
    let object = "variable \(variable.name)"
    try reader.check(object) { nc_inq_var_chunking(reader.dataset, variable.id, &storage, &chunks) }
    guard storage == NC_CHUNKED, chunks[memberAxis] > 1 else { return }
    var (bytes, number) = (numberSize(variable.type) ?? 1, 1)
    for (axis, chunk) in chunks.enumerated() where chunk > 0 && bytes < cache {
      let blocks = axis == memberAxis ? 1 : (variable.shape[axis] + chunk - 1) / chunk
      number = min(number * blocks, 1 << 20)
      bytes = (bytes * chunk).multipliedReportingOverflow(by: blocks).partialValue
    }
    // Slots as many times more than chunks as the library's manual advises, against collisions.
    try reader.check(object) {
      nc_set_var_chunk_cache(reader.dataset, variable.id, min(max(bytes, 1 << 22), cache), 10 * number + 1, 0.75)
    }
  }

  // MARK: Comparing

  /// The variable that is in `reader` what `first` is in the first file.
  private static func variable(
    _ first: DatasetReader.Variable, in reader: DatasetReader
  ) throws(ArchiveError) -> DatasetReader.Variable {
    let variable = try reader.variable(first.name, over: Array(zip(first.dimensions, first.shape.map { Optional($0) })))
    guard variable.type == first.type else {
      throw ArchiveError(
        .wrongType, path: reader.path, object: "variable \(first.name)", found: "values of type \(variable.typeName)",
        expected: "\(first.typeName), as in the first member's file")
    }
    return variable
  }

  /// Throws what another member's file has otherwise: dimensions, types, units or places of the state, or its time.
  func compare(
    with other: DatasetReader, _ schema: ModelSchema, _ coordinates: [String], _ options: ModelFileOptions
  ) throws(ArchiveError) {
    _ = try ModelFile(other, schema, options)
    for field in fields {
      let (here, there) = (try reader.phrase("units", of: field.name), try other.phrase("units", of: field.name))
      guard here == there else { throw differs(other, "attribute units of \(field.name)", there, here) }
    }
    var names = coordinates
    for field in fields {
      for dimension in field.variable.dimensions where !names.contains(dimension) {
        if let own = reader.find(dimension), own.dimensions == [dimension] { names.append(dimension) }
      }
    }
    for name in names {
      let first = try reader.variable(name)
      guard numberSize(first.type) != nil else { continue }
      _ = try Self.variable(first, in: other)
      // Members are numbered differently by right.
      if let dimension = first.dimensions.first, first.dimensions.count == 1, schema.isMemberName(dimension) {
        continue
      }
      for attribute in ["units", "standard_name", "axis"] {
        let (here, there) = (try reader.phrase(attribute, of: name), try other.phrase(attribute, of: name))
        guard here == there else { throw differs(other, "attribute \(attribute) of \(name)", there, here) }
      }
      let (here, there) = (try reader.field(name), try other.field(name))
      for (i, value) in here.enumerated() where value.bitPattern != there[i].bitPattern && value != there[i] {
        throw ArchiveError(
          .wrongPosition, path: other.path, object: "variable \(name)", found: "\(there[i]) at index \(i)",
          expected: "\(value), as in \(reader.path)")
      }
    }
  }

  private func differs(
    _ other: DatasetReader, _ object: String, _ found: String?, _ expected: String?
  ) -> ArchiveError {
    ArchiveError(
      .contradiction, path: other.path, object: object, found: found.map { "\"\($0)\"" } ?? "none",
      expected: "\(expected.map { "\"\($0)\"" } ?? "none"), as in \(reader.path)")
  }
}

extension DatasetReader {
  /// Whether a variable's values are stored in chunks, which may be compressed.
  func isChunked(_ variable: Variable) throws(ArchiveError) -> Bool {
    var chunks = [Int](repeating: 1, count: max(variable.shape.count, 1))
    var storage: Int32 = 0
    try check("variable \(variable.name)") { nc_inq_var_chunking(dataset, variable.id, &storage, &chunks) }
    return storage == NC_CHUNKED
  }
}

extension ModelSchema {
  /// Whether a dimension of length one may be a file's only member.
  func isMemberName(_ dimension: String) -> Bool {
    (["member"] + ModelFileOptions.memberDimensions).contains(dimension)
  }
}
