internal import Foundation

/// The entropic transport plan between equal weights and given ones (Cuturi 2013),
///
///     P = argmin sum_ij P_ij C_ij + eps sum_ij P_ij (log P_ij - 1),   sum_j P_ij = 1 / N,   sum_i P_ij = w_j,
///
/// in the logarithmic domain: P_ij = exp((f_i + g_j - C_ij) / eps). Scalings of a kernel take the place of most
/// exponentials, and are taken into the potentials f and g before they leave the range of numbers.
public final class Sinkhorn {
  /// Number of points on either side.
  public let count: Int
  /// The plan (`[i][j]`).
  public private(set) var plan: [Double]
  /// Iterations of the last solution.
  public private(set) var iterations = 0
  private var kernel: [Double]
  private var f, g, u, v: [Double]

  /// Iterations between two looks at the scalings.
  private static let stretch = 10
  /// Scalings beyond this or its inverse are taken into the potentials.
  private static let range = 1e30

  /// Room for so many points.
  public init(count: Int) {
    self.count = count
    plan = [Double](repeating: 0, count: count * count)
    kernel = plan
    f = [Double](repeating: 0, count: count)
    (g, u, v) = (f, f, f)
  }

  /// Finds the plan.
  ///
  /// - Parameters:
  ///   - cost: `[i][j]`.
  ///   - weights: of sum one (`[j]`); those of less than 1e-300 count as that.
  ///   - regularisation: eps, in the unit of the cost, positive.
  ///   - tolerance: largest error of a row's sum, as a share of it.
  public func solve(
    cost: [Double], weights: [Double], regularisation: Double, tolerance: Double = 1e-6, mostIterations: Int = 2000
  ) {
    let n = count
    let inverse = 1 / regularisation
    for i in 0..<n {
      f[i] = (0..<n).reduce(.infinity) { min($0, cost[i * n + $1]) }
      (g[i], u[i], v[i]) = (0, 1, 1)
    }
    makeKernel(cost, inverse)
    iterations = 0
    let share = 1 / Double(n)
    var error = Double.infinity
    while error > tolerance, iterations < mostIterations {
      var isNear = true
      for _ in 0..<Self.stretch where isNear {
        columns(weights)
        error = rows(share)
        iterations += 1
        isNear = error > tolerance && u.allSatisfy { $0 < Self.range && $0 > 1 / Self.range }
          && v.allSatisfy { $0 < Self.range && $0 > 1 / Self.range }
      }
      guard error > tolerance else { break }
      absorb(cost, regularisation)
    }
    for i in 0..<n { for j in 0..<n { plan[i * n + j] = u[i] * kernel[i * n + j] * v[j] } }
  }

  private func makeKernel(_ cost: [Double], _ inverse: Double) {
    let n = count
    for i in 0..<n { for j in 0..<n { kernel[i * n + j] = exp((f[i] + g[j] - cost[i * n + j]) * inverse) } }
  }

  private func absorb(_ cost: [Double], _ regularisation: Double) {
    for i in 0..<count {
      f[i] += regularisation * log(u[i])
      g[i] += regularisation * log(v[i])
      (u[i], v[i]) = (1, 1)
    }
    makeKernel(cost, 1 / regularisation)
  }

  /// v = w / (K^T u)
  private func columns(_ weights: [Double]) {
    let n = count
    for j in 0..<n { v[j] = 0 }
    for i in 0..<n {
      let factor = u[i]
      for j in 0..<n { v[j] += factor * kernel[i * n + j] }
    }
    for j in 0..<n { v[j] = max(weights[j], 1e-300) / max(v[j], 1e-300) }
  }

  /// u = 1 / (N K v); the largest relative error that the rows had before.
  private func rows(_ share: Double) -> Double {
    let n = count
    var worst = 0.0
    for i in 0..<n {
      var sum = 0.0
      for j in 0..<n { sum += kernel[i * n + j] * v[j] }
      worst = max(worst, abs(u[i] * sum / share - 1))
      u[i] = share / max(sum, 1e-300)
    }
    return worst
  }
}
