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
  /// What draws were made by (`[stride]`), and the sum of their squares.
  private let weights: UnsafeMutablePointer<Double>
  private var concentration = 1.0
  private var leastSize = 1.0
  /// Weights that are not zero, where they are few.
  private struct Entry: BitwiseCopyable {
    let old, new: Int
    let weight: Double
  }
  private let entries: Workspace<Entry>
  private var entryCount = 0
  private var isSparse = false

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
    weights = UnsafeMutableRawPointer.allocate(byteCount: stride * 8, alignment: 64)
      .bindMemory(to: Double.self, capacity: stride)
    weights.initialize(repeating: 0, count: stride)
    entries = Workspace(repeating: Entry(old: 0, new: 0, weight: 0), count: Self.mostEntries * members)
    setIdentity()
  }

  deinit {
    values.deallocate()
    scratch.deallocate()
    weights.deallocate()
  }

  /// Weight of old member `n` in new member `j`.
  public subscript(_ n: Int, _ j: Int) -> Double {
    get {
      guard isSparse else { return values[n &* stride &+ j] }
      return (0..<entryCount).reduce(0) { $0 + (entries.start[$1].old == n && entries.start[$1].new == j ? entries.start[$1].weight : 0) }
    }
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
    (concentration, isSparse) = (1, false)
  }

  /// Empties it, to be filled by `add`: so few weights are not zero that nobody should multiply by the others.
  public func setSparse() { (entryCount, concentration, isSparse) = (0, 1, true) }

  /// Weights a member that a sparse matrix has room for.
  private static let mostEntries = 4

  /// Adds a weight to a sparse matrix; at most four a member, in the mean.
  public func add(_ weight: Double, of old: Int, in new: Int) {
    precondition(isSparse && entryCount < entries.count, "four weights a member")
    entries.start[entryCount] = Entry(old: old, new: new, weight: weight)
    entryCount += 1
  }

  /// Says by which weights columns were made: whatever is combined then gets its weighted mean and variance, which draws
  /// and averages are about.
  ///
  /// - Parameter leastSize: effective size of the weights from which their variance is worth more than that of the columns.
  public func setWeights(_ weights: [Double], leastSize: Double) {
    (concentration, self.leastSize) = (0, leastSize)
    for m in 0..<members {
      self.weights[m] = weights[m]
      concentration += weights[m] * weights[m]
    }
  }

  private var isWeighted: Bool { concentration * leastSize < 1 }

  /// Combines a row of anomalies (`[stride]`), in part:
  ///
  ///     x = x + share (x T - x)
  ///
  /// with anomalies then multiplied so that the spread goes as far on its way: what T makes of an element that has nothing
  /// to do with what was observed is as wide as the element and has nothing to do with it, so that their mean would be narrower.
  func apply(to row: UnsafeMutablePointer<Double>, share: Double = 1) {
    scratch.update(repeating: 0, count: stride)
    if isSparse {
      for k in 0..<entryCount { scratch[entries.start[k].new] += entries.start[k].weight * row[entries.start[k].old] }
    } else {
      multiply(row)
    }
    let mean = isWeighted ? matchWeights(row) : Lanes4.takeMean(off: scratch, members: members)
    if share < 1 {
      let (old, new) = (Lanes4.dot(row, row, stride), Lanes4.dot(scratch, scratch, stride))
      let spread = (1 - share) * old.squareRoot() + share * new.squareRoot()
      Lanes4.combine(1 - share, row, share, to: scratch, stride)
      let left = Lanes4.dot(scratch, scratch, stride)
      Lanes4.combine(0, row, left > 0 ? spread / left.squareRoot() : 1, to: scratch, stride)
    }
    for m in 0..<members { row[m] = scratch[m] + share * mean }
  }

  /// Adds x T to the scratch row, four old members at a time.
  private func multiply(_ row: UnsafePointer<Double>) {
    typealias Lanes = Lanes4.Vector
    let (target, bytes) = (UnsafeMutableRawPointer(scratch), stride &* 8)
    var n = 0
    while n &+ 4 <= members {
      let source = UnsafeRawPointer(values + n &* stride)
      let (a, b) = (Lanes(repeating: row[n]), Lanes(repeating: row[n &+ 1]))
      let (c, d) = (Lanes(repeating: row[n &+ 2]), Lanes(repeating: row[n &+ 3]))
      for at in Swift.stride(from: 0, to: bytes, by: 32) {
        var sum = target.load(fromByteOffset: at, as: Lanes.self)
        sum += a * source.load(fromByteOffset: at, as: Lanes.self)
        sum += b * source.load(fromByteOffset: at &+ bytes, as: Lanes.self)
        sum += c * source.load(fromByteOffset: at &+ 2 &* bytes, as: Lanes.self)
        sum += d * source.load(fromByteOffset: at &+ 3 &* bytes, as: Lanes.self)
        target.storeBytes(of: sum, toByteOffset: at, as: Lanes.self)
      }
      n &+= 4
    }
    for n in n..<members { Lanes4.add(row[n], values + n &* stride, to: scratch, stride) }
  }

  /// Gives what T made of a row its weighted variance.
  ///
  /// - Returns: the weighted mean, which is taken off.
  private func matchWeights(_ row: UnsafePointer<Double>) -> Double {
    let mean = Lanes4.dot(weights, row, stride)
    let square = Lanes4.weightedSquares(weights, row, stride) - mean * mean
    _ = Lanes4.takeMean(off: scratch, members: members)
    let found = Lanes4.dot(scratch, scratch, stride) / Double(members - 1)
    let factor = found > 0 && square > 0 ? (square / (1 - concentration) / found).squareRoot() : 1
    Lanes4.combine(0, row, factor, to: scratch, stride)
    return mean
  }
}
