internal import DaunceNumerics
package import DaunceState

/// Holds a model's linear invariants in the actions of an agent: the actions nearest to the drawn ones that leave every
/// invariant where the member's base forecast has it and respect the bounds,
///
///     minimise 1/2 sum_i (x_i - d_i)^2 / s_i^2   subject to   A x = A x_base,  lower <= x <= upper,
///
/// with d the draw and s the policy's own scales: what the policy is sure of moves least. There are a few equations and
/// many actions, so the dual is solved, x = d + s^2 A' mu cut off at the bounds: the equations' residual is the gradient
/// of a convex, piecewise quadratic function of mu, which Newton steps over the actions inside their bounds minimise in
/// a few iterations. Base forecasts respect the bounds, so there is a solution. Allocates nothing after its creation.
package final class InvariantProjection {
  /// Invariants that involve some control; the others hold whatever an agent does.
  package let equations: Int
  /// Elements of the state that the actions set, control after control.
  private let ranges: [Range<Int>]
  private let count: Int
  /// A, `[equation][control][cell]`.
  private let coefficients: Workspace<Double>
  /// `[control][cell]`, `-infinity` and `infinity` where there is none.
  private let lowerBounds, upperBounds: Workspace<Double>
  /// x of the present multipliers, `[control][cell]`.
  private let point: Workspace<Double>
  /// `[equation]` each: b = A x_base, mu, a step of it, the trial mu, the residual A x - b, the size of its terms.
  private let targets, multipliers, step, trial, residual, size: Workspace<Double>
  /// A_F S^2 A_F' over the free actions F, and over all: `[equation][equation]`.
  private let freeCurvature, fullCurvature: Workspace<Double>

  private static let iterations = 50
  private static let halvings = 30

  /// - Parameters:
  ///   - invariants: with one coefficient for every element of a state of `layout`.
  ///   - controls: variables that the actions set, in the actions' order.
  package init(invariants: [LinearInvariant], layout: StateLayout, controls: [Int]) {
    let rows = invariants.map { invariant in controls.flatMap { invariant.coefficients[layout.range($0)] } }
      .filter { row in row.contains { $0 != 0 } }
    equations = rows.count
    ranges = controls.map { layout.range($0) }
    count = ranges.reduce(0) { $0 + $1.count }
    coefficients = Workspace(repeating: 0, count: rows.count * count)
    for (k, value) in rows.joined().enumerated() { coefficients.start[k] = value }
    lowerBounds = Workspace(repeating: -.infinity, count: count)
    upperBounds = Workspace(repeating: .infinity, count: count)
    func everywhere(_ bound: (Field) -> Double) -> [Double] {
      controls.flatMap { [Double](repeating: bound(layout.fields[$0]), count: layout.range($0).count) }
    }
    lowerBounds.copy(from: everywhere { $0.lowerBound ?? -.infinity })
    upperBounds.copy(from: everywhere { $0.upperBound ?? .infinity })
    point = Workspace(repeating: 0, count: count)
    func numbers(_ count: Int) -> Workspace<Double> { Workspace(repeating: 0, count: count) }
    (targets, multipliers, step) = (numbers(equations), numbers(equations), numbers(equations))
    (trial, residual, size) = (numbers(equations), numbers(equations), numbers(equations))
    (freeCurvature, fullCurvature) = (numbers(equations * equations), numbers(equations * equations))
  }

  /// Moves `actions` to the nearest ones that respect everything. Draws that already do keep their bits; draws that are
  /// not all numbers are left alone, so that a broken policy shows.
  ///
  /// - Parameters:
  ///   - actions: drawn on entry, projected on return, inside their bounds (`[control][cell]`).
  ///   - scales: of the laws that they were drawn from, positive (`[control][cell]`).
  ///   - base: the member's base forecast (`[layout.count]`).
  package func project(
    _ actions: UnsafeMutablePointer<Double>, scales: UnsafePointer<Double>, base: UnsafePointer<Double>
  ) {
    guard equations > 0 else { return }
    for e in 0..<equations {
      multipliers.start[e] = 0
      targets.start[e] = 0
      var row = coefficients.start + e * count
      for range in ranges {
        for c in 0..<range.count { targets.start[e] += row[c] * base[range.lowerBound + c] }
        row += range.count
      }
    }
    var objective = evaluate(multipliers.start, draws: actions, scales: scales)
    guard objective.isFinite, !isMet else { return }
    assembleCurvature(fullCurvature.start, scales: scales, freeOnly: false)
    for _ in 0..<Self.iterations {
      guard !isMet, let next = descend(from: objective, draws: actions, scales: scales) else { break }
      objective = next
    }
    actions.update(from: point.start, count: count)
  }

  /// The same for arrays.
  package func project(_ actions: inout [Double], scales: [Double], base: [Double]) {
    precondition(actions.count == count && scales.count >= count, "actions and scales are of all controls")
    actions.withUnsafeMutableBufferPointer { actions in
      scales.withUnsafeBufferPointer { scales in
        base.withUnsafeBufferPointer { base in
          guard let x = actions.baseAddress, let s = scales.baseAddress, let b = base.baseAddress else { return }
          project(x, scales: s, base: b)
        }
      }
    }
  }

  /// Whether every equation holds to the rounding of its sum.
  private var isMet: Bool {
    for e in 0..<equations where abs(residual.start[e]) > 0x1p-50 * size.start[e] { return false }
    return true
  }

  /// Sets `point` and `residual` for the multipliers `mu`; returns the negative dual function, convex in `mu`, whose
  /// gradient is the residual.
  private func evaluate(
    _ mu: UnsafePointer<Double>, draws: UnsafePointer<Double>, scales: UnsafePointer<Double>
  ) -> Double {
    let x = point.start
    var cost = 0.0
    for i in 0..<count {
      var force = 0.0
      for e in 0..<equations { force += coefficients.start[e * count + i] * mu[e] }
      let moved = draws[i] + scales[i] * scales[i] * force
      x[i] = moved < lowerBounds.start[i] ? lowerBounds.start[i] : min(moved, upperBounds.start[i])
      let z = (x[i] - draws[i]) / scales[i]
      cost += 0.5 * z * z
    }
    var value = -cost
    for e in 0..<equations {
      let row = coefficients.start + e * count
      var (sum, terms) = (0.0, 0.0)
      for i in 0..<count {
        sum += row[i] * x[i]
        terms += abs(row[i] * x[i])
      }
      residual.start[e] = sum - targets.start[e]
      size.start[e] = terms
      value += mu[e] * residual.start[e]
    }
    return value
  }

  /// One step that lowers the objective; returns its new value, `nil` if none could be found.
  private func descend(
    from objective: Double, draws: UnsafePointer<Double>, scales: UnsafePointer<Double>
  ) -> Double? {
    assembleCurvature(freeCurvature.start, scales: scales, freeOnly: true)
    // Where the free actions leave an equation no curvature, that of all actions is an upper bound: a shorter step, but
    // one that always descends.
    if !solve(freeCurvature.start, minimum: 1e-9) {
      assembleCurvature(freeCurvature.start, scales: scales, freeOnly: false)
      _ = solve(freeCurvature.start, minimum: 1e-14)
    }
    var slope = 0.0
    for e in 0..<equations { slope += step.start[e] * residual.start[e] }
    // Rounding of the objective must not stand in the way of the last step.
    let slack = 1e-12 * (abs(objective) + abs(slope))
    var length = 1.0
    for _ in 0..<Self.halvings {
      for e in 0..<equations { trial.start[e] = multipliers.start[e] + length * step.start[e] }
      let value = evaluate(trial.start, draws: draws, scales: scales)
      if value <= objective + 1e-4 * length * slope + slack {
        multipliers.copy(from: trial.start)
        return value
      }
      length /= 2
    }
    _ = evaluate(multipliers.start, draws: draws, scales: scales)
    return nil
  }

  private func assembleCurvature(
    _ matrix: UnsafeMutablePointer<Double>, scales: UnsafePointer<Double>, freeOnly: Bool
  ) {
    for e in 0..<equations {
      for f in 0...e {
        let (p, q) = (coefficients.start + e * count, coefficients.start + f * count)
        var sum = 0.0
        for i in 0..<count
        where !freeOnly || (point.start[i] > lowerBounds.start[i] && point.start[i] < upperBounds.start[i]) {
          sum += p[i] * q[i] * scales[i] * scales[i]
        }
        matrix[e * equations + f] = sum
        matrix[f * equations + e] = sum
      }
    }
  }

  /// Solves `matrix step = -residual` by Gaussian elimination without pivoting (the matrix is symmetric and not
  /// indefinite), leaving out equations that depend on those before.
  ///
  /// - Parameter minimum: share of the full curvature's diagonal below which a pivot is none.
  /// - Returns: whether no equation was left out.
  private func solve(_ matrix: UnsafeMutablePointer<Double>, minimum: Double) -> Bool {
    var isRegular = true
    for e in 0..<equations { step.start[e] = -residual.start[e] }
    for e in 0..<equations {
      let pivot = matrix[e * equations + e]
      guard pivot > minimum * fullCurvature.start[e * equations + e] else {
        isRegular = false
        // An equation of its own, 1 step = 0.
        for f in 0..<equations {
          matrix[e * equations + f] = f == e ? 1 : 0
          matrix[f * equations + e] = f == e ? 1 : 0
        }
        step.start[e] = 0
        continue
      }
      for f in (e + 1)..<max(equations, e + 1) {
        let factor = matrix[f * equations + e] / pivot
        for g in e..<equations { matrix[f * equations + g] -= factor * matrix[e * equations + g] }
        step.start[f] -= factor * step.start[e]
      }
    }
    for e in stride(from: equations - 1, through: 0, by: -1) {
      for g in (e + 1)..<max(equations, e + 1) { step.start[e] -= matrix[e * equations + g] * step.start[g] }
      step.start[e] /= matrix[e * equations + e]
    }
    return isRegular
  }
}
