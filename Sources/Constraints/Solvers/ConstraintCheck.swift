internal import DaunceState

/// One nonlinear restriction `lower <= function(x) <= upper`; a band or an inequality.
struct Restriction {
  let function: any StateFunction
  let lower: Double
  let upper: Double
  /// By how much solvers stay inside, so that rounding doesn't carry the result outside: relative to the band's width,
  /// to its only limit, or to 1 where that is zero.
  let margin: Double

  init(_ function: any StateFunction, lower: Double, upper: Double) {
    self.function = function
    self.lower = lower
    self.upper = upper
    let width = upper - lower
    let size = max(lower.isFinite ? abs(lower) : 0, upper.isFinite ? abs(upper) : 0)
    margin = 1e-9 * (width.isFinite && width > 0 ? width : size > 0 ? size : 1)
  }
}

/// The bounds of an element that has any.
struct ElementBounds {
  let element: Int
  let lower: Double
  let upper: Double

  /// By how much a value lies outside, positive then; what is not a number does not.
  @inline(__always)
  func excess(_ value: Double) -> Double { max(lower - value, value - upper) }

  /// The admissible value nearest to a value; what is not a number stays that.
  @inline(__always)
  func nearest(_ value: Double) -> Double { value < lower ? lower : value > upper ? upper : value }
}

/// The constraints prepared for checking and for solvers.
struct ConstraintCheck {
  let constraints: ConstraintSet
  /// Of elements with a finite bound, ascending.
  let bounded: [ElementBounds]
  /// Bands, then inequalities.
  let restrictions: [Restriction]

  init(_ constraints: ConstraintSet) {
    self.constraints = constraints
    bounded = constraints.lowerBounds.indices.compactMap { i in
      let (lower, upper) = (constraints.lowerBounds[i], constraints.upperBounds[i])
      return lower > -.infinity || upper < .infinity ? ElementBounds(element: i, lower: lower, upper: upper) : nil
    }
    restrictions =
      constraints.bands.map { Restriction($0.function, lower: $0.lower, upper: $0.upper) }
      + constraints.inequalities.map { Restriction($0, lower: -.infinity, upper: 0) }
  }

  /// Residual of an invariant below which it counts as kept: the rounding of its sum.
  func tolerance(ofInvariant k: Int, at state: Span<Double>) -> Double {
    let coefficients = constraints.invariants[k].coefficients
    var size = 0.0
    for i in coefficients.indices where coefficients[i] != 0 { size += abs(coefficients[i] * state[i]) }
    return 1e-13 * size
  }

  /// Residual of a nonlinear equality below which it counts as met.
  static let equalityTolerance = 1e-8

  /// Whether `state` respects everything.
  func isFeasible(_ state: Span<Double>, targets: [Double]) -> Bool {
    for bounds in bounded where bounds.excess(state[bounds.element]) > 0 { return false }
    for k in targets.indices {
      let residual = constraints.invariants[k].value(of: state) - targets[k]
      if abs(residual) > tolerance(ofInvariant: k, at: state) { return false }
    }
    return areNonlinearMet(state)
  }

  /// Whether `state`, which respects the bounds, respects the nonlinear constraints.
  func areNonlinearMet(_ state: Span<Double>) -> Bool {
    for restriction in restrictions {
      let value = restriction.function.value(of: state)
      if !(value >= restriction.lower && value <= restriction.upper) { return false }
    }
    for equality in constraints.equalities
    where !(abs(equality.value(of: state)) <= Self.equalityTolerance) {
      return false
    }
    return true
  }

  /// Sets elements outside their bounds to them.
  func clipToBounds(_ state: inout [Double]) {
    for bounds in bounded { state[bounds.element] = bounds.nearest(state[bounds.element]) }
  }
}

/// A function continued linearly outside the bounds, where it need not be defined (an energy with ln a has no
/// value for a < 0). The continuation of a convex function is convex and smooth.
struct ContinuedFunction {
  let function: any StateFunction
  private let check: ConstraintCheck
  private var inside: [Double]
  private var unused: [Double]

  init(_ function: any StateFunction, check: ConstraintCheck) {
    self.function = function
    self.check = check
    inside = [Double](repeating: 0, count: check.constraints.lowerBounds.count)
    unused = inside
  }

  /// Value at `state`.
  mutating func value(of state: [Double]) -> Double {
    guard check.bounded.contains(where: { $0.excess(state[$0.element]) > 0 }) else {
      return function.value(of: state.span)
    }
    var gradient: [Double] = []
    swap(&gradient, &unused)
    defer { swap(&gradient, &unused) }
    return value(of: state, gradient: &gradient)
  }

  /// Value at `state`, and the gradient (`[element]`).
  mutating func value(of state: [Double], gradient: inout [Double]) -> Double {
    for i in inside.indices { inside[i] = state[i] }
    check.clipToBounds(&inside)
    var target = gradient.mutableSpan
    function.gradient(of: inside.span, into: &target)
    var value = function.value(of: inside.span)
    for bounds in check.bounded where bounds.excess(state[bounds.element]) > 0 {
      let i = bounds.element
      value += gradient[i] * (state[i] - inside[i])
    }
    return value
  }
}
