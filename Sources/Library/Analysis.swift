import CDaunce
import DaunceExperiment

// What a started session does: daunce.h says what each function does.

/// A number of a started session; -1 without one.
private func number(_ session: OpaquePointer?, _ body: (HostedAnalysis) -> Int) -> Int64 {
  (try? Session.of(session)?.started("")).map { Int64(body($0)) } ?? -1
}

@_cdecl("daunce_state_size")
public func stateSize(_ session: OpaquePointer?) -> Int64 { number(session) { $0.stateSize } }

@_cdecl("daunce_members")
public func members(_ session: OpaquePointer?) -> Int64 { number(session) { $0.members } }

@_cdecl("daunce_first_member")
public func firstMember(_ session: OpaquePointer?) -> Int64 { number(session) { $0.firstMember } }

@_cdecl("daunce_cycle")
public func cycle(_ session: OpaquePointer?) -> Int64 { number(session) { $0.cycle } }

@_cdecl("daunce_last_observed")
public func lastObserved(_ session: OpaquePointer?) -> Int64 { number(session) { $0.lastObserved } }

@_cdecl("daunce_interval")
public func interval(_ session: OpaquePointer?) -> Double { (try? Session.of(session)?.started("").interval) ?? -1 }

@_cdecl("daunce_time")
public func time(_ session: OpaquePointer?) -> Double { (try? Session.of(session)?.started("").time) ?? .nan }

@_cdecl("daunce_seed")
public func seed(_ session: OpaquePointer?, _ member: Int64, _ cycle: Int64, _ seed: UnsafeMutablePointer<UInt64>?) -> Int32 {
  perform(session) { session throws(HostedError) in
    let analysis = try session.started("daunce_seed")
    guard let seed, (0..<Int64(analysis.members)).contains(member), cycle >= 1 else {
      throw HostedError(
        .usage, "daunce_seed: found member \(member), cycle \(cycle); expected members from 0 to \(analysis.members - 1), cycles from 1")
    }
    seed.pointee = analysis.seed(member: Int(member), cycle: Int(cycle))
  }
}

@_cdecl("daunce_initial_states")
public func initialStates(_ session: OpaquePointer?, _ states: UnsafeMutablePointer<Double>?, _ stride: Int64) -> Int32 {
  perform(session) { session throws(HostedError) in
    let analysis = try session.started("daunce_initial_states")
    guard !analysis.initial.isEmpty else {
      throw HostedError(
        .usage, "daunce_initial_states: found none; expected daunce_set_initial before daunce_start, and no analysis yet")
    }
    guard let states, stride >= Int64(analysis.stateSize) else {
      throw HostedError(
        .usage,
        "daunce_initial_states: found NULL or a stride of \(stride); expected a place, and a stride of \(analysis.stateSize) "
          + "at least")
    }
    for (m, state) in analysis.initial.enumerated() {
      state.withUnsafeBufferPointer { from in
        if let from = from.baseAddress { (states + m * Int(stride)).update(from: from, count: state.count) }
      }
    }
  }
}

/// Keeps observations for the next analysis; what is wrong with the call is told there.
private func keep(
  _ session: OpaquePointer?, _ function: StaticString, _ quantity: UnsafePointer<CChar>?, _ count: Int64, _ isThere: Bool,
  _ batch: (String, Int, HostedAnalysis) -> HostedBatch
) -> Int32 {
  perform(session) { session throws(HostedError) in
    let analysis = try session.started(function)
    if count == 0 { return }
    guard let quantity, count > 0, isThere else {
      session.problem = HostedError(
        .usage,
        "\(function): found NULL, or arrays of different lengths; expected a quantity, and values with as many errors and "
          + "cells or places")
      return
    }
    session.batches.append(batch(String(cString: quantity), Int(count), analysis))
  }
}

@_cdecl("daunce_observe")
public func observe(
  _ session: OpaquePointer?, _ quantity: UnsafePointer<CChar>?, _ count: Int64, _ cells: UnsafePointer<Int64>?,
  _ values: UnsafePointer<Double>?, _ deviations: UnsafePointer<Double>?
) -> Int32 {
  keep(session, "daunce_observe", quantity, count, cells != nil && values != nil && deviations != nil) { name, count, _ in
    HostedBatch(
      quantity: name, cells: Array(UnsafeBufferPointer(start: cells, count: count)), places: [],
      values: Array(UnsafeBufferPointer(start: values, count: count)),
      deviations: Array(UnsafeBufferPointer(start: deviations, count: count)))
  }
}

