internal import DaunceNumerics
internal import DaunceState

/// The projection in the dual: bounds and invariants by `ActiveSet`; nonlinear limits by sequential quadratic
/// programming on top of it, with their curvature as springs (`AugmentedCovariance`).
///
/// Every round linearises the limits at the present point and minimises the cost plus the curvature of the limits in
/// force, weighted by their multipliers: Newton's method on (2.8) and its constraints. Curvature is the diagonal of
/// the Hessian, found by a difference of gradients: exact for functions that are sums over elements, such as energies.
/// Of a convex function's lower limit the curvature is left out, which makes the round a restriction (a linearisation
/// nowhere exceeds the function) and the iteration a convex-concave one (Yuille & Rangarajan 2003). A line search on
/// cost plus weighted violation guards both.
final class DualProjection: ProjectionSolver {
  private static let roundLimit = 100
  /// Squared length of a last step, in standard deviations and relative to the cost.
  private static let tolerance = 1e-10

  private let check: ConstraintCheck
  private let set: ActiveSet
  private let metric: AugmentedCovariance
  private var functions: [ContinuedFunction]
  /// Multiplier of every restriction: positive for its upper limit, negative for its lower one.
  private var multipliers: [Double]
  private var gradient: [Double]
  private var nearby: [Double]
  private var xu: [Double]
  private var minimiser: [Double]
  /// Present point, and its force P^-1 (x - xu).
  private var x: [Double]
  private var force: [Double]
  /// The point that bounds and invariants alone ask for.
  private var linear: [Double]
  private var nextForce: [Double]
  private var trial: [Double]
  private var strength: [Double]
  private var scale: [Double]
  private var skipped: [Bool]
  /// The linearised limits of a round.
  private var cuts: [ActiveSet.Constraint] = []
  private var subproblems = 0

  init(_ check: ConstraintCheck) {
    self.check = check
    let order = check.constraints.lowerBounds.count
    set = ActiveSet(order: order)
    metric = AugmentedCovariance(order: order)
    functions = check.restrictions.map { ContinuedFunction($0.function, check: check) }
    multipliers = functions.map { _ in 0 }
    gradient = [Double](repeating: 0, count: order)
    (nearby, xu, minimiser, x) = (gradient, gradient, gradient, gradient)
    (force, nextForce, trial, strength, scale) = (gradient, gradient, gradient, gradient, gradient)
    linear = gradient
    skipped = check.constraints.invariants.map { _ in false }
    cuts.reserveCapacity(2 * functions.count)
    for (k, invariant) in check.constraints.invariants.enumerated() {
      set.setDense(k, to: invariant.coefficients)
    }
  }

  /// Place of a restriction's normal among the dense ones.
  private func slot(_ restriction: Int) -> Int { skipped.count + restriction }

  func solve(_ state: inout [Double], targets: [Double], covariance: any CovarianceOperator) -> ProjectionOutcome {
    // Rounding beyond a bound is not worth a projection.
    for bounds in check.bounded {
      let i = bounds.element
      let nearest = bounds.nearest(state[i])
      if abs(nearest - state[i]) <= 1e-12 * abs(nearest) { state[i] = nearest }
    }
    xu.copy(state)
    for k in skipped.indices { skipped[k] = false }
    for k in multipliers.indices { multipliers[k] = 0 }
    subproblems = 0

    set.start(at: xu, covariance: covariance)
    guard meetBounds() else { return finish(&state, isSolved: false, cost: 0) }
    x.copy(set.x)
    guard meetLinear(targets: targets) else { return finish(&state, isSolved: false, cost: 0) }
    takePoint()
    force.copy(nextForce)
    if violation(of: x) == 0 { return finish(&state, isSolved: true, cost: cost()) }
    let linearCost = cost()
    linear.copy(x)
    if descend(targets: targets, covariance: covariance) { return finish(&state, isSolved: true, cost: cost()) }
    if violation(of: x) == 0 { return finish(&state, isSolved: false, cost: cost()) }
    // What respects at least bounds and invariants.
    x.copy(linear)
    return finish(&state, isSolved: false, cost: linearCost)
  }

  /// Copies the active set's solution to `x` and its force to `nextForce`.
  private func takePoint() {
    x.copy(set.x)
    set.force(into: &nextForce)
  }

