import Glibc

/// Mean, standard deviation and extremes of a score over cycles; the first `skipping` cycles are counted but left out.
///
/// Updated by Welford's recursion, so a long series of nearly equal values keeps its digits.
public struct RunningScore: Sendable, Hashable, Codable {
  /// Cycles left out at the start.
  public let skipping: Int
  /// Cycles seen, with those left out.
  public private(set) var cycles = 0
  /// Values that count.
  public var count: Int { max(0, cycles - skipping) }
  private var runningMean = 0.0
  private var squares = 0.0
  private var smallest = Double.greatestFiniteMagnitude
  private var largest = -Double.greatestFiniteMagnitude

  /// - Parameter skipping: first cycles that are left out.
  public init(skipping: Int = 0) {
    self.skipping = max(0, skipping)
  }

  /// Takes the score of the next cycle.
  public mutating func add(_ value: Double) {
    cycles += 1
    guard cycles > skipping else { return }
    let deviation = value - runningMean
    runningMean += deviation / Double(count)
    squares += deviation * (value - runningMean)
    // A not-a-number has to show in the extremes as it does in the mean.
    smallest = value.isNaN || value < smallest ? value : smallest
    largest = value.isNaN || value > largest ? value : largest
  }

  /// Mean of the values that count; `nil` before the first one.
  public var mean: Double? { count > 0 ? runningMean : nil }
  /// Their standard deviation, divisor count - 1; `nil` for fewer than two.
  public var standardDeviation: Double? {
    count > 1 ? (squares / Double(count - 1)).squareRoot() : nil
  }
  /// Smallest of the values that count; `nil` before the first one.
  public var minimum: Double? { count > 0 ? smallest : nil }
  /// Largest of the values that count; `nil` before the first one.
  public var maximum: Double? { count > 0 ? largest : nil }
}

/// Root of the mean square of a quantity over cycles, such as an error or a spread, without the first `skipping`
/// cycles.
///
/// Ratios of spread and error are taken between these, not averaged over cycles.
public struct RunningRootMeanSquare: Sendable, Hashable, Codable {
  private var squares: RunningScore

  /// - Parameter skipping: first cycles that are left out.
  public init(skipping: Int = 0) {
    squares = RunningScore(skipping: skipping)
  }

  /// Takes the value of the next cycle.
  public mutating func add(_ value: Double) { squares.add(value * value) }

  /// Values that count.
  public var count: Int { squares.count }
  /// `nil` before the first value that counts.
  public var value: Double? { squares.mean?.squareRoot() }
}

/// How often the truth took each rank in the ensemble, over points and cycles; flat for a reliable ensemble.
public struct RankHistogram: Sendable, Hashable, Codable {
  /// Counts of the ranks 0 to N (`[N + 1]`).
  public private(set) var counts: [Int]
  /// Cycles left out at the start.
  public let skipping: Int
  private var cycles = 0

  /// - Parameters:
  ///   - members: N, at least 1.
  ///   - skipping: cycles left out at the start.
  public init(members: Int, skipping: Int = 0) {
    precondition(members > 0, "an ensemble needs a member")
    counts = [Int](repeating: 0, count: members + 1)
    self.skipping = max(0, skipping)
  }

  /// Takes the ensemble (`[member][point]`) and the truth (`[point]`) of the next cycle.
  public mutating func add(_ ensemble: [[Double]], truth: [Double]) {
    precondition(ensemble.count == counts.count - 1, "the histogram is for another number of members")
    guard beginCycle() else { return }
    for i in truth.indices { count(rank: ensemble.reduce(0) { $1[i] < truth[i] ? $0 + 1 : $0 }) }
  }

  /// Begins the next cycle; false if it is left out.
  mutating func beginCycle() -> Bool {
    cycles += 1
    return cycles > skipping
  }

  mutating func count(rank: Int) { counts[rank] += 1 }

  /// Truths counted.
  public var total: Int { counts.reduce(0, +) }

  /// Pearson's chi-square against a flat histogram, with N degrees of freedom if the counts were independent; 0 if
  /// nothing was counted.
  public var chiSquare: Double {
    guard total > 0 else { return 0 }
    let expected = Double(total) / Double(counts.count)
    return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }
}

/// Standard deviation, divisor n, of values that come one by one; by Welford's recursion.
public struct RunningDeviation: Sendable, Hashable, Codable {
  /// Values so far.
  public private(set) var count = 0
  private var mean = 0.0
  private var squares = 0.0

  /// Before the first value.
  public init() {}

  /// Takes the next value.
  public mutating func add(_ value: Double) {
    count += 1
    let deviation = value - mean
    mean += deviation / Double(count)
    squares += deviation * (value - mean)
  }

  /// `nil` before the first value.
  public var value: Double? { count > 0 ? (squares / Double(count)).squareRoot() : nil }
}

/// Median of positive values that come one by one, such as times, however many: they are counted in classes of a
/// sixty-fourth of an octave, so it is right to half a per cent.
public struct RunningMedian: Sendable, Hashable, Codable {
  private static let classesPerOctave = 64.0
  /// Logarithms (base 2) of the least and the largest value that have classes of their own.
  private static let range = -40.0...24.0
  private var counts: [Int: Int] = [:]
  /// Values so far.
  public private(set) var count = 0

  /// Before the first value.
  public init() {}

  /// Takes the next value; those that are not positive count as the least.
  public mutating func add(_ value: Double) {
    let logarithm = value > 0 ? min(max(log2(value), Self.range.lowerBound), Self.range.upperBound) : -40
    counts[Int((logarithm * Self.classesPerOctave).rounded()), default: 0] += 1
    count += 1
  }

  /// Takes all that another has taken.
  public mutating func add(_ other: RunningMedian) {
    counts.merge(other.counts) { $0 + $1 }
    count += other.count
  }

  /// `nil` before the first value.
  public var value: Double? {
    var below = 0
    for (place, number) in counts.sorted(by: { $0.key < $1.key }) {
      below += number
      if below > count / 2 { return exp2(Double(place) / Self.classesPerOctave) }
    }
    return nil
  }
}