@_cdecl("daunce_observe_places")
public func observePlaces(
  _ session: OpaquePointer?, _ quantity: UnsafePointer<CChar>?, _ count: Int64, _ places: UnsafePointer<Double>?,
  _ values: UnsafePointer<Double>?, _ deviations: UnsafePointer<Double>?
) -> Int32 {
  keep(session, "daunce_observe_places", quantity, count, places != nil && values != nil && deviations != nil) {
    name, count, analysis in
    HostedBatch(
      quantity: name, cells: nil,
      places: Array(UnsafeBufferPointer(start: places, count: count * analysis.axes)),
      values: Array(UnsafeBufferPointer(start: values, count: count)),
      deviations: Array(UnsafeBufferPointer(start: deviations, count: count)))
  }
}

/// Analyses states, which `pointers` finds where their number is right.
private func assimilate(
  _ session: OpaquePointer?, _ function: StaticString, _ time: Double, _ members: Int64, _ size: Int64,
  _ pointers: (Int) -> [UnsafeMutablePointer<Double>?]
) -> Int32 {
  perform(session) { session throws(HostedError) in
    let analysis = try session.started(function)
    let (batches, before) = (session.batches, session.problem)
    (session.batches, session.problem) = ([], nil)
    var states: [UnsafeMutablePointer<Double>] = []
    var problem = before
    if members == Int64(analysis.heldMembers), size == Int64(analysis.stateSize) {
      let found = pointers(Int(members))
      states = found.compactMap { $0 }
      if states.count < found.count || states.count < Int(members) {
        problem = HostedError(
          .usage,
          "\(function): found NULL; expected a place for each of \(members) states, and a stride of their size at least")
      }
    } else {
      problem = HostedError(
        .usage,
        "\(function): found \(members) members of \(size) numbers; expected \(analysis.heldMembers) of \(analysis.stateSize)")
    }
    try analysis.assimilate(time: time, states: states, batches: batches, problem: problem)
  }
}

@_cdecl("daunce_assimilate")
public func assimilateStates(
  _ session: OpaquePointer?, _ time: Double, _ members: Int64, _ size: Int64,
  _ states: UnsafePointer<UnsafeMutablePointer<Double>?>?
) -> Int32 {
  assimilate(session, "daunce_assimilate", time, members, size) { count in
    states.map { states in (0..<count).map { states[$0] } } ?? []
  }
}

@_cdecl("daunce_assimilate_block")
public func assimilateBlock(
  _ session: OpaquePointer?, _ time: Double, _ members: Int64, _ size: Int64, _ states: UnsafeMutablePointer<Double>?,
  _ stride: Int64
) -> Int32 {
  assimilate(session, "daunce_assimilate_block", time, members, size) { count in
    guard let states, stride >= size else { return [] }
    return (0..<count).map { states + $0 * Int(stride) }
  }
}

@_cdecl("daunce_moments")
public func moments(
  _ session: OpaquePointer?, _ mean: UnsafeMutablePointer<Double>?, _ spread: UnsafeMutablePointer<Double>?
) -> Int32 {
  perform(session) { session throws(HostedError) in
    let found = try session.started("daunce_moments").moments()
    for (target, values) in [(mean, found.mean), (spread, found.spread)] {
      guard let target else { continue }
      for (i, value) in values.enumerated() { target[i] = value }
    }
  }
}

@_cdecl("daunce_save_size")
public func saveSize(_ session: OpaquePointer?) -> Int64 {
  guard let session = Session.of(session), let bytes = try? session.started("").save() else { return -1 }
  return Int64(bytes.count)
}

@_cdecl("daunce_save")
public func save(_ session: OpaquePointer?, _ bytes: UnsafeMutableRawPointer?, _ size: Int64) -> Int32 {
  perform(session) { session throws(HostedError) in
    let saved = try session.started("daunce_save").save()
    guard let bytes, size == Int64(saved.count) else {
      throw HostedError(.usage, "daunce_save: found room for \(size) bytes; expected \(saved.count), as daunce_save_size says")
    }
    saved.withUnsafeBytes { if let from = $0.baseAddress { bytes.copyMemory(from: from, byteCount: saved.count) } }
  }
}

@_cdecl("daunce_restore")
public func restore(_ session: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ size: Int64) -> Int32 {
  perform(session) { session throws(HostedError) in
    let analysis = try session.started("daunce_restore")
    let given = bytes.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: max(0, Int(size)))) } ?? []
    try analysis.restore(given)
  }
}
