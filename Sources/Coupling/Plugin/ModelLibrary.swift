import CDaunceModel
import Glibc

/// A shared library with a model in it, whose functions are those of `daunce_model.h`. It stays loaded to the end of the
/// process.
final class ModelLibrary {
  /// As messages call it: `model library ./libmodel.so`.
  let name: String
  /// Addresses of the functions, `nil` for those that the library does not have.
  private let functions: [String: UnsafeMutableRawPointer]
  /// Whether one of its functions has crashed or ended the process: nothing of it is called any more.
  private(set) var isBroken = false

  private static let required = [
    "version", "create", "destroy", "description", "initial_state", "forecast", "error",
  ]
  private static let optional = ["coarse_forecast", "observe", "array", "memory_size", "save", "restore"]

  /// Loads a library and checks its version.
  ///
  /// - Parameter path: as the user gave it; relative to the working folder.
  /// - Throws: `CouplingError` for a file that is no such library.
  init(_ path: String) throws {
    name = "model library \(path)"
    daunce_guard_install()
    let place = path.contains("/") ? path : "./\(path)"
    guard access(place, F_OK) == 0 else {
      throw CouplingError(name, found: "nothing there", expected: "a shared library (key model.library)")
    }
    var (handle, reason): (UnsafeMutableRawPointer?, UnsafePointer<CChar>?) = (nil, nil)
    let opening = daunce_guard_open(place, &handle, &reason)
    if let ending = Self.words(for: opening) { throw CouplingError(name, "\(ending) while it was loaded") }
    guard let handle else {
      throw CouplingError(
        name, found: reason.map { String(cString: $0) } ?? "a file that cannot be loaded", expected: "a shared library")
    }
    var functions: [String: UnsafeMutableRawPointer] = [:]
    for function in Self.required + Self.optional {
      if let address = dlsym(handle, "daunce_model_\(function)") { functions[function] = address }
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
    let version = daunce_guard_version(functions["version"])
    if let ending = Self.words(for: version) { throw CouplingError(name, "\(ending) in daunce_model_version") }
    guard version.code == DAUNCE_MODEL_VERSION else {
      throw CouplingError(
        name, found: "version \(version.code) of daunce_model.h", expected: "version \(DAUNCE_MODEL_VERSION)")
    }
  }

  /// Whether it has a function that libraries may have.
  func has(_ function: String) -> Bool { functions[function] != nil }

  /// Calls a function.
  ///
  /// - Returns: what it returned; `nil` for one that crashed or ended the process.
  /// - Throws: `CouplingError` where it crashed or ended the process, now or before.
  func call(
    _ function: String, _ body: (UnsafeMutableRawPointer?) -> daunce_outcome, doing: @autoclosure () -> String
  ) throws -> Int32 {
    guard !isBroken else { throw CouplingError(name, "is not called any more after it has failed") }
    let outcome = body(functions[function])
    guard let ending = Self.words(for: outcome) else { return outcome.code }
    isBroken = true
    throw CouplingError(name, "\(ending) in daunce_model_\(function) (\(doing()))")
  }

  /// What ended a call that has not returned; `nil` for one that has.
  private static func words(for outcome: daunce_outcome) -> String? {
    switch outcome.ending {
    case DAUNCE_SIGNALLED: "crashed (\(String(cString: strsignal(outcome.code))))"
    case DAUNCE_EXITED: "ended the process with code \(outcome.code)"
    default: nil
    }
  }
}
