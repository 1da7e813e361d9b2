internal import StateSpace

/// The projection in the dual: bounds and invariants by `ActiveSet`, convex functions by cutting planes, lower limits of
/// convex functions by a convex-concave iteration.
///
/// A convex function's linearisation nowhere exceeds it. So `f <= upper` implies every linearised cut: cuts accumulate,
/// and each makes the next quadratic problem a closer relaxation, whose solution is the projection as soon as it is
/// feasible. And `f >= lower` is implied by the linearised one, which is therefore a safe restriction; made again at
/// each solution it descends to a stationary point (Yuille & Rangarajan 2003).
final class DualProjection: ProjectionSolver {
  private static let cutLimit = 200
  private static let roundLimit = 100

  private struct Cut {
    let slot: Int
    let right: Double
    let margin: Double

    var constraint: ActiveSet.Constraint {
      ActiveSet.Constraint(normal: .dense(slot), sign: 1, right: right, isEquality: false)
    }
  }

  private let check: ConstraintCheck
  private let set: ActiveSet
  private var functions: [ContinuedFunction]
  private var gradient: [Double]
  private var x: [Double]
  private var skipped: [Bool]
  private var cuts: [Cut] = []
  private var lowerCuts: [Cut] = []
  private var needsLower: [Bool]
  private var subproblems = 0

  init(_ check: ConstraintCheck) {
    self.check = check
    let order = check.constraints.lowerBounds.count
    set = ActiveSet(order: order)
    functions = check.restrictions.map { ContinuedFunction($0.function, check: check) }
    gradient = [Double](repeating: 0, count: order)
    x = gradient
    skipped = check.constraints.invariants.map { _ in false }
    needsLower = check.restrictions.map { _ in false }
    for (k, invariant) in check.constraints.invariants.enumerated() {
      set.setDense(k, to: invariant.coefficients)
    }
  }

  private var lowerSlots: Int { skipped.count }
  private var cutSlots: Int { skipped.count + functions.count }

  func solve(_ state: inout [Double], targets: [Double], covariance: any CovarianceOperator) -> ProjectionOutcome {
    // Rounding below a bound is not worth a projection.
    for i in check.bounded {
      let bound = check.constraints.lowerBounds[i]
      if state[i] < bound, bound - state[i] <= 1e-12 * abs(bound) { state[i] = bound }
    }
    cuts.removeAll(keepingCapacity: true)
    lowerCuts.removeAll(keepingCapacity: true)
    for k in skipped.indices { skipped[k] = false }
    for k in needsLower.indices { needsLower[k] = false }
    subproblems = 0
    set.start(at: state, covariance: covariance)

    var isSolved = meetBounds()
    // What is left if the rest cannot be met.
    for i in state.indices { x[i] = isSolved ? set.x[i] : state[i] }
    var cost = Double.infinity
    for _ in 0..<Self.roundLimit where isSolved {
      guard meetConvex(targets: targets) else {
        isSolved = false
        break
      }
      // Every round's result is feasible, and no worse than the one before.
      let improved = set.cost < cost * (1 - 1e-9)
      let hadLower = !lowerCuts.isEmpty
      cost = set.cost
      for i in x.indices { x[i] = set.x[i] }
      let isMissing = markMissingLower()
      if !isMissing && !(hadLower && improved) { break }
      lineariseLower()
      set.start(at: state, covariance: covariance)
      isSolved = meetBounds()
    }
    return finish(&state, isSolved: isSolved)
  }

  private func finish(_ state: inout [Double], isSolved: Bool) -> ProjectionOutcome {
    var bounds = 0
    var bands = 0
    if isSolved {
      for constraint in set.active {
        switch constraint.normal {
        case .element(let i):
          bounds += 1
          x[i] = constraint.right
        case .dense: bands += constraint.isEquality ? 0 : 1
        }
      }
    }
    // Several cuts of one function may share its force.
    bands = min(bands, functions.count)
    check.raiseToBounds(&x)
    for i in state.indices { state[i] = x[i] }
    let isMet = isSolved && check.areNonlinearMet(state.span)
    return ProjectionOutcome(
      status: isMet ? .converged : .notConverged, cost: set.cost, activeBounds: bounds, activeBands: bands,
      iterations: subproblems)
  }

