import CDaunce
import DaunceExperiment
import DaunceMPI
import Synchronization

/// What stands behind a `daunce_session *`.
final class Session {
  let communicator: Communicator
  let notes = HostNotes()
  var settings = HostedSettings()
  private(set) var analysis: HostedAnalysis?
  /// Observations of the next analysis.
  var batches: [HostedBatch] = []
  /// What is wrong with them on this rank.
  var problem: HostedError?
  /// What `daunce_error` and `daunce_notes` return.
  let error = HeldText()
  let toldNotes = HeldText()

  /// Live sessions by their addresses; others are not touched.
  private static let live = Mutex<Set<UInt>>([])

  init(_ communicator: Communicator) { self.communicator = communicator }

  /// Starts the session, or another time after a failure.
  func start() throws(HostedError) {
    guard analysis == nil else { throw HostedError(.usage, "daunce_start: the session has been started") }
    analysis = try HostedAnalysis(settings, communicator: communicator, notes: notes)
  }

  /// Whether settings can be told.
  var isOpen: Bool { analysis == nil }

  /// The started session's analysis.
  func started(_ function: StaticString) throws(HostedError) -> HostedAnalysis {
    guard let analysis else {
      throw HostedError(.usage, "\(function): found a session that has not been started; expected daunce_start before")
    }
    return analysis
  }

  /// The session as C holds it.
  func retained() -> OpaquePointer {
    let pointer = Unmanaged.passRetained(self).toOpaque()
    Self.live.withLock { _ = $0.insert(UInt(bitPattern: pointer)) }
    return OpaquePointer(pointer)
  }

  /// The session behind a pointer; `nil` for what is none, or not any more.
  static func of(_ pointer: OpaquePointer?) -> Session? {
    guard let pointer, live.withLock({ $0.contains(UInt(bitPattern: pointer)) }) else { return nil }
    return Unmanaged<Session>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
  }

  /// Ends it.
  static func release(_ pointer: OpaquePointer) {
    live.withLock { _ = $0.remove(UInt(bitPattern: pointer)) }
    Unmanaged<Session>.fromOpaque(UnsafeRawPointer(pointer)).release()
  }
}

/// A text that C may read until the next one takes its place.
final class HeldText {
  private(set) var pointer: UnsafeMutablePointer<CChar>

  init() { pointer = Self.copy("") }

  deinit { pointer.deallocate() }

  func hold(_ text: String) {
    pointer.deallocate()
    pointer = Self.copy(text)
  }

  private static func copy(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = text.utf8CString
    let pointer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (k, byte) in bytes.enumerated() { pointer[k] = byte }
    return pointer
  }
}

/// The error of the last session that could not be made.
enum Creation {
  // One thread calls, as the header says.
  nonisolated(unsafe) static let error = HeldText()
}

/// Floating-point modes of the host, while a function of this library runs.
nonisolated(unsafe) private var hostArithmetic = fenv_t()

/// Runs `body` with the usual floating-point modes and gives the host its own back.
func withOwnArithmetic<Result>(_ body: () -> Result) -> Result {
  daunce_arithmetic_enter(&hostArithmetic)
  defer { daunce_arithmetic_leave(&hostArithmetic) }
  return body()
}

/// Calls a function of the host's with its own modes.
func withHostArithmetic<Result>(_ body: () -> Result) -> Result {
  var own = fenv_t()
  daunce_arithmetic_enter(&own)
  daunce_arithmetic_leave(&hostArithmetic)
  defer { daunce_arithmetic_leave(&own) }
  return body()
}

/// Does a session's work and turns what it throws into a code and a text.
func perform(_ pointer: OpaquePointer?, _ body: (Session) throws(HostedError) -> Void) -> Int32 {
  guard let session = Session.of(pointer) else {
    Creation.error.hold("found what is no session, or is none any more; expected what daunce_create gave")
    return DAUNCE_USAGE.code
  }
  return withOwnArithmetic {
    do throws(HostedError) {
      try body(session)
      return DAUNCE_OK.code
    } catch {
      session.error.hold(error.description)
      return error.code
    }
  }
}

extension FixedWidthInteger {
  /// A code as functions return it.
  var code: Int32 { Int32(truncatingIfNeeded: self) }
}
