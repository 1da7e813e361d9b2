import CNetCDF
import DaunceArchive
import DaunceExperiment
import DaunceMPI
import DaunceSettings
import Foundation

/// Valid files of every kind that the program reads, by itself and by others.
enum Corpus {
  /// One valid file.
  struct Seed {
    let name: String
    let kind: Kind
    let bytes: [UInt8]
    /// Its parts, where it has a seal and can be written anew.
    let structure: StructureDamage?
    /// Who wrote it; `nil` for this program.
    let form: Form?
    var isText: Bool { form == .text }
  }

  /// Makes the corpus in `folder`: a small experiment's files, the same files as others would have written them, and
  /// configurations. Names begin with the kind.
  static func make(in folder: URL, _ readers: Readers) throws {
    let provenance = Provenance(
      title: "", version: "1", commit: "", history: "fuzzing", seed: 1, configuration: Readers.configuration)
    let context = readers.context
    func output(_ url: URL) throws -> OutputFolder {
      try OutputFolder(url, provenance: provenance, communicator: context.communicator)
    }
    let single = folder.appending(path: "single")
    _ = try RunStage(context, output: output(folder)).run()
    try SimulateStage(context, output: output(single)).run()
    let seeds = folder.appending(path: "seeds")
    try FileManager.default.createDirectory(at: seeds, withIntermediateDirectories: true)
    let made = [
      ("single/initial.nc", "ensemble"), ("single/observations.nc", "observations"),
      ("observations.nc", "observations-series"),
      ("single/nature.nc", "nature"), ("nature.nc", "nature-series"), ("analysis-constrained-eakf.nc", "analysis"),
      ("analysis-rl.nc", "analysis-rl"), ("agents/agent-0001.nc", "agent"), ("training.nc", "record-training"),
      ("scores.nc", "record-scores"),
    ]
    for (source, name) in made {
      let (from, to) = (folder.appending(path: source).path, seeds.appending(path: name).path)
      try FileManager.default.copyItem(atPath: from, toPath: "\(to).nc")
      for form in Form.allCases where form != .text {
        try ForeignCopy.write(from, to: "\(to)~\(form.rawValue).nc", form)
      }
    }
    for form in [Form.netCDF4, .classic] {
      try ForeignCopy.writePoints(
        single.appending(path: "observations.nc").path,
        to: seeds.appending(path: "observations-points~\(form.rawValue).nc").path, form)
    }
    for form in Form.allCases where form != .text {
      try ForeignCopy.writeModel(to: seeds.appending(path: "model~\(form.rawValue).nc").path, form, members: 3)
    }
    try ForeignCopy.writeModel(to: folder.appending(path: "member.nc").path, .classic, members: nil)
    let texts = [
      "configuration": Configuration().yaml, "configuration-small": Readers.configuration,
      "configuration-flow": "{members: 4, agents: {hidden: [8, 8], ppo: {clip: 0.1}}, methods: [rl, \"eakf\"]}\n",
    ]
    for (name, text) in texts {
      try Data(text.utf8).write(to: seeds.appending(path: "\(name)~\(Form.text.rawValue).yaml"))
    }
    try ObservationCorpus.make(in: seeds)
  }

  /// The files in the order of their names.
  static func load(from folder: URL) throws -> [Seed] {
    let seeds = folder.appending(path: "seeds")
    return try FileManager.default.contentsOfDirectory(atPath: seeds.path).sorted().map { name in
      let url = seeds.appending(path: name)
      let word = String(name.prefix { $0.isLetter })
      let isSealed = !name.contains("~")
      return Seed(
        name: name, kind: Kind(rawValue: word) ?? .record, bytes: Array(try Data(contentsOf: url)),
        structure: isSealed ? try StructureDamage(path: url.path) : nil,
        form: name.split(separator: "~").dropFirst().first.flatMap { Form(rawValue: String($0.prefix { $0 != "." })) })
    }
  }
}

/// Who else may have written a file.
enum Form: String, CaseIterable {
  case classic, offset64, cdf5, netCDF4, text
}

/// Files written anew through the C library alone.
enum ForeignCopy {
  struct Refused: Error { let what: String }

  private static func check(_ status: Int32, _ what: String) throws {
    if status != NC_NOERR { throw Refused(what: "\(what): \(String(cString: nc_strerror(status)))") }
  }

