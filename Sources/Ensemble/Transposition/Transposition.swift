public import DaunceMPI
public import DaunceState

/// Exchanges members for parts of the state and back: between forecasts, for which a rank has whole members, and
/// updates, for which it has all members of some elements (Anderson & Collins 2007).
///
/// A few members a rank are in memory as whole states at a time; nobody ever holds the whole ensemble.
public final class Transposition {
  /// Of the state.
  public let layout: StateLayout
  /// Members that each rank has whole (`[ranks]`).
  public let owners: [Range<Int>]
  /// Which rank updates which part of the state.
  public let partition: StatePartition
  private let communicator: Communicator
  /// Members of each rank that are exchanged together.
  private let batch: Int
  /// `[batch][layout.count]`
  private let states: UnsafeMutablePointer<Double>
  /// `[batch][rank][part]`
  private let pieces: UnsafeMutablePointer<Double>
  private let part: Range<Int>
  /// Most members of a rank.
  private let most: Int

  /// Most bytes of whole states in memory, unless a single one has more.
  private static let batchBytes = 32 << 20

  /// - Parameter owners: members of each rank, in the order of ranks; one rank may have all of them.
  public init(layout: StateLayout, owners: [Range<Int>], communicator: Communicator) {
    precondition(owners.count == communicator.size, "one range of members for each rank")
    self.layout = layout
    self.owners = owners
    self.communicator = communicator
    partition = StatePartition(layout, ranks: communicator.size)
    part = partition.elements(of: communicator.rank)
    most = owners.reduce(0) { max($0, $1.count) }
    batch = max(1, min(most, Self.batchBytes / max(1, 8 * layout.count)))
    states = .allocate(capacity: max(1, batch * layout.count))
    pieces = .allocate(capacity: max(1, batch * communicator.size * part.count))
    states.initialize(repeating: 0, count: batch * layout.count)
  }

  deinit {
    states.deallocate()
    pieces.deallocate()
  }

  /// Bytes of this object on this rank.
  public var bytes: Int { 8 * batch * (layout.count + communicator.size * part.count) }

  /// Rounds of exchanges, the same on all ranks.
  private var rounds: Int { (most + batch - 1) / batch }

  /// Members that `rank` exchanges in a round.
  private func members(of rank: Int, round: Int) -> Range<Int> {
    let all = owners[rank]
    let first = min(all.lowerBound + round * batch, all.upperBound)
    return first..<min(first + batch, all.upperBound)
  }

  /// Fills the part of this rank. Collective.
  ///
  /// - Parameter read: fills the state (`[layout.count]`) of a member of this rank; called in ascending order.
  public func collect(
    into ensemble: PartialEnsemble, read: (_ member: Int, _ state: inout MutableSpan<Double>) throws -> Void
  ) throws {
    for round in 0..<rounds {
      let own = members(of: communicator.rank, round: round)
      try communicator.collectively {
        for (place, member) in own.enumerated() {
          var span = MutableSpan(_unsafeStart: states + place * layout.count, count: layout.count)
          try read(member, &span)
        }
      }
      try exchange(round, toParts: true)
      forEachPiece(round) { piece, member in
        var target = ensemble.values + member
        for i in 0..<part.count {
          target.pointee = piece[i]
          target += ensemble.stride
        }
      }
    }
  }

  /// Hands out the members of this rank, put together from all parts. Collective.
  ///
  /// - Parameter write: takes the state (`[layout.count]`) of a member of this rank; called in ascending order.
  public func distribute(
    _ ensemble: PartialEnsemble, write: (_ member: Int, _ state: Span<Double>) throws -> Void
  ) throws {
    for round in 0..<rounds {
      forEachPiece(round) { piece, member in
        var source = ensemble.values + member
        for i in 0..<part.count {
          piece[i] = source.pointee
          source += ensemble.stride
        }
      }
      try exchange(round, toParts: false)
      let own = members(of: communicator.rank, round: round)
      try communicator.collectively {
        for (place, member) in own.enumerated() {
          try write(member, Span(_unsafeStart: states + place * layout.count, count: layout.count))
        }
      }
    }
  }

  /// Members in order of memory: those of one rank are neighbours.
  private func forEachPiece(_ round: Int, _ body: (UnsafeMutablePointer<Double>, Int) -> Void) {
    for rank in 0..<communicator.size {
      for (place, member) in members(of: rank, round: round).enumerated() {
        body(pieces + (place * communicator.size + rank) * part.count, member)
      }
    }
  }

  private func exchange(_ round: Int, toParts: Bool) throws(MPIError) {
    let size = communicator.size
    let own = members(of: communicator.rank, round: round)
    for place in 0..<batch {
      let mine = place < own.count
      let state = (0..<size).map { mine ? partition.elements(of: $0) : 0..<0 }
      let piece = (0..<size).map { rank in
        place < members(of: rank, round: round).count ? rank * part.count..<(rank + 1) * part.count : 0..<0
      }
      let (whole, parts) = (states + place * layout.count, pieces + place * size * part.count)
      if toParts {
        try communicator.alltoallv(whole, send: state, into: parts, receive: piece)
      } else {
        try communicator.alltoallv(parts, send: piece, into: whole, receive: state)
      }
    }
  }
}
