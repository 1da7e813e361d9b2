public import DaunceMPI

/// All members of a distributed ensemble on every rank, in the order of members: sums over it run in that order and
/// give the same bits on any number of ranks.
///
/// The object is a workspace: after `init` nothing is allocated.
public final class GatheredEnsemble {
  /// Number of elements of a row.
  public let width: Int
  /// Rows of all members (`[member][width]`).
  public private(set) var members: [Double]

  private let distribution: Distribution
  private let communicator: Communicator
  /// Elements that each rank holds (`[rank]`).
  private let counts: [Int]

  /// - Parameters:
  ///   - width: elements of a row: `layout.count` for states.
  ///   - distribution: which member's row is held here.
  ///   - communicator: of the ranks that hold the rows.
  public init(width: Int, distribution: Distribution, communicator: Communicator) {
    self.width = width
    self.distribution = distribution
    self.communicator = communicator
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * width }
    members = [Double](repeating: 0, count: distribution.members * width)
  }

  /// Gathers all members' rows into ``members``. Collective; one `allgatherv`, in place.
  ///
  /// - Parameter rows: of the members held here, in order (`[local member][width]`).
  public func gather(_ rows: [[Double]]) throws(MPIError) {
    let local = distribution.local
    precondition(rows.count == local.count, "one row for each member held here")
    let width = width
    members.withUnsafeMutableBufferPointer { members in
      for (row, member) in zip(rows, local) {
        precondition(row.count == width, "a row has another width than the ensemble")
        row.withUnsafeBufferPointer { row in
          for j in 0..<width { members[member &* width &+ j] = row[j] }
        }
      }
    }
    try communicator.allgatherv(inPlace: &members, counts: counts)
  }

  /// The row of one member (`[width]`).
  public func row(of member: Int) -> ArraySlice<Double> {
    members[member * width..<(member + 1) * width]
  }
}
