internal import CNLopt
internal import DaunceNumerics
internal import DaunceState

/// The projection by general sequential quadratic programming (NLopt's SLSQP), in whitened variables: x = xu + X z with
/// Pa = X X^T (remark 1), so the cost is |z|^2 / 2 and directions without variance are not there at all.
final class SLSQPProjection: ProjectionSolver {
  /// Evaluations after which the best point is taken.
  private static let evaluationLimit: Int32 = 1000

  private let check: ConstraintCheck
  private let order: Int
  private var functions: [ContinuedFunction]
  private var equalities: [ContinuedFunction]
  private var xu: [Double]
  private var x: [Double]
  private var gradient: [Double]
  private var reduced: [Double] = []
  private var matrix: [Double]
  private var root: [Double] = []
  private var rank = 0
  /// Bounds of elements with variance, and the elements' standard deviations; upper bounds have a side of -1.
  private var bounds: [(element: Int, bound: Double, side: Double, deviation: Double)] = []
  /// Invariants that Pa leaves free, each as scaled gradient in z and right-hand side.
  private var invariants: [(gradient: [Double], right: Double)] = []
  private var evaluations = 0

  init(_ check: ConstraintCheck) {
    self.check = check
    order = check.constraints.lowerBounds.count
    functions = check.restrictions.map { ContinuedFunction($0.function, check: check) }
    equalities = check.constraints.equalities.map { ContinuedFunction($0, check: check) }
    xu = [Double](repeating: 0, count: order)
    x = xu
    gradient = xu
    matrix = [Double](repeating: 0, count: order * order)
  }

  func solve(_ state: inout [Double], targets: [Double], covariance: any CovarianceOperator) -> ProjectionOutcome {
    whiten(covariance)
    for i in 0..<order { xu[i] = state[i] }
    bounds.removeAll(keepingCapacity: true)
    for bounded in check.bounded {
      let i = bounded.element
      let deviation = matrix[i * order + i].squareRoot()
      if deviation > 0 {
        if bounded.lower > -.infinity { bounds.append((i, bounded.lower, 1, deviation)) }
        if bounded.upper < .infinity { bounds.append((i, bounded.upper, -1, deviation)) }
      } else {
        xu[i] = bounded.nearest(xu[i])
      }
    }
    prepareInvariants(targets)

    var z = [Double](repeating: 0, count: rank)
    let isSolved = rank > 0 && minimise(&z)
    place(z.span)
    check.clipToBounds(&x)
    for i in 0..<order { state[i] = x[i] }
    var cost = 0.0
    for value in z { cost += value * value / 2 }
    let activeBounds = bounds.reduce(0) { count, bound in
      let slack = bound.side * (state[bound.element] - bound.bound)
      return count + (slack <= 1e-7 * bound.deviation ? 1 : 0)
    }
    let activeBands = check.restrictions.reduce(0) { count, restriction in
      let value = restriction.function.value(of: state.span)
      let distance = min(value - restriction.lower, restriction.upper - value)
      return count + (distance <= 10 * restriction.margin ? 1 : 0)
    }
    let isMet = isSolved && check.areNonlinearMet(state.span)
    return ProjectionOutcome(
      status: isMet ? .converged : .notConverged, cost: cost, activeBounds: activeBounds, activeBands: activeBands,
      iterations: evaluations)
  }

  private func whiten(_ covariance: any CovarianceOperator) {
    for i in 0..<order {
      for j in 0..<order { gradient[j] = 0 }
      let range = gradient.withMutableSpan { covariance.column(i, into: &$0) }
      for j in 0..<order { matrix[i * order + j] = range.contains(j) ? gradient[j] : 0 }
    }
    let factor = matrix.withSpan { PivotedCholesky($0, order: order) }
    rank = factor.rank
    root = factor.root
    reduced = [Double](repeating: 0, count: rank)
  }

  /// Scales the invariants in z and leaves out those that Pa cannot change or that others determine.
  private func prepareInvariants(_ targets: [Double]) {
    invariants.removeAll(keepingCapacity: true)
    var basis: [[Double]] = []
    for (k, invariant) in check.constraints.invariants.enumerated() {
      var row = pullBack(invariant.coefficients)
      let length = norm(row)
      var size = 0.0
      for i in 0..<order { size += invariant.coefficients[i] * invariant.coefficients[i] * matrix[i * order + i] }
      guard length * length > 1e-13 * size else { continue }
      let residual = (targets[k] - xu.withSpan { invariant.value(of: $0) }) / length
      for j in row.indices { row[j] /= length }
      var rest = row
      for direction in basis {
        var overlap = 0.0
        for j in rest.indices { overlap += rest[j] * direction[j] }
        for j in rest.indices { rest[j] -= overlap * direction[j] }
      }
      let remainder = norm(rest)
      guard remainder > 1e-7 else { continue }
      basis.append(rest.map { $0 / remainder })
      invariants.append((row, residual))
    }
  }

