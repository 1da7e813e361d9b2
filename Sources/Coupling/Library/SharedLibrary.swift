import CDaunceModel
import Glibc

/// A shared library of a user's, loaded to the end of the process, whose functions are called on guard.
final class SharedLibrary {
  /// As messages call it: `model library ./libmodel.so`.
  let name: String
  /// Whether one of its functions has crashed or ended the process: nothing of it is called any more.
  private(set) var isBroken = false
  private let handle: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - kind: what messages call it.
  ///   - path: as the user gave it; relative to the working folder.
  /// - Throws: `CouplingError` for a file that cannot be loaded.
  init(_ kind: String, _ path: String) throws {
    name = "\(kind) \(path)"
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
    self.handle = handle
  }

  /// Address of a function, `nil` where the library does not have it.
  func address(of function: String) -> UnsafeMutableRawPointer? { dlsym(handle, function) }

  /// Calls a function.
  ///
  /// - Parameters:
  ///   - function: its name, for messages.
  ///   - body: the guarded call.
  ///   - doing: what for, in words.
  /// - Returns: what it returned.
  /// - Throws: `CouplingError` where it crashed or ended the process, now or before.
  func call(_ function: String, _ body: () -> daunce_outcome, doing: @autoclosure () -> String) throws -> Int32 {
    guard !isBroken else { throw CouplingError(name, "is not called any more after it has failed") }
    let outcome = body()
    guard let ending = Self.words(for: outcome) else { return outcome.code }
    isBroken = true
    throw CouplingError(name, "\(ending) in \(function) (\(doing()))")
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
