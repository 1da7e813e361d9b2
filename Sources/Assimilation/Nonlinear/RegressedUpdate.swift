public import DaunceNumerics

/// A Bayesian update of one observed quantity.
public protocol ScalarUpdate: AnyObject {
  /// Moves the members' h(x) to samples of p(h | y).
  ///
  /// - Parameters:
  ///   - values: the members' h(x) less their mean (`[PartialEnsemble.stride]`, zero behind the members), of spread.
  ///   - moved: room for the new ones, about the same mean (`[members]`).
  ///   - innovation: observed minus mean.
  ///   - error: of the observation.
  func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
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
      h, into: new, innovation: problem.innovations[0], error: problem.errors[0], noise: noise)
    guard let window else { return regress(h, new, spread, matrix) }
    neighbourhoods.take(h, width: window * spread)
    for m in 0..<n { move(m, h, to: new[m], matrix) }
  }

  /// T = 1 + h (h' - h)^T / |h|^2
  private func regress(
    _ h: UnsafePointer<Double>, _ new: UnsafePointer<Double>, _ spread: Double, _ matrix: MemberMatrix
  ) {
    let n = matrix.members
    let inverse = 1 / (spread * spread * Double(n - 1))
    for i in 0..<n { for m in 0..<n { matrix[i, m] += inverse * h[i] * (new[m] - h[m]) } }
  }

  /// Column m of T: x_m + L(h'_m) - L(h_m).
  private func move(_ m: Int, _ h: UnsafePointer<Double>, to place: Double, _ matrix: MemberMatrix) {
    let there = neighbourhoods.nearest(to: place)
    let (new, old) = (line(around: there, at: place), line(around: m, at: h[m]))
    let (arrival, departure) = (neighbourhoods[there], neighbourhoods[m])
    let (column, n, stride) = (matrix.values + m, matrix.members, matrix.stride)
    typealias Lanes = Lanes4.Vector
    let (newLevel, newSlope) = (Lanes(repeating: new.level), Lanes(repeating: new.slope))
    let (oldLevel, oldSlope) = (Lanes(repeating: old.level), Lanes(repeating: old.slope))
    @inline(__always) func lanes(_ row: UnsafePointer<Double>, _ j: Int) -> Lanes {
      UnsafeRawPointer(row + j).loadUnaligned(as: Lanes.self)
    }
    for j in Swift.stride(from: 0, to: n, by: 4) {
      let place = lanes(h, j)
      let gained = lanes(arrival, j) * (newLevel + newSlope * place)
      let change = gained - lanes(departure, j) * (oldLevel + oldSlope * place)
      for lane in 0..<min(4, n &- j) { column[(j &+ lane) &* stride] += change[lane] }
    }
  }

  /// What the regression around member `i` makes of each member's weight at a place: a level, and a slope in its h.
  private func line(around i: Int, at place: Double) -> (level: Double, slope: Double) {
    let (mean, square) = (neighbourhoods.means.start[i], neighbourhoods.squares.start[i])
    // A member that is alone has no slope.
    let slope = square > 0 ? (place - mean) / square : 0
    return (1 - slope * mean, slope)
  }
}
