public import DaunceNumerics

/// Ensemble transform by entropic optimal transport (Reich 2013, with the entropic plan): importance weights are turned
/// into new members by the plan that couples equal weights to them at the least squared distance,
///
///     x_j = N sum_n P_jn x_n
///
/// The averages have the weighted mean to the bit of rounding, and too little spread: by `secondOrder` their anomalies
/// get the weighted covariance as well, turned as little as possible (de Wiljes, Acevedo & Reich 2017 ask the same of
/// a Riccati equation): of several observations T = w 1^T + sqrt((N - 1) W) Q, W = (diag(w) - w w^T) / (1 - sum w^2), Q the orthogonal matrix nearest to the plan's;
/// of a single one every element gets its own weighted variance.
public final class Transport: NonlinearUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// eps over the members' mean squared distance; `nil`: none for a single observation, whose plan is then a matter of order,
    /// and 0.02 for several.
    public var regularisation: Double?
    /// Whether the new members get the weighted covariance.
    public var secondOrder: Bool
    /// Of a single observation: standard deviation of what tells new members of the same old ones apart, in that of their
    /// neighbours.
    public var jitter: Double

    /// See the properties.
    public init(regularisation: Double? = nil, secondOrder: Bool = true, jitter: Double = 0) {
      (self.regularisation, self.secondOrder, self.jitter) = (regularisation, secondOrder, jitter)
    }
  }

  private let settings: Settings
  private let sinkhorn: Sinkhorn
  private var coupling: WeightCoupling
  private let root: SymmetricRoot
  private let polar: PolarFactor
  private var turned: [Double]
  private let order: MemberOrder

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    sinkhorn = Sinkhorn(count: members)
    coupling = WeightCoupling(members: members)
    root = SymmetricRoot(order: members)
    polar = PolarFactor(order: members)
    turned = [Double](repeating: 0, count: members * members)
    order = MemberOrder(members: members)
  }

  /// Fills the matrix of the transport; see `NonlinearUpdate`.
  public func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix) {
    let n = problem.members
    guard problem.count > 1 || settings.regularisation != nil else { return keepOrder(problem, noise, matrix) }
    coupling.take(problem)
    coupling.couple(by: sinkhorn, regularisation: settings.regularisation ?? 0.02)
    for i in 0..<n { for j in 0..<n { matrix[i, j] = Double(n) * sinkhorn.plan[j * n + i] } }
    if settings.secondOrder { correct(matrix, coupling.weights.values) }
  }

  /// One quantity: without entropy, and the second order element by element.
  private func keepOrder(_ problem: ObservedProblem, _ noise: RandomStream, _ matrix: MemberMatrix) {
    coupling.weigh(problem)
    matrix.setSparse()
    let weights = coupling.weights
    order.sort(problem.row(0))
    weights.values.withUnsafeBufferPointer {
      guard let start = $0.baseAddress else { return }
      order.forEachPair(to: order, weights: start) { share, old, new in matrix.add(share, of: old, in: new) }
    }
    if settings.secondOrder { matrix.setWeights(weights.values, leastSize: 1.001) }
    let lost = 1 - weights.effectiveSize / Double(problem.members)
    if settings.jitter > 0, lost > 0 { tellApart(settings.jitter * (0.5 * lost).squareRoot(), problem, noise, matrix) }
  }

  /// Adds to every new member that comes from where the one before it comes from a difference of two members that are near it
  /// in h (ter Braak 2006 moves his chains so).
  private func tellApart(_ scale: Double, _ problem: ObservedProblem, _ noise: RandomStream, _ matrix: MemberMatrix) {
    let n = problem.members
    let reach = min(max(2, n / 5), n - 1)
    // Places are in ascending order of h; half of a new member is from below its old one.
    var (old, left, last) = (0, coupling.weights.values[order[0]] * Double(n), -1)
    for place in 0..<n {
      while old < n - 1, left < 0.5 {
        old += 1
        left += coupling.weights.values[order[old]] * Double(n)
      }
      left -= 1
      defer { last = old }
      guard old == last else { continue }
      let low = min(max(0, old - reach / 2), n - 1 - reach)
      let (a, b) = noise.integer(below: (reach + 1) * (reach + 1), at: place).quotientAndRemainder(dividingBy: reach + 1)
      matrix.add(scale, of: order[low + a], in: order[place])
      matrix.add(-scale, of: order[low + b], in: order[place])
    }
  }

  /// Gives the anomalies the weighted covariance.
  private func correct(_ matrix: MemberMatrix, _ w: [Double]) {
    let n = matrix.members
    let concentration = w.reduce(0) { $0 + $1 * $1 }
    let scale = Double(n - 1) / (concentration < 0.999 ? 1 - concentration : 1)
    for i in 0..<n { for j in 0..<n { root.matrix[i * n + j] = scale * ((i == j ? w[i] : 0) - w[i] * w[j]) } }
    root.take()
    // S (T - w 1^T); sums over old and new members are zero but for what the plan is off.
    for i in 0..<n { for j in 0..<n { matrix[i, j] -= w[i] } }
    for i in 0..<n {
      for j in 0..<n {
        var sum = 0.0
        for k in 0..<n { sum += root.matrix[i * n + k] * matrix[k, j] }
        polar.matrix[i * n + j] = sum
      }
    }
    // Ones stay as they are.
    centre(&polar.matrix, n)
    for i in polar.matrix.indices { polar.matrix[i] += 1 / Double(n) }
    polar.take()
    for i in 0..<n {
      for j in 0..<n {
        var sum = 0.0
        for k in 0..<n { sum += root.matrix[i * n + k] * polar.matrix[k * n + j] }
        turned[i * n + j] = sum
      }
    }
    // The root of a number that rounding has left of zero is not that small.
    centre(&turned, n)
    for i in 0..<n { for j in 0..<n { matrix[i, j] = w[i] + turned[i * n + j] } }
  }

  /// Takes the means off rows and columns.
  private func centre(_ matrix: inout [Double], _ n: Int) {
    for i in 0..<n {
      let mean = (0..<n).reduce(0) { $0 + matrix[i * n + $1] } / Double(n)
      for j in 0..<n { matrix[i * n + j] -= mean }
    }
    for j in 0..<n {
      let mean = (0..<n).reduce(0) { $0 + matrix[$1 * n + j] } / Double(n)
      for i in 0..<n { matrix[i * n + j] -= mean }
    }
  }
}
