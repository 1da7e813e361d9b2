public import DaunceMPI
import DaunceState

/// Ensemble mean and spread of every element of rows that the members hold: states, or any other fields, one row of
/// `width` numbers for each member.
///
/// One reduction (``ExactSum``) adds up d and d^2 of deviations d = (x - reference) / unit over all members:
///
///     mean     = reference + unit * sum d / N
///     variance = unit^2 * (sum d^2 - (sum d)^2 / N) / (N - 1)
///
/// The sums are exact but for the rounding of each d^2, so the variance loses accuracy only as the distance of mean and
/// reference exceeds the spread: its relative error is about 2^-52 (1 + (mean - reference)^2 / variance). A reference
/// of zero is fine for anomalies; for a temperature of 300 K with a spread of 0.1 K take a climatological mean. The
/// reference has to be the same on all ranks, and independent of the history of the run if a resumed run is to give the
/// same bits.
///
/// Elements with a deviation of 2^10 units or more, infinite or NaN in any member get a variance of NaN (from 2^20
/// units a mean of NaN), the others are unaffected. Spreads below about 1e-11 units are resolved as zero.
///
/// The object is a workspace: after `init` nothing is allocated.
public final class EnsembleStatistics {
  /// Number of elements of a row.
  public let width: Int
  /// Ensemble mean, in the unit of the rows (`[width]`).
  public private(set) var mean: [Double]
  /// Ensemble variance, divided by N - 1; zero for a single member (`[width]`).
  public private(set) var variance: [Double]
  /// Standard deviation, the square root of ``variance`` (`[width]`).
  public private(set) var spread: [Double]

  private let distribution: Distribution
  private let communicator: Communicator
  private var deviations: Deviations
  private var squares: [Double]
  private var sums: ExactSum

  /// - Parameters:
  ///   - width: elements of a row.
  ///   - distribution: which member's row is held here.
  ///   - communicator: of the ranks that hold the rows.
  ///   - reference: a value near the mean of each element, the same on all ranks (`[width]`); zero if empty.
  ///   - units: the magnitude of each element's deviations, the same on all ranks, positive (`[width]`); 1 if empty.
  ///     Only their binary exponent counts.
  public init(
    width: Int, distribution: Distribution, communicator: Communicator, reference: [Double] = [],
    units: [Double] = []
  ) {
    self.width = width
    self.distribution = distribution
    self.communicator = communicator
    deviations = Deviations(count: width, reference: reference, units: units)
    mean = [Double](repeating: 0, count: width)
    (variance, spread, squares) = (mean, mean, mean)
    sums = ExactSum(count: 2 * width)
  }

  /// Statistics of whole states, in units of the variables' scales.
  public convenience init(of ensemble: DistributedEnsemble, reference: [Double] = []) {
    self.init(
      width: ensemble.layout.count, distribution: ensemble.distribution,
      communicator: ensemble.communicator, reference: reference.isEmpty ? ensemble.layout.spread(\.reference) : reference,
      units: ensemble.layout.spread(\.scale))
  }

  /// Computes ``mean``, ``variance`` and ``spread`` of all members' rows. Collective; one reduction.
  ///
  /// - Parameter rows: of the members held here, in order (`[local member][width]`).
  public func reduce(_ rows: [[Double]]) throws(MPIError) {
    precondition(rows.count == distribution.local.count, "one row for each member held here")
    sums.reset(count: 2 * width)
    for row in rows { add(row.span) }
    try finish()
  }

  /// The same of rows in one flat buffer (`[local member][width]`).
  public func reduce(flat rows: Span<Double>) throws(MPIError) {
    precondition(rows.count == distribution.local.count * width, "one row for each member held here")
    sums.reset(count: 2 * width)
    for i in 0..<distribution.local.count {
      add(rows.extracting(i * width..<(i + 1) * width))
    }
    try finish()
  }

  private func add(_ row: Span<Double>) {
    deviations.set(row)
    deviations.squares(into: &squares)
    sums.add(deviations.values)
    sums.add(squares, at: width)
  }

  private func finish() throws(MPIError) {
    try sums.reduce(over: communicator)
    let members = Double(distribution.members)
    let (width, sums, deviations) = (width, sums, deviations)
    mean.withUnsafeMutableBufferPointer { mean in
      variance.withUnsafeMutableBufferPointer { variance in
        spread.withUnsafeMutableBufferPointer { spread in
          for j in 0..<width {
            let sum = sums[j]
            mean[j] = deviations.restored(sum / members, j)
            let scatter = sums[width + j] - sum * sum / members
            // Rounding must not make a variance negative; NaN stays.
            let bounded = scatter < 0 ? 0 : scatter
            variance[j] = Deviations.unbiased(bounded, members) * (deviations.units[j] * deviations.units[j])
            spread[j] = variance[j].squareRoot()
          }
        }
      }
    }
  }
}
