public import DaunceNumerics

/// A Bayesian update of one observed quantity.
public protocol ScalarUpdate: AnyObject {
  /// Moves the members' h(x) to samples of p(h | y).
  ///
  /// - Parameters:
  ///   - values: the members' h(x) less their mean (`[members]`), of spread.
  ///   - moved: room for the new ones, about the same mean (`[members]`).
  ///   - innovation: observed minus mean.
  ///   - errorVariance: of the observation.
  func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, errorVariance: Double,
    noise: RandomStream)
}

/// A scalar update, and what is not observed: everything follows h by local linear regression on the members,
///
///     x_m = x_m + L(h'_m) - L(h_m),   L(h) = <x> + cov(x, h) / var(h) (h - <h>),
///
/// with mean, covariance and variance in a window around the member that is nearest to h. Without a window it is the
/// regression of the serial filters (Anderson 2003), the same for all members. What is observed itself goes where the
/// update puts it.
public final class RegressedUpdate: NonlinearUpdate {
  private let update: any ScalarUpdate
  /// Standard deviation of the window, in that of h; `nil`: no window.
  private let window: Double?
  private let moved: Workspace<Double>
  private let neighbourhoods: Neighbourhoods

  /// - Parameter window: standard deviation of the window, in that of h; `nil`: no window.
  public init(_ update: any ScalarUpdate, members: Int, window: Double?) {
    (self.update, self.window) = (update, window)
    moved = Workspace(repeating: 0, count: members)
    neighbourhoods = Neighbourhoods(members: members, least: Neighbourhoods.forSlopes)
  }

  /// Fills the matrix of the scalar update of the one observation that `problem` has to have; see `NonlinearUpdate`.
  public func solve(_ problem: ObservedProblem, noise: RandomStream, into matrix: MemberMatrix) {
    let n = problem.members
    precondition(problem.count == 1, "one observation at a time")
    let h = problem.row(0)
    let spread = (Lanes4.dot(h, h, problem.stride) / Double(n - 1)).squareRoot()
    let new = moved.start
    update.update(
      h, into: new, innovation: problem.innovations[0], errorVariance: problem.errorVariances[0], noise: noise)
    guard let window else { return regress(h, new, spread, matrix) }
    neighbourhoods.take(h, width: window * spread)
    for m in 0..<n {
      add(1, at: new[m], around: neighbourhoods.nearest(to: new[m]), h, member: m, to: matrix)
      add(-1, at: h[m], around: m, h, member: m, to: matrix)
    }
  }

  /// T = 1 + h (h' - h)^T / |h|^2
  private func regress(
    _ h: UnsafePointer<Double>, _ new: UnsafePointer<Double>, _ spread: Double, _ matrix: MemberMatrix
  ) {
    let n = matrix.members
    let inverse = 1 / (spread * spread * Double(n - 1))
    for i in 0..<n { for m in 0..<n { matrix[i, m] += inverse * h[i] * (new[m] - h[m]) } }
  }

  private func add(
    _ sign: Double, at place: Double, around i: Int, _ h: UnsafePointer<Double>, member m: Int, to matrix: MemberMatrix
  ) {
    let (mean, weights, n) = (neighbourhoods.means.start[i], neighbourhoods[i], matrix.members)
    var variance = 0.0
    for j in 0..<n { variance += weights[j] * (h[j] - mean) * (h[j] - mean) }
    // A member that is alone has no slope.
    let slope = variance > 0 ? (place - mean) / variance : 0
    let column = matrix.values + m
    for j in 0..<n { column[j &* matrix.stride] += sign * weights[j] * (1 + slope * (h[j] - mean)) }
  }
}