  /// Adds violated bounds, the most violated first, until none is.
  private func meetBounds() -> Bool {
    for _ in 0..<(10 * check.bounded.count + 100) {
      var (worst, element) = (0.0, -1)
      for i in check.bounded where !set.isActive[i] {
        let violation = check.constraints.lowerBounds[i] - set.x[i]
        if violation > worst { (worst, element) = (violation, i) }
      }
      if element < 0 { return true }
      let bound = check.constraints.lowerBounds[element]
      if worst <= 1e-14 * max(abs(bound), abs(set.unconstrained[element])) { return true }
      subproblems += 1
      switch set.add(.init(normal: .element(element), sign: 1, right: bound, isEquality: false)) {
      case .added: break
      case .noVariance: set.fix(element, at: bound)
      case .noFreedom: return false
      case .infeasible: return false
      }
    }
    return false
  }

  /// Meets bounds, invariants and all upper limits.
  private func meetConvex(targets: [Double]) -> Bool {
    for _ in 0..<(4 * Self.cutLimit) {
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
      if let cut = violatedCut() {
        subproblems += 1
        guard case .added = set.add(cut.constraint) else { return false }
        continue
      }
      guard let isMet = cutUpper() else { return false }
      if isMet { return true }
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

  private func violatedCut() -> Cut? {
    var (worst, found): (Double, Cut?) = (0, nil)
    for cut in lowerCuts where !set.isDenseActive(cut.slot) {
      let violation = -set.slack(cut.constraint) / cut.margin - 0.5
      if violation > worst { (worst, found) = (violation, cut) }
    }
    for cut in cuts where !set.isDenseActive(cut.slot) {
      let violation = -set.slack(cut.constraint) / cut.margin - 0.5
      if violation > worst { (worst, found) = (violation, cut) }
    }
    return found
  }

  /// Adds a cut for every upper limit that is exceeded: true if there is none, `nil` if the cuts ran out.
  private func cutUpper() -> Bool? {
    var isMet = true
    for (k, restriction) in check.restrictions.enumerated() where restriction.upper < .infinity {
      let value = functions[k].value(of: set.x, gradient: &gradient)
      if value <= restriction.upper { continue }
      guard value.isFinite, let slot = freeCutSlot() else { return nil }
      isMet = false
      // f(x_k) + g (x - x_k) <= upper, as -g x >= f(x_k) - g x_k - upper.
      var right = value - (restriction.upper - restriction.margin)
      for i in gradient.indices {
        right -= gradient[i] * set.x[i]
        gradient[i] = -gradient[i]
      }
      set.setDense(slot, to: gradient)
      cuts.append(Cut(slot: slot, right: right, margin: restriction.margin))
    }
    return isMet
  }

  private func freeCutSlot() -> Int? {
    if cuts.count < Self.cutLimit { return cutSlots + cuts.count }
    guard let index = cuts.firstIndex(where: { !set.isDenseActive($0.slot) }) else { return nil }
    return cuts.remove(at: index).slot
  }

  /// Notes lower limits that are not met; whether there is any.
  private func markMissingLower() -> Bool {
    var isMissing = false
    for (k, restriction) in check.restrictions.enumerated() where restriction.lower > -.infinity {
      let value = functions[k].value(of: set.x, gradient: &gradient)
      if value < restriction.lower {
        needsLower[k] = true
        isMissing = true
      }
    }
    return isMissing
  }

  /// Linearises the lower limits that have been in force, at the current point.
  private func lineariseLower() {
    lowerCuts.removeAll(keepingCapacity: true)
    for (k, restriction) in check.restrictions.enumerated() where needsLower[k] {
      let value = functions[k].value(of: set.x, gradient: &gradient)
      var right = restriction.lower + restriction.margin - value
      for i in gradient.indices { right += gradient[i] * set.x[i] }
      set.setDense(lowerSlots + k, to: gradient)
      lowerCuts.append(Cut(slot: lowerSlots + k, right: right, margin: restriction.margin))
    }
  }
}
