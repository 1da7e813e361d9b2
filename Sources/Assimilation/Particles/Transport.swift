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

    /// See the properties.
    public init(regularisation: Double? = nil, secondOrder: Bool = true) {
      (self.regularisation, self.secondOrder) = (regularisation, secondOrder)
    }
  }

  private let settings: Settings
  private let sinkhorn: Sinkhorn
  private var coupling: WeightCoupling
  private let root: SymmetricRoot
  private let polar: PolarFactor
  private var turned: [Double]
  private let monotone: MonotonePlan

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    sinkhorn = Sinkhorn(count: members)
    coupling = WeightCoupling(members: members)
    root = SymmetricRoot(order: members)
    polar = PolarFactor(order: members)
    turned = [Double](repeating: 0, count: members * members)
    monotone = MonotonePlan(members: members)
  }

  /// Fills the matrix of the transport; see `NonlinearUpdate`.
  public func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix) {
    let n = problem.members
    guard problem.count > 1 || settings.regularisation != nil else { return keepOrder(problem, matrix) }
    coupling.take(problem)
    coupling.couple(by: sinkhorn, regularisation: settings.regularisation ?? 0.02)
    for i in 0..<n { for j in 0..<n { matrix[i, j] = Double(n) * sinkhorn.plan[j * n + i] } }
    if settings.secondOrder { correct(matrix, coupling.weights.values) }
  }

  /// One quantity: without entropy, and the second order element by element.
  private func keepOrder(_ problem: ObservedProblem, _ matrix: MemberMatrix) {
    coupling.weigh(problem)
    matrix.setSparse()
    let weights = coupling.weights.values
    monotone.forEachPair(problem.row(0), weights: weights) { share, old, new in matrix.add(share, of: old, in: new) }
    if settings.secondOrder { matrix.setWeights(weights, leastSize: 1.001) }
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
