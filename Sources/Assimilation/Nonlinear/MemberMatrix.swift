internal import DaunceEnsemble
internal import DaunceNumerics

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
  /// What draws were made by (`[members]`), and the sum of their squares.
  private let weights: Workspace<Double>
  private var concentration = 1.0
  /// Effective sizes from which a weighted variance is worth more than a drawn one.
  private static let leastSize = 5.0

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
    weights = Workspace(repeating: 0, count: members)
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
    concentration = 1
  }

  /// Says by which weights columns were drawn: whatever is combined then gets its weighted mean and variance, which draws
  /// and what tells copies apart are around.
  public func setWeights(_ weights: [Double]) {
    concentration = 0
    for m in 0..<members {
      self.weights.start[m] = weights[m]
      concentration += weights[m] * weights[m]
    }
  }

  private var isWeighted: Bool { concentration * Self.leastSize < 1 }

  /// Combines a row of anomalies (`[stride]`), in part:
  ///
  ///     x = x + share (x T - x)
  ///
  /// with anomalies then multiplied so that the spread goes as far on its way: what T makes of an element that has nothing
  /// to do with what was observed is as wide as the element and has nothing to do with it, so that their mean would be narrower.
  func apply(to row: UnsafeMutablePointer<Double>, share: Double = 1) {
    scratch.update(repeating: 0, count: stride)
    for n in 0..<members { Lanes4.add(row[n], values + n &* stride, to: scratch, stride) }
    if isWeighted { matchWeights(row) }
    guard share < 1 else { return row.update(from: scratch, count: members) }
    let mean = Lanes4.centre(scratch, members: members)
    let (old, new) = (Lanes4.dot(row, row, stride), Lanes4.dot(scratch, scratch, stride))
    let spread = (1 - share) * old.squareRoot() + share * new.squareRoot()
    for m in 0..<members { row[m] += share * (scratch[m] - row[m]) }
    let left = Lanes4.dot(row, row, stride)
    let factor = left > 0 ? spread / left.squareRoot() : 1
    for m in 0..<members { row[m] = factor * row[m] + share * mean }
  }

  /// Gives what T made of a row its weighted mean and variance.
  private func matchWeights(_ row: UnsafePointer<Double>) {
    var (mean, square) = (0.0, 0.0)
    for m in 0..<members { mean += weights.start[m] * row[m] }
    for m in 0..<members { square += weights.start[m] * (row[m] - mean) * (row[m] - mean) }
    _ = Lanes4.centre(scratch, members: members)
    let found = Lanes4.dot(scratch, scratch, stride) / Double(members - 1)
    let factor = found > 0 ? (square / (1 - concentration) / found).squareRoot() : 1
    for m in 0..<members { scratch[m] = mean + factor * scratch[m] }
  }
}
