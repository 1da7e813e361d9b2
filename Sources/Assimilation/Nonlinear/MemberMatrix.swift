internal import DaunceEnsemble

/// What an update makes of an ensemble: every new member as a combination of the old ones,
///
///     x_j = sum_n T_nj x_n,
///
/// the same for every element that sees the same observations. Columns sum to one.
public final class MemberMatrix {
  /// Number of members.
  public let members: Int
  /// Doubles from one row to the next: the members, rounded up to whole vectors. What lies between is zero.
  public let stride: Int
  /// `[old member][stride]`
  public let values: UnsafeMutablePointer<Double>
  private let scratch: UnsafeMutablePointer<Double>

  /// The identity.
  public init(members: Int) {
    self.members = members
    stride = PartialEnsemble.stride(of: members)
    let size = max(1, members * stride)
    values = UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 64).bindMemory(to: Double.self, capacity: size)
    scratch = UnsafeMutableRawPointer.allocate(byteCount: stride * 8, alignment: 64)
      .bindMemory(to: Double.self, capacity: stride)
    values.initialize(repeating: 0, count: size)
    scratch.initialize(repeating: 0, count: stride)
    setIdentity()
  }

  deinit {
    values.deallocate()
    scratch.deallocate()
  }

  /// Weight of old member `n` in new member `j`.
  public subscript(_ n: Int, _ j: Int) -> Double {
    get { values[n &* stride &+ j] }
    set { values[n &* stride &+ j] = newValue }
  }

  /// Leaves every member as it is.
  public func setIdentity() {
    setZero()
    for m in 0..<members { self[m, m] = 1 }
  }

  /// Empties it.
  public func setZero() {
    values.update(repeating: 0, count: members * stride)
  }

  /// Combines a row of anomalies (`[stride]`), in part:
  ///
  ///     x = x + share (x T - x)
  func apply(to row: UnsafeMutablePointer<Double>, share: Double = 1) {
    scratch.update(repeating: 0, count: stride)
    for n in 0..<members { Lanes4.add(row[n], values + n &* stride, to: scratch, stride) }
    guard share < 1 else { return row.update(from: scratch, count: members) }
    for m in 0..<members { row[m] += share * (scratch[m] - row[m]) }
  }
}
