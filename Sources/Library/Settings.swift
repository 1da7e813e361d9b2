import CDaunce
import DaunceExperiment

// What a session is told before it starts: daunce.h says what each function does.

/// Changes a session's settings, unless it has been started.
private func change(
  _ session: OpaquePointer?, _ function: StaticString, _ body: (inout HostedSettings) throws(HostedError) -> Void
) -> Int32 {
  perform(session) { session throws(HostedError) in
    guard session.isOpen else {
      throw HostedError(
        .usage, "\(function): found a session that has been started; expected this call before daunce_start")
    }
    try body(&session.settings)
  }
}

/// A text of the host's.
private func text(_ pointer: UnsafePointer<CChar>?, _ function: StaticString, _ what: String) throws(HostedError) -> String {
  guard let pointer else { throw HostedError(.usage, "\(function): found NULL; expected \(what)") }
  return String(cString: pointer)
}

@_cdecl("daunce_set_description")
public func setDescription(_ session: OpaquePointer?, _ yaml: UnsafePointer<CChar>?) -> Int32 {
  change(session, "daunce_set_description") { settings throws(HostedError) in
    settings.description = try text(yaml, "daunce_set_description", "a description in YAML")
  }
}

@_cdecl("daunce_set_array")
public func setArray(
  _ session: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ count: Int64, _ values: UnsafePointer<Double>?
) -> Int32 {
  change(session, "daunce_set_array") { settings throws(HostedError) in
    let name = try text(name, "daunce_set_array", "a name")
    guard let values, count >= 0 else {
      throw HostedError(
        .usage, "daunce_set_array: \(name): found \(count) numbers at \(values == nil ? "NULL" : "a place"); expected numbers")
    }
    settings.arrays[name] = Array(UnsafeBufferPointer(start: values, count: Int(count)))
  }
}

@_cdecl("daunce_set_configuration")
public func setConfiguration(
  _ session: OpaquePointer?, _ file: UnsafePointer<CChar>?, _ yaml: UnsafePointer<CChar>?
) -> Int32 {
  change(session, "daunce_set_configuration") { settings throws(HostedError) in
    settings.path = file.map { String(cString: $0) }
    settings.text = yaml.map { String(cString: $0) }
  }
}

@_cdecl("daunce_set")
public func set(_ session: OpaquePointer?, _ key: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?) -> Int32 {
  change(session, "daunce_set") { settings throws(HostedError) in
    let key = try text(key, "daunce_set", "a key")
    settings.keys.removeAll { $0.key == key }
    if let value { settings.keys.append((key, String(cString: value))) }
  }
}

@_cdecl("daunce_set_method")
public func setMethod(_ session: OpaquePointer?, _ method: UnsafePointer<CChar>?, _ agents: UnsafePointer<CChar>?) -> Int32 {
  change(session, "daunce_set_method") { settings throws(HostedError) in
    settings.method = try text(method, "daunce_set_method", "a method's name")
    settings.agents = agents.map { String(cString: $0) }
  }
}

@_cdecl("daunce_set_members")
public func setMembers(_ session: OpaquePointer?, _ members: Int64) -> Int32 {
  change(session, "daunce_set_members") { $0.members = Int(members) }
}

@_cdecl("daunce_set_time")
public func setTime(_ session: OpaquePointer?, _ time: Double) -> Int32 {
  change(session, "daunce_set_time") { $0.start = time }
}

@_cdecl("daunce_set_initial")
public func setInitial(_ session: OpaquePointer?, _ file: UnsafePointer<CChar>?) -> Int32 {
  change(session, "daunce_set_initial") { $0.initial = file.map { String(cString: $0) } }
}

@_cdecl("daunce_set_observations")
public func setObservations(_ session: OpaquePointer?, _ file: UnsafePointer<CChar>?) -> Int32 {
  change(session, "daunce_set_observations") { $0.observations = file.map { String(cString: $0) } }
}

@_cdecl("daunce_set_coarse_forecast")
public func setCoarseForecast(
  _ session: OpaquePointer?,
  _ function: (@convention(c) (UnsafeMutableRawPointer?, Double, Double, UnsafeMutablePointer<Double>?) -> Int32)?,
  _ user: UnsafeMutableRawPointer?
) -> Int32 {
  change(session, "daunce_set_coarse_forecast") { settings in
    settings.coarse = function.map { function in
      { from, to, state in withHostArithmetic { function(user, from, to, state) } }
    }
  }
}
