import DaunceNumerics

/// How predictive laws, given as samples, fit what was then found: coverage of central intervals, PIT, CRPS with its parts,
/// sharpness.
///
/// The CRPS is taken apart as for ensembles (Hersbach 2000): reliability, 0 for laws whose quantiles are what they say;
/// resolution, by how much the laws are better than the climatology of what was found; uncertainty, the CRPS of that
/// climatology; CRPS = reliability - resolution + uncertainty.
public struct Calibration: Sendable {
  /// Probabilities of the central intervals.
  public static let intervals = [0.5, 0.8, 0.95]
  /// Classes of the PIT histogram.
  public static let classes = 20

  /// Predictions so far.
  public private(set) var count = 0
  /// Predictions whose central intervals hold what was found, by interval.
  package private(set) var covered = [Double](repeating: 0, count: intervals.count)
  private var widths = [Double](repeating: 0, count: intervals.count)
  /// Predictions by class of the probability integral transform.
  public private(set) var pit = [Int](repeating: 0, count: classes)
  private var crpsSum = 0.0
  private var errors = 0.0
  private var squaredErrors = 0.0
  private var variances = 0.0
  private var found: [Double] = []
  /// Means over predictions of the steps' lengths below and above what was found (`[step]`), and how often that was
  /// outside all samples, with the distance.
  private var above: [Double] = []
  private var below: [Double] = []
  private var outside = (low: 0.0, high: 0.0)

  /// Nothing yet.
  public init() {}

  /// Takes one prediction.
  ///
  /// - Parameters:
  ///   - samples: of the predictive law, as many as before.
  ///   - truth: what was found.
  public mutating func add(_ samples: [Double], truth: Double) {
    let sorted = samples.sorted()
    let n = sorted.count
    count += 1
    for (k, probability) in Self.intervals.enumerated() {
      let low = FundamentalEquation.quantile(sorted, 0.5 - probability / 2)
      let high = FundamentalEquation.quantile(sorted, 0.5 + probability / 2)
      covered[k] += low <= truth && truth <= high ? 1 : 0
      widths[k] += high - low
    }
    let smaller = sorted.reduce(0.0) { $0 + ($1 < truth ? 1 : $1 == truth ? 0.5 : 0) } / Double(n)
    pit[min(Self.classes - 1, Int(smaller * Double(Self.classes)))] += 1
    crpsSum += crps(sorted, truth: truth)
    let mean = sorted.reduce(0, +) / Double(n)
    errors += mean - truth
    squaredErrors += (mean - truth) * (mean - truth)
    variances += sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
    found.append(truth)
    addSteps(sorted, truth)
  }

  private mutating func addSteps(_ sorted: [Double], _ truth: Double) {
    let n = sorted.count
    if above.isEmpty {
      above = [Double](repeating: 0, count: n + 1)
      below = above
    }
    precondition(above.count == n + 1, "predictions have different numbers of samples")
    for i in 1..<n where n > 1 {
      let (low, high) = (sorted[i - 1], sorted[i])
      // alpha: the part of the step below what was found; beta: the part above.
      below[i] += min(max(truth - low, 0), high - low)
      above[i] += min(max(high - truth, 0), high - low)
    }
    if truth < sorted[0] {
      above[0] += sorted[0] - truth
      outside.low += 1
    }
    if truth > sorted[n - 1] {
      below[n] += truth - sorted[n - 1]
      outside.high += 1
    }
  }

  /// What came out.
  public struct Scores: Sendable, Hashable, Codable {
    public var count: Int
    /// Shares of the central intervals of `intervals` that hold what was found, and the intervals' mean widths.
    public var coverage, width: [Double]
    public var crps, reliability, resolution, uncertainty: Double
    public var bias, rmse: Double
    /// Root of the mean predictive variance.
    public var spread: Double
    /// Predictions by class of the probability integral transform.
    public var pit: [Int]
  }

  /// Of all predictions; `nil` before the first one.
  public var scores: Scores? {
    guard count > 0 else { return nil }
    let n = Double(count)
    let reliability = self.reliability
    let climatology = Self.climatology(found)
    let mean = crpsSum / n
    return Scores(
      count: count, coverage: covered.map { $0 / n }, width: widths.map { $0 / n }, crps: mean, reliability: reliability,
      resolution: climatology - (mean - reliability), uncertainty: climatology, bias: errors / n,
      rmse: (squaredErrors / n).squareRoot(), spread: (variances / n).squareRoot(), pit: pit)
  }

  private var reliability: Double {
    let (n, members) = (Double(count), above.count - 1)
    var sum = 0.0
    for i in 1..<members where members > 1 {
      let (alpha, beta) = (below[i] / n, above[i] / n)
      guard alpha + beta > 0 else { continue }
      let d = beta / (alpha + beta) - Double(i) / Double(members)
      // o is how often the truth is below the step's middle, which is beta's share.
      sum += (alpha + beta) * d * d
    }
    if outside.low > 0 {
      let o = outside.low / n
      sum += above[0] / n / o * o * o
    }
    if outside.high > 0 {
      let o = 1 - outside.high / n
      sum += below[members] / n / (1 - o) * (o - 1) * (o - 1)
    }
    return sum
  }

  /// CRPS of the climatology of what was found: half the mean difference of two of them.
  private static func climatology(_ found: [Double]) -> Double {
    let (sorted, n) = (found.sorted(), Double(found.count))
    var sum = 0.0
    for (i, x) in sorted.enumerated() { sum += (2 * Double(i) + 1 - n) * (x - sorted[0]) }
    return sum / (n * n)
  }
}
