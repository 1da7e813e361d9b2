import CDaunce
import DaunceExperiment
import DaunceMPI

// What is there from the first call to the last: daunce.h says what each function does.

@_cdecl("daunce_interface")
public func interface() -> Int32 { DAUNCE_INTERFACE }

nonisolated(unsafe) private let nothing = HeldText()
nonisolated(unsafe) private let versionText = {
  let text = HeldText()
  text.hold("daunce-mpi \(Release.version)")
  return text
}()

@_cdecl("daunce_version")
public func version() -> UnsafePointer<CChar> { UnsafePointer(versionText.pointer) }

@_cdecl("daunce_error")
public func error(_ session: OpaquePointer?) -> UnsafePointer<CChar> {
  UnsafePointer((Session.of(session)?.error ?? Creation.error).pointer)
}

@_cdecl("daunce_notes")
public func notes(_ session: OpaquePointer?) -> UnsafePointer<CChar> {
  guard let session = Session.of(session) else { return UnsafePointer(nothing.pointer) }
  session.toldNotes.hold(session.notes.take())
  return UnsafePointer(session.toldNotes.pointer)
}

@_cdecl("daunce_create")
public func create(_ communicator: Int32, _ session: UnsafeMutablePointer<OpaquePointer?>?) -> Int32 {
  withOwnArithmetic {
    session?.pointee = nil
    do {
      guard let session else { throw HostedError(.usage, "daunce_create: found NULL; expected where to put the session") }
      session.pointee = try Session(Communicator.host(communicator)).retained()
      return DAUNCE_OK.code
    } catch {
      let error = HostedError(of: error)
      Creation.error.hold(error.description)
      return error.code
    }
  }
}

@_cdecl("daunce_destroy")
public func destroy(_ session: UnsafeMutablePointer<OpaquePointer?>?) -> Int32 {
  guard let session, let pointer = session.pointee, let object = Session.of(pointer) else { return DAUNCE_USAGE.code }
  session.pointee = nil
  defer { Session.release(pointer) }
  guard Communicator.isRunning else { return DAUNCE_OK.code }
  do {
    try object.communicator.free()
    return DAUNCE_OK.code
  } catch {
    Creation.error.hold("\(error)")
    return HostedError(of: error).code
  }
}

@_cdecl("daunce_start")
public func start(_ session: OpaquePointer?) -> Int32 {
  perform(session) { session throws(HostedError) in try session.start() }
}
