import DaunceArchive
import DaunceMPI
import DaunceEnsemble
import DaunceState

/// What a host keeps in its own checkpoints.
extension HostedAnalysis {
  private static let form = "daunce session 1"

  /// What the next analysis needs besides the states: the number of the cycle, and what the update remembers of earlier
  /// ones. Every rank has bytes of its own. Not collective.
  public func save() throws(HostedError) -> [UInt8] {
    var snapshot = Snapshot()
    do { try method.save(ensemble, into: &snapshot) } catch { throw HostedError(of: error) }
    var shared = PackedBytes()
    let numbers = snapshot.shared.sorted { $0.key < $1.key }
    for (name, values) in numbers {
      shared.put(name)
      shared.put(values)
    }
    var packed = PackedBytes()
    packed.put(Self.form)
    packed.put(method.name)
    packed.put([Int64(members), Int64(local.lowerBound), Int64(local.upperBound), Int64(layout.count), Int64(cycle)])
    packed.put(shared.bytes)
    // States are the host's own.
    for (name, rows) in snapshot.members.sorted(by: { $0.key < $1.key }) where name != "states" {
      packed.put(name)
      for row in rows { packed.put(row) }
    }
    packed.put([Digest.xxh64(packed.bytes)])
    return packed.bytes
  }

  /// Takes back what `save` gave, in a session of the same settings, with as many members on this rank. Collective.
  public func restore(_ bytes: [UInt8]) throws(HostedError) {
    try context.communicator.hosted { try take(bytes) }
  }

  private func take(_ bytes: [UInt8]) throws {
    let communicator = context.communicator
    let (number, shared, snapshot) = try communicator.hosted { try read(bytes) }
    try communicator.agree(on: UInt64(number), about: "the cycle of what was saved")
    var all = snapshot
    var own = shared
    try communicator.broadcast(resizing: &own)
    var unpacked = UnpackedBytes(own)
    while !unpacked.isAtEnd { all.share(try unpacked.text(), try unpacked.numbers()) }
    try communicator.hosted { try method.restore(&ensemble, from: all) }
    (cycle, hasAnalysis) = (number, false)
  }

  /// Checks the bytes, and finds the cycle, the shared numbers and the members'.
  private func read(_ bytes: [UInt8]) throws(HostedError) -> (cycle: Int, shared: [UInt8], snapshot: Snapshot) {
    func refused(_ found: String, _ expected: String) -> HostedError {
      HostedError(.badData, "daunce_restore", found: found, expected: expected)
    }
    let tail = 16
    guard bytes.count > tail, Self.digest(at: bytes) == Digest.xxh64(Array(bytes.dropLast(tail))) else {
      throw refused("\(bytes.count) damaged bytes", "what daunce_save gave")
    }
    do {
      var unpacked = UnpackedBytes(Array(bytes.dropLast(tail)))
      let form = try unpacked.text()
      guard form == Self.form else { throw refused("bytes of another version", "what this version's daunce_save gave") }
      let name = try unpacked.text()
      guard name == method.name else { throw refused("a session with \(name)", "one with \(method.name)") }
      let sizes: [Int64] = try unpacked.values()
      let own = [Int64(members), Int64(local.lowerBound), Int64(local.upperBound), Int64(layout.count)]
      guard sizes.count == 5, Array(sizes.prefix(4)) == own else {
        throw refused(
          "members, ranks or states of another session (\(sizes.prefix(4)))",
          "members, first and last here, size of a state of this one (\(own))")
      }
      let shared: [UInt8] = try unpacked.values()
      var snapshot = Snapshot()
      while !unpacked.isAtEnd {
        let name = try unpacked.text()
        for _ in local { snapshot.append(name, try unpacked.numbers()) }
      }
      snapshot.set("states", members: ensemble.states)
      return (Int(sizes[4]), shared, snapshot)
    } catch let error as HostedError {
      throw error
    } catch {
      throw HostedError(of: error)
    }
  }

  private static func digest(at bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self) }
  }
}
