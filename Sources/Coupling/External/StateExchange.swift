import DaunceArchive
import DaunceState

/// How a state is handed to a program and taken back: in which files of the member's folder.
protocol StateExchange {
  /// Names of the file that a program is told as `{input}`, and as `{output}`.
  var names: (input: String, output: String) { get }
  /// Files that the template has to have, and that are copied from it before every forecast.
  var originals: [String] { get }
  /// Files that the program has to write.
  var outputs: [String] { get }

  /// Puts a state (`[layout.count]`) of `time` into the folder.
  func put(_ state: [Double], time: Double, in folder: String) throws
  /// Takes the state that the program has left there.
  ///
  /// - Throws: `ArchiveError` for what is missing, damaged, of another shape or no number.
  func take(from folder: String) throws -> [Double]
}

/// A NetCDF file of this program's own layout.
struct OwnFileExchange: StateExchange {
  let layout: StateLayout
  let names = (input: "input.nc", output: "output.nc")
  let originals: [String] = []
  var outputs: [String] { [names.output] }

  func put(_ state: [Double], time: Double, in folder: String) throws {
    try StateFile.write(state, of: layout, time: time, to: "\(folder)/\(names.input)")
  }

  func take(from folder: String) throws -> [Double] { try StateFile.read("\(folder)/\(names.output)", of: layout) }
}

/// The numbers of the state one after the other.
struct NumbersExchange: StateExchange {
  let count: Int
  let names = (input: "input.bin", output: "output.bin")
  let originals: [String] = []
  var outputs: [String] { [names.output] }

  func put(_ state: [Double], time: Double, in folder: String) throws {
    try NumberFile.write(state, as: .doubles, to: "\(folder)/\(names.input)")
  }

  func take(from folder: String) throws -> [Double] {
    try NumberFile.read("\(folder)/\(names.output)", as: .doubles, count: count)
  }
}

/// Fields in files of the model's own.
struct NamedFilesExchange: StateExchange {
  let layout: StateLayout
  /// One for each field of the layout, in its order.
  private let files: [FieldFile]

  /// - Throws: `CouplingError` for fields that have no file, more than one, or are none.
  init(_ files: [FieldFile], of layout: StateLayout) throws(CouplingError) {
    func refuse(_ key: String, _ found: String, _ expected: String) -> CouplingError {
      CouplingError("external model", "key model.files\(key)", found: found, expected: expected)
    }
    var own: [FieldFile] = []
    for (k, one) in files.enumerated() {
      guard layout.fieldIndex(one.field) != nil else {
        throw refuse("[\(k)].field", one.field, "one of \(layout.fields.map(\.name).joined(separator: ", "))")
      }
      for name in [one.file, one.output ?? one.file] {
        guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
          throw refuse("[\(k)].file", "\"\(name)\"", "a name in the member's folder")
        }
      }
    }
    for field in layout.fields {
      let own_ = files.filter { $0.field == field.name }
      guard let file = own_.first, own_.count == 1 else {
        throw refuse("", "\(own_.count) files for \(field.name)", "one for every field")
      }
      own.append(file)
    }
    (self.layout, self.files) = (layout, own)
  }

  var names: (input: String, output: String) {
    (files.first?.file ?? "", files.first.map { $0.output ?? $0.file } ?? "")
  }

  var originals: [String] { distinct(files.filter { $0.ownForm == .netcdf }.map(\.file)) }
  var outputs: [String] { distinct(files.map { $0.output ?? $0.file }) }

  private func distinct(_ names: [String]) -> [String] {
    var known: Set<String> = []
    return names.filter { known.insert($0).inserted }
  }

  private func shape(_ v: Int) -> [Int] { layout.grid(v).dimensions.map(\.length) }

  func put(_ state: [Double], time: Double, in folder: String) throws {
    var variables: [String: [(name: String, values: [Double], shape: [Int])]] = [:]
    for (v, file) in files.enumerated() {
      let values = Array(state[layout.range(v)])
      if file.ownForm == .netcdf {
        variables[file.file, default: []].append((file.variable ?? file.field, values, shape(v)))
      } else {
        try NumberFile.write(values, as: file.ownForm, to: "\(folder)/\(file.file)")
      }
    }
    for name in originals { try StoredVariable.write(variables[name] ?? [], in: "\(folder)/\(name)") }
  }

  func take(from folder: String) throws -> [Double] {
    var state: [Double] = []
    state.reserveCapacity(layout.count)
    for (v, file) in files.enumerated() {
      let path = "\(folder)/\(file.output ?? file.file)"
      state +=
        file.ownForm == .netcdf
        ? try StoredVariable.read(file.variable ?? file.field, from: path, shape: shape(v))
        : try NumberFile.read(path, as: file.ownForm, count: layout.range(v).count)
    }
    return state
  }
}