  /// `1/2 (x - xu)^T P^-1 (x - xu)` at the present point.
  private func cost() -> Double {
    let (force, x, xu) = (force, x, xu)
    var sum = 0.0
    for i in x.indices { sum += force[i] * (x[i] - xu[i]) }
    return sum / 2
  }

  private func finish(_ state: inout [Double], isSolved: Bool, cost: Double) -> ProjectionOutcome {
    var bounds = 0
    if isSolved {
      for constraint in set.active {
        guard case .element(let i) = constraint.normal else { continue }
        bounds += 1
        x[i] = constraint.sign * constraint.right
      }
    }
    check.clipToBounds(&x)
    state.copy(x)
    let isMet = isSolved && state.withSpan { check.areNonlinearMet($0) }
    return ProjectionOutcome(
      status: isMet ? .converged : .notConverged, cost: cost, activeBounds: bounds,
      activeBands: multipliers.count { $0 != 0 }, iterations: subproblems)
  }
}

// MARK: - Bounds and linear constraints

extension DualProjection {
  /// Adds violated bounds, the most violated first, until none is.
  private func meetBounds() -> Bool {
    for _ in 0..<(10 * check.bounded.count + 100) {
      let (worst, place) = worstBound()
      if place < 0 { return true }
      let element = check.bounded[place].element
      let bound = check.bounded[place].nearest(set.x[element])
      let sign: Double = set.x[element] < bound ? 1 : -1
      if worst <= 1e-14 * max(abs(bound), abs(set.unconstrained[element])) { return true }
      subproblems += 1
      switch set.add(.init(normal: .element(element), sign: sign, right: sign * bound, isEquality: false)) {
      case .added: break
      case .noVariance:
        set.fix(element, at: bound)
        xu[element] = bound
      case .noFreedom, .infeasible: return false
      }
    }
    return false
  }

  /// The largest excess over a bound that is not active, and the place of its element among the bounded ones, -1 where
  /// there is none.
  private func worstBound() -> (excess: Double, place: Int) {
    // Looked up once: a class's arrays are checked for exclusive access at every look.
    let (bounded, x, isActive) = (check.bounded, set.x, set.isActive)
    var (worst, place) = (0.0, -1)
    for (b, bounds) in bounded.enumerated() where !isActive[bounds.element] {
      let excess = bounds.excess(x[bounds.element])
      if excess > worst { (worst, place) = (excess, b) }
    }
    return (worst, place)
  }

  /// Meets bounds, invariants, and the linearised limits in `cuts`.
  private func meetLinear(targets: [Double], cuts: [ActiveSet.Constraint] = []) -> Bool {
    for _ in 0..<(10 * (check.bounded.count + skipped.count + cuts.count) + 100) {
      guard meetBounds() else { return false }
      if let k = violatedInvariant(targets) {
        let residual = set.x.withSpan { check.constraints.invariants[k].value(of: $0) } - targets[k]
        let sign: Double = residual < 0 ? 1 : -1
        subproblems += 1
        switch set.add(.init(normal: .dense(k), sign: sign, right: sign * targets[k], isEquality: true)) {
        case .added: break
        case .noVariance, .noFreedom: skipped[k] = true
        case .infeasible: return false
        }
        continue
      }
      guard let cut = cuts.first(where: { !set.isActive($0) && set.slack($0) < -1e-14 * abs($0.right) }) else {
        set.refine()
        return true
      }
      subproblems += 1
      guard case .added = set.add(cut) else { return false }
    }
    return false
  }

  private func violatedInvariant(_ targets: [Double]) -> Int? {
    for k in skipped.indices where !skipped[k] && !set.isDenseActive(k) {
      let residual = set.x.withSpan { check.constraints.invariants[k].value(of: $0) } - targets[k]
      if abs(residual) > set.x.withSpan({ check.tolerance(ofInvariant: k, at: $0) }) { return k }
    }
    return nil
  }
}

// MARK: - Nonlinear limits