  private static func create(_ path: String, _ form: Form) throws -> Int32 {
    let flags: [Form: Int32] = [.classic: 0, .offset64: NC_64BIT_OFFSET, .cdf5: NC_64BIT_DATA, .netCDF4: NC_NETCDF4]
    var id: Int32 = -1
    try check(nc_create(path, NC_CLOBBER | (flags[form] ?? 0), &id), path)
    return id
  }

  /// All variables and attributes; in NetCDF-4 half of them compressed, with checksums, as floats, along a dimension
  /// that grows.
  static func write(_ from: String, to path: String, _ form: Form) throws {
    let reader = try DatasetReader(path: from)
    let id = try create(path, form)
    var dimensions: [String: Int32] = [:]
    for (d, dimension) in reader.dimensions.enumerated() {
      var made: Int32 = -1
      let length = form == .netCDF4 && d == 0 ? Int(NC_UNLIMITED) : dimension.length
      try check(nc_def_dim(id, dimension.name, length, &made), dimension.name)
      dimensions[dimension.name] = made
    }
    for name in try reader.attributeNames() { try put(reader.value(of: name), name, id, NC_GLOBAL, form) }
    var made: [(id: Int32, DatasetReader.Variable)] = []
    for (v, variable) in reader.variables.enumerated() {
      let isText = variable.typeName == "char"
      let isWhole = variable.typeName == "int64" && (form == .netCDF4 || form == .cdf5)
      let type = isText ? NC_CHAR : isWhole ? NC_INT64 : form == .netCDF4 && v % 2 == 1 ? NC_FLOAT : NC_DOUBLE
      let over = variable.dimensions.compactMap { dimensions[$0] }
      var own: Int32 = -1
      try check(nc_def_var(id, variable.name, type, Int32(over.count), over, &own), variable.name)
      if form == .netCDF4, v % 2 == 0, !over.isEmpty {
        try check(nc_def_var_deflate(id, own, 1, 1, 4), "deflate")
        try check(nc_def_var_fletcher32(id, own, 1), "checksums")
      }
      for name in try reader.attributeNames(of: variable.name) where name != "_FillValue" {
        if let text = try? reader.text(name, of: variable.name) {
          try put(.text(text), name, id, own, form)
        } else if let numbers = try reader.numbers(name, of: variable.name) {
          try put(.numbers(numbers), name, id, own, form)
        }
      }
      made.append((own, variable))
    }
    if form != .netCDF4 { try check(nc_enddef(id), "enddef") }
    for (own, variable) in made {
      let start = variable.shape.map { _ in 0 }
      if variable.typeName == "char" {
        let width = variable.shape.last ?? 1
        let texts = try reader.texts(variable.name).flatMap { text in
          Array((text.utf8.map { CChar(bitPattern: $0) } + [CChar](repeating: 0, count: width)).prefix(width))
        }
        try check(nc_put_vara_text(id, own, start, variable.shape, texts), variable.name)
      } else {
        try check(nc_put_vara_double(id, own, start, variable.shape, try reader.field(variable.name)), variable.name)
      }
    }
    try check(nc_close(id), "close")
  }

  private static func put(
    _ value: Attribute.Value, _ name: String, _ id: Int32, _ owner: Int32, _ form: Form
  ) throws {
    switch value {
    case .text(let text):
      if form == .netCDF4 {
        try text.withCString { characters in
          var pointer: UnsafePointer<CChar>? = characters
          try check(nc_put_att_string(id, owner, name, 1, &pointer), name)
        }
      } else {
        try check(nc_put_att_text(id, owner, name, text.utf8.count, text), name)
      }
    case .numbers(let values): try check(nc_put_att_double(id, owner, name, NC_DOUBLE, values.count, values), name)
    case .integers(let values):
      let values = values.map { Int32(truncatingIfNeeded: $0) }
      try check(nc_put_att_int(id, owner, name, NC_INT, values.count, values), name)
    case .unsigned(let values):
      let values = values.map { Int32(truncatingIfNeeded: $0) }
      try check(nc_put_att_int(id, owner, name, NC_INT, values.count, values), name)
    }
  }

