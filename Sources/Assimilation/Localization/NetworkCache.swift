internal import DaunceObservations

/// What was derived of the networks that were met last, found again by the object's identity.
struct NetworkCache<Value> {
  /// Networks that alternate, such as those of several observing intervals, all stay.
  private static var limit: Int { 8 }

  /// Holding the network keeps its identity from being used again.
  private var entries: [(network: ObservationNetwork, value: Value)] = []
  private var next = 0

  /// - Parameter make: for a network that is not known, in place of the oldest one.
  mutating func value<Failure: Error>(
    of network: ObservationNetwork, _ make: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    for entry in entries where entry.network === network { return entry.value }
    let made = try make()
    if entries.count < Self.limit {
      entries.append((network, made))
    } else {
      entries[next] = (network, made)
      next = (next + 1) % Self.limit
    }
    return made
  }
}