  private func norm(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// `X^T g`: a gradient in x as one in z.
  private func pullBack(_ g: [Double]) -> [Double] {
    reduced.withMutableSpan { target in
      root.withSpan { root in
        LinearAlgebra.multiplyTransposed(root, rows: order, columns: rank, by: g.span, into: &target)
      }
    }
    return reduced
  }

  /// x = xu + X z
  private func place(_ z: Span<Double>) {
    for i in 0..<order { x[i] = xu[i] }
    guard rank > 0 else { return }
    x.withMutableSpan { target in
      root.withSpan { root in
        LinearAlgebra.multiply(root, rows: order, columns: rank, by: z, into: &target, beta: 1)
      }
    }
  }

  private func minimise(_ z: inout [Double]) -> Bool {
    guard let problem = nlopt_create(NLOPT_LD_SLSQP, UInt32(rank)) else { return false }
    defer { nlopt_destroy(problem) }
    evaluations = 0
    let context = Unmanaged.passUnretained(self).toOpaque()
    nlopt_set_min_objective(
      problem,
      { count, z, gradient, context in
        guard let z, let context else { return .nan }
        let solver = Unmanaged<SLSQPProjection>.fromOpaque(context).takeUnretainedValue()
        solver.evaluations += 1
        var sum = 0.0
        for j in 0..<Int(count) {
          sum += z[j] * z[j]
          gradient?[j] = z[j]
        }
        return sum / 2
      }, context)
    let inequalities = bounds.count + limits.count
    if inequalities > 0 {
      nlopt_add_inequality_mconstraint(
        problem, UInt32(inequalities),
        { _, result, count, z, gradient, context in
          guard let z, let result, let context else { return }
          Unmanaged<SLSQPProjection>.fromOpaque(context).takeUnretainedValue()
            .evaluateInequalities(UnsafeBufferPointer(start: z, count: Int(count)), result, gradient)
        }, context, nil)
    }
    let equal = invariants.count + equalities.count
    if equal > 0 {
      nlopt_add_equality_mconstraint(
        problem, UInt32(equal),
        { _, result, count, z, gradient, context in
          guard let z, let result, let context else { return }
          Unmanaged<SLSQPProjection>.fromOpaque(context).takeUnretainedValue()
            .evaluateEqualities(UnsafeBufferPointer(start: z, count: Int(count)), result, gradient)
        }, context, nil)
    }
    nlopt_set_ftol_rel(problem, 1e-13)
    nlopt_set_xtol_rel(problem, 1e-11)
    nlopt_set_maxeval(problem, Self.evaluationLimit)
    var cost = 0.0
    let status = withExtendedLifetime(self) { nlopt_optimize(problem, &z, &cost) }
    // A step that rounding limits is as good as it gets; the caller checks the constraints.
    let isUsable = status.rawValue > 0 || status == NLOPT_ROUNDOFF_LIMITED
    return isUsable && status != NLOPT_MAXEVAL_REACHED && z.allSatisfy(\.isFinite)
  }

  /// Restrictions with a finite limit, one entry for each limit; `side` is 1 for the upper one.
  private var limits: [(restriction: Int, side: Double, limit: Double)] {
    check.restrictions.enumerated().flatMap { k, restriction in
      var found: [(restriction: Int, side: Double, limit: Double)] = []
      if restriction.upper < .infinity { found.append((k, 1, restriction.upper - restriction.margin)) }
      if restriction.lower > -.infinity { found.append((k, -1, restriction.lower + restriction.margin)) }
      return found
    }
  }

  private func evaluateInequalities(
    _ z: UnsafeBufferPointer<Double>, _ result: UnsafeMutablePointer<Double>, _ jacobian: UnsafeMutablePointer<Double>?
  ) {
    place(z.span)
    for (c, bound) in bounds.enumerated() {
      result[c] = bound.side * (bound.bound - x[bound.element]) / bound.deviation
      if let jacobian {
        for j in 0..<rank { jacobian[c * rank + j] = -bound.side * root[bound.element * rank + j] / bound.deviation }
      }
    }
    for (c, limit) in limits.enumerated() {
      let row = bounds.count + c
      let scale = 1e-9 / check.restrictions[limit.restriction].margin
      let value = functions[limit.restriction].value(of: x, gradient: &gradient)
      result[row] = limit.side * scale * (value - limit.limit)
      if let jacobian {
        let pulled = pullBack(gradient)
        for j in 0..<rank { jacobian[row * rank + j] = limit.side * scale * pulled[j] }
      }
    }
  }

  private func evaluateEqualities(
    _ z: UnsafeBufferPointer<Double>, _ result: UnsafeMutablePointer<Double>, _ jacobian: UnsafeMutablePointer<Double>?
  ) {
    for (c, invariant) in invariants.enumerated() {
      var sum = -invariant.right
      for j in 0..<rank { sum += invariant.gradient[j] * z[j] }
      result[c] = sum
      if let jacobian {
        for j in 0..<rank { jacobian[c * rank + j] = invariant.gradient[j] }
      }
    }
    guard !equalities.isEmpty else { return }
    place(z.span)
    for c in equalities.indices {
      let row = invariants.count + c
      result[row] = equalities[c].value(of: x, gradient: &gradient)
      if let jacobian {
        let pulled = pullBack(gradient)
        for j in 0..<rank { jacobian[row * rank + j] = pulled[j] }
      }
    }
  }
}