  /// A model's state: packed on a curvilinear grid with heights, and at one level; `members` nil for a member's file.
  static func writeModel(to path: String, _ form: Form, members: Int?) throws {
    let id = try create(path, form)
    var dimensions: [Int32] = []
    for (name, length) in [("time", Int(NC_UNLIMITED)), ("member", members ?? 0), ("lev", 2), ("j", 3), ("i", 4)] {
      guard name != "member" || members != nil else { continue }
      var made: Int32 = -1
      try check(nc_def_dim(id, name, length, &made), name)
      dimensions.append(made)
    }
    let (grid, last) = (Array(dimensions.suffix(2)), dimensions.dropLast(3))
    let made: [(String, Int32, [Int32], [(String, Attribute.Value)])] = [
      ("time", NC_DOUBLE, [dimensions[0]], [("units", .text("hours since 2000-01-01"))]),
      ("lev", NC_FLOAT, [dimensions[dimensions.count - 3]], [("units", .text("hPa")), ("positive", .text("down"))]),
      ("lon", NC_FLOAT, grid, [("units", .text("degrees_east"))]),
      ("lat", NC_FLOAT, grid, [("units", .text("degrees_north"))]),
      (
        "q", NC_SHORT, dimensions,
        [("coordinates", .text("lon lat")), ("scale_factor", .numbers([0.5])), ("add_offset", .numbers([3]))]
      ),
      ("ps", NC_FLOAT, Array(last) + grid, [("coordinates", .text("lon lat")), ("missing_value", .numbers([1e20]))]),
    ]
    for (name, type, over, attributes) in made {
      var own: Int32 = -1
      try check(nc_def_var(id, name, type, Int32(over.count), over, &own), name)
      if form == .netCDF4, over.count > 2 { try check(nc_def_var_deflate(id, own, 1, 1, 4), "deflate") }
      for (attribute, value) in attributes { try put(value, attribute, id, own, form) }
    }
    if form != .netCDF4 { try check(nc_enddef(id), "enddef") }
    for (number, variable) in made.enumerated() {
      let lengths: [Int32: Int] = Dictionary(
        uniqueKeysWithValues: zip(dimensions, members.map { [1, $0, 2, 3, 4] } ?? [1, 2, 3, 4]))
      let shape = variable.2.compactMap { lengths[$0] }
      let values = (0..<shape.reduce(1, *)).map { Double($0) * 2 }
      try check(nc_put_vara_double(id, Int32(number), shape.map { _ in 0 }, shape, values), variable.0)
    }
    try check(nc_close(id), "close")
  }

  /// Observations as a list of points.
  static func writePoints(_ from: String, to path: String, _ form: Form) throws {
    let reader = try DatasetReader(path: from)
    let (values, times, places) = (try reader.field("a"), try reader.field("time"), try reader.field("x"))
    let id = try create(path, form)
    var (obs, letters): (Int32, Int32) = (-1, -1)
    try check(nc_def_dim(id, "obs", values.count, &obs), "obs")
    try check(nc_def_dim(id, "letters", 4, &letters), "letters")
    let columns = [
      ("time", values.indices.map { times[$0 / places.count] }),
      ("x", values.indices.map { places[$0 % places.count] }),
      ("value", values), ("error_variance", values.map { _ in 0.0063 }),
    ]
    var ids = [Int32](repeating: -1, count: 5)
    for (c, column) in columns.enumerated() {
      try check(nc_def_var(id, column.0, NC_DOUBLE, 1, [obs], &ids[c]), column.0)
    }
    let isString = form == .netCDF4
    try check(
      nc_def_var(id, "variable", isString ? NC_STRING : NC_CHAR, isString ? 1 : 2, [obs, letters], &ids[4]), "variable")
    try check(nc_enddef(id), "enddef")
    for (c, column) in columns.enumerated() { try check(nc_put_var_double(id, ids[c], column.1), column.0) }
    for k in values.indices {
      if isString {
        try "a".withCString { text in
          var pointer: UnsafePointer<CChar>? = text
          try check(nc_put_var1_string(id, ids[4], [k], &pointer), "names")
        }
      } else {
        try check(nc_put_vara_text(id, ids[4], [k, 0], [1, 4], "a   "), "names")
      }
    }
    try check(nc_close(id), "close")
  }
}