extension DualProjection {
  /// Sequential quadratic programming from the present point; whether it converged.
  private func descend(targets: [Double], covariance: any CovarianceOperator) -> Bool {
    metric.start(covariance)
    for i in scale.indices { scale[i] = covariance.scale(i) }
    // The first round only estimates multipliers.
    var estimates = true
    var penalty = 0.0
    for _ in 0..<Self.roundLimit {
      let here = violation(of: x)
      guard here.isFinite else { return false }
      linearise(curved: !estimates)
      minimiser.copy(xu)
      metric.removeSprings()
      metric.setSprings(&strength, anchor: x, minimiser: &minimiser, scale: scale)
      set.start(at: minimiser, covariance: metric)
      guard meetLinear(targets: targets, cuts: cuts) else { return false }
      readMultipliers()
      if estimates {
        estimates = false
        if multipliers.contains(where: { $0 > 0 }) { continue }
      }
      set.force(into: &nextForce)
      for i in x.indices { nextForce[i] += strength[i] * (x[i] - set.x[i]) }

      // Along x + t (next - x): cost(t) = c0 + c1 t + c2 t^2.
      let c0 = cost()
      var (c1, c2) = (0.0, 0.0)
      for i in x.indices {
        let step = set.x[i] - x[i]
        c1 += force[i] * step
        c2 += (nextForce[i] - force[i]) * step / 2
      }
      penalty = max(penalty, multipliers.reduce(0) { max($0, 2 * abs($1)) })
      let predicted = penalty * here - c1 - c2
      var t = 1.0
      while true {
        for i in x.indices { trial[i] = x[i] + t * (set.x[i] - x[i]) }
        let there = violation(of: trial)
        // Newton's step is right near the end even where the penalty's kink would refuse it.
        let change = c1 * t + c2 * t * t + penalty * (there - here)
        if there <= here / 4 || change <= -1e-4 * t * max(0, predicted) { break }
        t /= 2
        if t < 1e-8 { return false }
      }
      let length = 2 * max(0, c2) * t * t
      for i in x.indices {
        x[i] = trial[i]
        force[i] += t * (nextForce[i] - force[i])
      }
      let isInside = violation(of: x) == 0
      if isInside && length <= Self.tolerance * (c0 + c1 * t + c2 * t * t) + 1e-24 { return true }
    }
    return false
  }

  /// Sum of the excesses over all limits, `nan` where a function is not a number; zero inside.
  private func violation(of point: [Double]) -> Double {
    var sum = 0.0
    for (k, restriction) in check.restrictions.enumerated() {
      let value = functions[k].value(of: point)
      if value > restriction.upper {
        sum += value - restriction.upper
      } else if !(value >= restriction.lower) {
        sum += restriction.lower - value
      }
    }
    return sum
  }

  /// Linearises all limits at the present point to `cuts`, and writes the curvature of those in force to `strength`.
  private func linearise(curved: Bool) {
    for i in strength.indices { strength[i] = 0 }
    cuts.removeAll(keepingCapacity: true)
    for (k, restriction) in check.restrictions.enumerated() {
      if curved && multipliers[k] > 0 {
        for i in x.indices { trial[i] = x[i] + 1e-5 * scale[i] }
        _ = functions[k].value(of: trial, gradient: &nearby)
      }
      let value = functions[k].value(of: x, gradient: &gradient)
      if curved && multipliers[k] > 0 {
        for i in x.indices where scale[i] > 0 {
          strength[i] += multipliers[k] * max(0, (nearby[i] - gradient[i]) / (1e-5 * scale[i]))
        }
      }
      set.setDense(slot(k), to: gradient)
      var along = 0.0
      for i in x.indices { along += gradient[i] * x[i] }
      // value + g (y - x) <= upper, as -g y >= value - g x - upper; and the other way round.
      if restriction.upper < .infinity {
        cuts.append(
          .init(
            normal: .dense(slot(k)), sign: -1, right: value - along - (restriction.upper - restriction.margin),
            isEquality: false))
      }
      if restriction.lower > -.infinity {
        cuts.append(
          .init(
            normal: .dense(slot(k)), sign: 1, right: restriction.lower + restriction.margin - value + along,
            isEquality: false))
      }
    }
  }

  private func readMultipliers() {
    for k in multipliers.indices { multipliers[k] = -set.multiplier(ofDense: slot(k)) }
  }
}
