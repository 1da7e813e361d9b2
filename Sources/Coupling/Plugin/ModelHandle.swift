import CDaunceModel

/// One model that a library has made, destroyed with this object.
final class ModelHandle {
  let library: ModelLibrary
  private let parameters: String
  private var model: UnsafeMutableRawPointer?

  /// - Parameter parameters: a line `name = value` for each.
  /// - Throws: `CouplingError` with the library's reason.
  init(_ library: ModelLibrary, parameters: String) throws {
    (self.library, self.parameters) = (library, parameters)
    var made: UnsafeMutableRawPointer?
    let code = try library.call("create", { daunce_guard_create($0, parameters, &made) }, doing: "making a model")
    model = made
    guard code == 0 else {
      throw CouplingError(library.name, "cannot make a model: \(reason(code))")
    }
  }

  deinit {
    guard let model, !library.isBroken else { return }
    _ = try? library.call("destroy", { daunce_guard_destroy($0, model) }, doing: "destroying a model")
  }

  /// Another one with the same parameters.
  func makeAnother() throws -> ModelHandle { try ModelHandle(library, parameters: parameters) }

  /// The description's text.
  func description() throws -> String {
    var text: UnsafePointer<CChar>?
    _ = try library.call("description", { daunce_guard_text($0, model, &text) }, doing: "describing the model")
    guard let text else { throw CouplingError(library.name, found: "no description", expected: "a text in YAML") }
    return String(cString: text)
  }

  func initialState(seed: UInt64, into state: UnsafeMutablePointer<Double>) throws {
    try run("initial_state", { daunce_guard_initial_state($0, model, seed, state) }, "initial state of seed \(seed)")
  }

  func forecast(from: Double, to: Double, seed: UInt64, _ state: UnsafeMutablePointer<Double>) throws {
    try run("forecast", { daunce_guard_forecast($0, model, from, to, seed, state) }, "from time \(from) to \(to)")
  }

  func coarseForecast(from: Double, to: Double, _ state: UnsafeMutablePointer<Double>) throws {
    try run("coarse_forecast", { daunce_guard_coarse_forecast($0, model, from, to, state) }, "from time \(from) to \(to)")
  }

  func observe(time: Double, _ state: UnsafePointer<Double>, into values: UnsafeMutablePointer<Double>) throws {
    try run("observe", { daunce_guard_observe($0, model, time, state, values) }, "at time \(time)")
  }

  /// Numbers that the description refers to.
  func array(_ name: String, count: Int) throws -> [Double] {
    guard library.has("array") else {
      throw CouplingError(
        library.name, found: "array \(name) in the description and no daunce_model_array", expected: "that function")
    }
    var values = [Double](repeating: .nan, count: count)
    try values.withUnsafeMutableBufferPointer { values in
      try run("array", { daunce_guard_array($0, model, name, Int64(count), values.baseAddress) }, "array \(name)")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw CouplingError(
        library.name, "array \(name)", found: "\(values.first { !$0.isFinite } ?? 0)", expected: "\(count) finite numbers")
    }
    return values
  }

  /// What the model keeps besides a state.
  func save() throws -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: try memorySize())
    try memory.withUnsafeMutableBytes { bytes in
      try run("save", { daunce_guard_save($0, model, bytes.baseAddress) }, "saving its memory")
    }
    return memory
  }

  func restore(_ memory: [UInt8]) throws {
    let size = try memorySize()
    guard memory.count == size else {
      throw CouplingError(library.name, "memory to restore", found: "\(memory.count) bytes", expected: "\(size)")
    }
    try memory.withUnsafeBytes { bytes in
      try run("restore", { daunce_guard_restore($0, model, bytes.baseAddress) }, "restoring its memory")
    }
  }

  private func memorySize() throws -> Int {
    var size: Int64 = 0
    _ = try library.call("memory_size", { daunce_guard_memory_size($0, model, &size) }, doing: "size of its memory")
    guard size >= 0, size < 1 << 40 else {
      throw CouplingError(library.name, found: "a memory of \(size) bytes", expected: "0 or more")
    }
    return Int(size)
  }

  private func run(
    _ function: String, _ body: (UnsafeMutableRawPointer?) -> daunce_outcome, _ doing: @autoclosure () -> String
  ) throws {
    let code = try library.call(function, body, doing: doing())
    guard code == 0 else {
      throw CouplingError(library.name, "daunce_model_\(function) failed (\(doing())): \(reason(code))")
    }
  }

  /// The library's own words for a failure.
  private func reason(_ code: Int32) -> String {
    var text: UnsafePointer<CChar>?
    _ = try? library.call("error", { daunce_guard_text($0, model, &text) }, doing: "telling an error")
    let words = text.map { String(cString: $0) } ?? ""
    return words.isEmpty ? "code \(code) without a reason" : words
  }
}
