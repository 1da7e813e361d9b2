import CDaunceModel

/// A shared library with a model in it, whose functions are those of `daunce_model.h`.
final class ModelLibrary {
  private let library: SharedLibrary
  /// Addresses of the functions, `nil` for those that the library does not have.
  private let functions: [String: UnsafeMutableRawPointer]

  private static let required = [
    "version", "create", "destroy", "description", "initial_state", "forecast", "error",
  ]
  private static let optional = ["coarse_forecast", "observe", "array", "memory_size", "save", "restore"]

  /// As messages call it.
  var name: String { library.name }
  /// Whether nothing of it is called any more.
  var isBroken: Bool { library.isBroken }

  /// Loads a library and checks its functions and its version.
  ///
  /// - Throws: `CouplingError` for a file that is no such library.
  init(_ path: String) throws {
    library = try SharedLibrary("model library", path)
    var functions: [String: UnsafeMutableRawPointer] = [:]
    for function in Self.required + Self.optional {
      if let address = library.address(of: "daunce_model_\(function)") { functions[function] = address }
    }
    self.functions = functions
    let missing = Self.required.filter { functions[$0] == nil }
    guard missing.isEmpty else {
      throw CouplingError(
        name, found: "no \(missing.map { "daunce_model_\($0)" }.joined(separator: ", "))",
        expected: "the functions of daunce_model.h")
    }
    let memory = ["memory_size", "save", "restore"].filter { functions[$0] != nil }
    guard memory.isEmpty || memory.count == 3 else {
      throw CouplingError(
        name, found: "of the three functions for its memory only \(memory.map { "daunce_model_\($0)" }.joined(separator: ", "))",
        expected: "daunce_model_memory_size, daunce_model_save and daunce_model_restore, or none of them")
    }
    let version = try call("version", { daunce_guard_version($0) }, doing: "asking for its version")
    guard version == DAUNCE_MODEL_VERSION else {
      throw CouplingError(name, found: "version \(version) of daunce_model.h", expected: "version \(DAUNCE_MODEL_VERSION)")
    }
  }

  /// Whether it has a function that libraries may have.
  func has(_ function: String) -> Bool { functions[function] != nil }

  /// Calls a function.
  ///
  /// - Returns: what it returned.
  /// - Throws: `CouplingError` where it crashed or ended the process, now or before.
  func call(
    _ function: String, _ body: (UnsafeMutableRawPointer?) -> daunce_outcome, doing: @autoclosure () -> String
  ) throws -> Int32 {
    try library.call("daunce_model_\(function)", { body(functions[function]) }, doing: doing())
  }
}
