public import DaunceMPI
import DaunceState

/// Ensemble mean of all elements and their covariances with some of them, `columns`: what a serial filter needs when
/// `columns` are the observed elements, or the whole matrix when they are all elements.
///
/// One reduction (``ExactSum``) adds up d_i and d_i d_j of deviations d = (x - reference) / unit over all members; each
/// pair is sent once. Then
///
///     mean_i = reference_i + unit_i * sum d_i / N
///     P_ij   = unit_i unit_j (sum d_i d_j - sum d_i sum d_j / N) / (N - 1)
///
/// Accuracy, range and the choice of reference and units are those of ``EnsembleStatistics``.
///
/// The object is a workspace: nothing is allocated after `init`, nor by ``select(columns:)`` while there are no more
/// columns than ever before.
public final class EnsembleCovariance {
  /// Number of elements of a row, n.
  public let width: Int
  /// Elements whose covariances with all elements are computed, p of them.
  public private(set) var columns: [Int] = []
  /// Ensemble mean (`[width]`).
  public private(set) var mean: [Double]
  /// Covariance, divided by N - 1, of element `columns[k]` with element i at `k * width + i`; zero for a single member
  /// (`[columns][width]`).
  public private(set) var covariance: [Double] = []

  private let distribution: Distribution
  private let communicator: Communicator
  private var deviations: Deviations
  private var sums = ExactSum(count: 0)
  /// All elements, the columns first: row k of the sums then covers positions k... and no pair twice.
  private var order: [Int] = []
  private var isColumn: [Bool]

  /// - Parameters:
  ///   - width: elements of a row.
  ///   - columns: distinct elements, the same on all ranks.
  ///   - distribution: which member's row is held here.
  ///   - communicator: of the ranks that hold the rows.
  ///   - reference: a value near the mean of each element, the same on all ranks (`[width]`); zero if empty.
  ///   - units: the magnitude of each element's deviations, the same on all ranks, positive (`[width]`); 1 if empty.
  ///     Only their binary exponent counts.
  public init(
    width: Int, columns: [Int], distribution: Distribution, communicator: Communicator,
    reference: [Double] = [], units: [Double] = []
  ) {
    self.width = width
    self.distribution = distribution
    self.communicator = communicator
    deviations = Deviations(count: width, reference: reference, units: units)
    mean = [Double](repeating: 0, count: width)
    isColumn = [Bool](repeating: false, count: width)
    order.reserveCapacity(width)
    arrange(columns)
  }

  /// Covariances of whole states, in units of the variables' scales.
  public convenience init(of ensemble: DistributedEnsemble, columns: [Int], reference: [Double] = []) {
    self.init(
      width: ensemble.layout.count, columns: columns, distribution: ensemble.distribution,
      communicator: ensemble.communicator, reference: reference.isEmpty ? ensemble.layout.spread(\.reference) : reference,
      units: ensemble.layout.spread(\.scale))
  }

  /// Takes other columns, such as the elements observed at another time.
  public func select(columns: [Int]) {
    if columns != self.columns { arrange(columns) }
  }

  /// Number of sums for `width` elements and `columns` columns: n + n p - p (p - 1) / 2.
  public static func sumCount(width: Int, columns: Int) -> Int {
    width + width * columns - columns * (columns - 1) / 2
  }

  private func arrange(_ columns: [Int]) {
    self.columns.removeAll(keepingCapacity: true)
    self.columns.append(contentsOf: columns)
    for i in 0..<width { isColumn[i] = false }
    for column in columns {
      precondition(!isColumn[column], "element \(column) is a column twice")
      isColumn[column] = true
    }
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: columns)
    for i in 0..<width where !isColumn[i] { order.append(i) }
    covariance.removeAll(keepingCapacity: true)
    covariance.append(contentsOf: repeatElement(0, count: columns.count * width))
    sums.reset(count: Self.sumCount(width: width, columns: columns.count))
  }

  /// Computes ``mean`` and ``covariance`` of all members' rows. Collective; one reduction.
  ///
  /// - Parameter rows: of the members held here, in order (`[local member][width]`).
  public func reduce(_ rows: [[Double]]) throws(MPIError) {
    precondition(rows.count == distribution.local.count, "one row for each member held here")
    sums.reset(count: sums.count)
    for row in rows {
      deviations.set(row.span, order: order)
      sums.add(deviations.values)
      for k in columns.indices {
        sums.add(deviations.values, from: k, times: deviations.values[k], at: start(ofRow: k))
      }
    }
    try sums.reduce(over: communicator)
    decode()
  }

  /// First sum of products with column `k`.
  private func start(ofRow k: Int) -> Int { Self.sumCount(width: width, columns: k) }

  private func decode() {
    let members = Double(distribution.members)
    let (width, sums, deviations, columns) = (width, sums, deviations, columns)
    mean.withUnsafeMutableBufferPointer { mean in
      covariance.withUnsafeMutableBufferPointer { covariance in
        order.withUnsafeBufferPointer { order in
          deviations.units.withUnsafeBufferPointer { units in
            for j in 0..<width { mean[order[j]] = deviations.restored(sums[j] / members, order[j]) }
            for k in columns.indices {
              let (start, sum) = (Self.sumCount(width: width, columns: k), sums[k])
              let (column, unit) = (columns[k], units[columns[k]])
              for j in k..<width {
                let i = order[j]
                let scatter = sums[start + j - k] - sum * sums[j] / members
                // Rounding must not make a variance negative; NaN stays.
                let bounded = j == k && scatter < 0 ? 0 : scatter
                let value = Deviations.unbiased(bounded, members) * (unit * units[i])
                covariance[k &* width &+ i] = value
                if j < columns.count { covariance[j &* width &+ column] = value }
              }
            }
          }
        }
      }
    }
  }
}
