/// Which rank holds which ensemble members: contiguous, balanced blocks, one member a rank by default. Once members are
/// given up, each rank holds those that are left of its own, which may be none.
public struct Distribution: Sendable, Hashable {
  /// Number of members, at least `ranks` and at most `ExactSum.memberLimit`.
  public let members: Int
  /// Number of ranks.
  public let ranks: Int
  /// This rank.
  public let rank: Int
  /// First members of the ranks, and behind them the number of members; empty where blocks are balanced.
  private let starts: [Int]

  /// - Throws: `DistributionError` when there are more ranks than members, no member at all, or more than exact sums
  ///   have headroom for.
  public init(members: Int, ranks: Int, rank: Int) throws(DistributionError) {
    guard members >= 1, members >= ranks, members <= ExactSum.memberLimit else {
      throw DistributionError(members: members, ranks: ranks)
    }
    self.members = members
    self.ranks = ranks
    self.rank = rank
    starts = []
  }

  /// The same ranks with those members of `other` that `isKept` says of their numbers in it.
  public init(_ other: Distribution, keeping isKept: (Int) -> Bool) {
    var starts = [0]
    for rank in 0..<other.ranks { starts.append(starts[rank] + other.range(of: rank).count(where: isKept)) }
    (ranks, rank) = (other.ranks, other.rank)
    self.starts = starts
    members = starts[other.ranks]
  }

  /// Members held by `rank`; of balanced blocks, sizes of two differ by one at most.
  public func range(of rank: Int) -> Range<Int> {
    if !starts.isEmpty { return starts[rank]..<starts[rank + 1] }
    let (share, extra) = members.quotientAndRemainder(dividingBy: ranks)
    let start = rank * share + min(rank, extra)
    return start..<start + share + (rank < extra ? 1 : 0)
  }

  /// Members held here.
  public var local: Range<Int> { range(of: rank) }
}

/// More ranks than members, no members, or too many.
public struct DistributionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Number of members.
  public let members: Int
  /// Number of ranks.
  public let ranks: Int

  /// As messages show it.
  public var description: String {
    if members < 1 { return "members: found \(members), expected at least 1" }
    if members > ExactSum.memberLimit {
      return "members: found \(members), expected at most \(ExactSum.memberLimit)"
    }
    return """
      \(ranks) ranks for \(members) members: expected at most one rank per member; start at most \(members) ranks \
      (mpirun -np \(members)) or raise --members
      """
  }
}
