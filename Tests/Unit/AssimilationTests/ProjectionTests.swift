import DaunceAssimilation
import DaunceConstraints
import Foundation
import DaunceNumerics
import DaunceState
import Testing

/// sum of (x - c)^2 - r^2: a ball as an inequality, a sphere as an equality.
private struct Ball: StateFunction {
  let name = "ball"
  let centre: [Double]
  let radius: Double

  func value(of x: Span<Double>) -> Double {
    centre.indices.reduce(-radius * radius) { $0 + (x[$1] - centre[$1]) * (x[$1] - centre[$1]) }
  }

  func gradient(of x: Span<Double>, into g: inout MutableSpan<Double>) {
    for i in centre.indices { g[i] = 2 * (x[i] - centre[i]) }
  }
}

/// A function of the negative state.
private struct Mirrored<Function: StateFunction>: StateFunction {
  let name = "mirrored"
  let function: Function

  func value(of x: Span<Double>) -> Double {
    let opposite = x.indices.map { -x[$0] }
    return function.value(of: opposite.span)
  }

  func gradient(of x: Span<Double>, into g: inout MutableSpan<Double>) {
    let opposite = x.indices.map { -x[$0] }
    function.gradient(of: opposite.span, into: &g)
    for i in g.indices { g[i] = -g[i] }
  }
}

@Suite struct ProjectionTests {
  private let cells = 16
  private var layout: StateLayout { skeletonLayout(cells: cells) }

  /// A smooth covariance of full rank, with correlated variables.
  private func covariance() -> [Double] {
    let n = cells
    let scale = [0.015, 0.011, 0.043, 0.05]
    return (0..<16 * n * n).map { e in
      let (i, j) = (e / (4 * n), e % (4 * n))
      let distance = Double(ringDistance(i % n, j % n, of: n))
      let correlation = i / n == j / n ? 1.0 : 0.3
      return scale[i / n] * scale[j / n] * correlation * (exp(-distance * distance / 8) + (i == j ? 0.05 : 0))
    }
  }

  private func project(
    _ x: [Double], _ constraints: ConstraintSet, _ solver: ConstraintSolver, forecast: [Double]? = nil,
    covariance p: [Double]? = nil
  ) throws -> (x: [Double], outcome: ProjectionOutcome) {
    let projection = try ConstrainedProjection(constraints, order: x.count, solver: solver)
    var result = x
    let before = forecast ?? x
    var span = result.mutableSpan
    let outcome = projection.project(
      &span, forecast: before.span, covariance: DenseCovariance(p ?? covariance(), order: x.count))
    return (result, outcome)
  }

  private func state(seed: UInt64) -> [Double] {
    skeletonEnsemble(layout, members: 1, seed: seed, floored: false)
  }

  private func floored(_ x: [Double]) -> [Double] {
    x.indices.map { $0 >= 3 * cells ? max(x[$0], 1e-4) : x[$0] }
  }

  /// 1/2 d^T P^-1 d by conjugate gradients.
  private func cost(_ d: [Double], _ p: [Double]) -> Double {
    let n = d.count
    var (w, r) = ([Double](repeating: 0, count: n), d)
    var s = r
    var old = r.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<(20 * n) where old > 1e-30 {
      let ps = (0..<n).map { i in (0..<n).reduce(0) { $0 + p[i * n + $1] * s[$1] } }
      let step = old / zip(s, ps).reduce(0) { $0 + $1.0 * $1.1 }
      for i in 0..<n {
        w[i] += step * s[i]
        r[i] -= step * ps[i]
      }
      let new = r.reduce(0) { $0 + $1 * $1 }
      for i in 0..<n { s[i] = r[i] + new / old * s[i] }
      old = new
    }
    return zip(w, d).reduce(0) { $0 + $1.0 * $1.1 } / 2
  }

  @Test(arguments: ConstraintSolver.allCases) func feasibleStaysPut(solver: ConstraintSolver) throws {
    let x = floored(state(seed: 1))
    let energy = Energy(cells: cells).value(of: x.span)
    let constraints = ConstraintSet(
      layout: layout, invariants: skeletonInvariants(cells: cells),
      bands: [Band(function: Energy(cells: cells), lower: energy - 0.01, upper: energy + 0.01)])
    let (result, outcome) = try project(x, constraints, solver)
    #expect(outcome.status == .unchanged && result == x)
  }

  /// The result is feasible, costs no more than flooring, and no feasible point near it costs less.
  @Test(arguments: 0..<20) func bounds(seed: Int) throws {
    let p = covariance()
    let x = state(seed: UInt64(seed))
    let (result, outcome) = try project(x, ConstraintSet(layout: layout), .dual)
    guard x != floored(x) else { return }
    #expect(outcome.status == .converged)
    let order = x.count
    let d = zip(result, x).map { $0 - $1 }
    let flooredCost = cost(zip(floored(x), x).map { $0 - $1 }, p)
    #expect(abs(outcome.cost - cost(d, p)) < 1e-6 * outcome.cost)
    #expect(outcome.cost <= flooredCost)
    // No feasible direction lowers the cost: from x towards any feasible y, (y - x)^T P^-1 (x - xu) >= 0.
    for other in 0..<20 {
      let stream = RandomStream(seed: 77, purpose: .test, member: other)
      let y = floored((0..<order).map { result[$0] + 0.02 * stream.normal(at: $0) * p[$0 * order + $0].squareRoot() })
      let there = cost(zip(y, x).map { $0 - $1 }, p)
      #expect(there >= outcome.cost * (1 - 1e-7))
    }
    #expect((3 * cells..<order).allSatisfy { result[$0] >= 1e-4 })
    #expect(outcome.activeBounds == (3 * cells..<order).count { result[$0] == 1e-4 })
  }

  @Test(arguments: 0..<8) func solversAgree(seed: Int) throws {
    let x = state(seed: UInt64(seed))
    let before = state(seed: UInt64(seed) + 1000)
    let energy = Energy(cells: cells)
    let level = energy.value(of: floored(x).span)
    let invariants = skeletonInvariants(cells: cells)
    let narrow = 1e-4
    let bands: [[Band]] = [
      [], [Band(function: energy, lower: -.infinity, upper: level * 0.95)],
      [Band(function: energy, lower: level * 1.03, upper: level * 2)],
      [Band(function: energy, lower: level * 0.97 - narrow, upper: level * 0.97)],
    ]
    for band in bands {
      let constraints = ConstraintSet(layout: layout, invariants: invariants, bands: band)
      let dual = try project(x, constraints, .dual, forecast: before)
      let general = try project(x, constraints, .slsqp, forecast: before)
      #expect(dual.outcome.status == .converged)
      for (result, outcome) in [dual, general] where outcome.status == .converged {
        #expect((3 * cells..<x.count).allSatisfy { result[$0] >= 1e-4 })
        for invariant in invariants {
          #expect(abs(invariant.value(of: result.span) - invariant.value(of: before.span)) < 1e-10)
        }
        for limit in band {
          let value = limit.function.value(of: result.span)
          #expect(value >= limit.lower && value <= limit.upper)
        }
      }
      guard general.outcome.status == .converged, dual.outcome.status == .converged else { continue }
      // Outside a convex function's level there may be several local minima.
      let excess = dual.outcome.cost - general.outcome.cost
      #expect(excess < 1e-5 * (1 + general.outcome.cost), "\(dual.outcome) \(general.outcome)")
      if band.allSatisfy({ $0.lower < level }) { #expect(-excess < 1e-5 * (1 + general.outcome.cost)) }
    }
  }

  @Test func invariantsWithoutVarianceAreLeftAlone() throws {
    var p = covariance()
    let order = 4 * cells
    // Only a moves.
    for e in p.indices where e / order < 3 * cells || e % order < 3 * cells { p[e] = 0 }
    var x = state(seed: 2)
    x[3 * cells + 4] = -0.02
    let before = state(seed: 3)
    let constraints = ConstraintSet(layout: layout, invariants: skeletonInvariants(cells: cells))
    for solver in ConstraintSolver.allCases {
      let (result, outcome) = try project(x, constraints, solver, forecast: before, covariance: p)
      #expect(outcome.status == .converged)
      #expect(result[..<(3 * cells)] == x[..<(3 * cells)])
      #expect(abs(result[3 * cells + 4] - 1e-4) < 1e-10)
      #expect(result[(3 * cells)...].allSatisfy { $0 >= 1e-4 })
    }
  }

  @Test(arguments: ConstraintSolver.allCases) func elementsWithoutSpreadAreFloored(solver: ConstraintSolver) throws {
    var p = covariance()
    let order = 4 * cells
    let stuck = 3 * cells + 4
    for i in 0..<order { (p[i * order + stuck], p[stuck * order + i]) = (0, 0) }
    var x = floored(state(seed: 2))
    x[stuck] = -0.02
    let (result, outcome) = try project(x, ConstraintSet(layout: layout), solver, covariance: p)
    #expect(outcome.status == .converged)
    x[stuck] = 1e-4
    #expect(largestDifference(result, x) < 1e-12)
  }

  @Test func impossibleConstraintsAreCountedNotFatal() throws {
    let x = state(seed: 5)
    let band = Band(function: Energy(cells: cells), lower: -.infinity, upper: -5)
    for solver in ConstraintSolver.allCases {
      let (result, outcome) = try project(x, ConstraintSet(layout: layout, bands: [band]), solver)
      #expect(outcome.status == .notConverged)
      #expect(result.allSatisfy { $0.isFinite })
      #expect((3 * cells..<x.count).allSatisfy { result[$0] >= 1e-4 })
    }
  }

  /// The nearest point of a ball, in the Euclidean metric.
  @Test(arguments: ConstraintSolver.allCases) func inequality(solver: ConstraintSolver) throws {
    let identity = (0..<9).map { $0 % 4 == 0 ? 1.0 : 0 }
    let ball = Ball(centre: [1, 0, 0], radius: 1)
    let free = [Double](repeating: -.infinity, count: 3)
    let constraints = ConstraintSet(lowerBounds: free, invariants: [], bands: [], inequalities: [ball])
    let (result, outcome) = try project([1, 3, 4], constraints, solver, covariance: identity)
    #expect(outcome.status == .converged)
    #expect(largestDifference(result, [1, 0.6, 0.8]) < 1e-4)
    #expect(abs(outcome.cost - 8) < 1e-5)
  }

  /// An upper bound is the lower bound of the negative: the mirror image has the mirrored answer. Some elements have
  /// both.
  @Test(arguments: ConstraintSolver.allCases) func upperBoundsMirrorLowerOnes(solver: ConstraintSolver) throws {
    let n = layout.count
    let lower = (0..<n).map { $0 < 3 * cells ? -.infinity : 0.08 }
    let upper = (0..<n).map { $0 % 2 == 0 ? .infinity : $0 < 3 * cells ? 0.004 : 0.1 }
    let x = state(seed: 5)
    let invariants = skeletonInvariants(cells: cells)
    let energy = Energy(cells: cells)
    let band = Band(function: energy, lower: -.infinity, upper: 1.02 * energy.value(of: floored(x).span))
    let straight = ConstraintSet(lowerBounds: lower, upperBounds: upper, invariants: invariants, bands: [band])
    let mirrored = ConstraintSet(
      lowerBounds: upper.map { -$0 }, upperBounds: lower.map { -$0 }, invariants: invariants,
      bands: [Band(function: Mirrored(function: energy), lower: -.infinity, upper: band.upper)])
    let (there, outcome) = try project(x, straight, solver)
    let (back, other) = try project(x.map { -$0 }, mirrored, solver)
    #expect(outcome.status == .converged && other.status == .converged && outcome.activeBounds > 4)
    #expect(largestDifference(there, back.map { -$0 }) < 1e-12)
    #expect((0..<n).allSatisfy { there[$0] >= lower[$0] && there[$0] <= upper[$0] })
    #expect((0..<n).contains { there[$0] == lower[$0] } && (0..<n).contains { there[$0] == upper[$0] })
    for invariant in invariants { #expect(abs(invariant.value(of: there.span) - invariant.value(of: x.span)) < 1e-12) }
    #expect(abs(outcome.cost / other.cost - 1) < 1e-9)
  }

  @Test func equalityNeedsTheGeneralSolver() throws {
    let identity = (0..<9).map { $0 % 4 == 0 ? 1.0 : 0 }
    let sphere = Ball(centre: [0, 0, 0], radius: 2)
    let free = [Double](repeating: -.infinity, count: 3)
    let constraints = ConstraintSet(lowerBounds: free, invariants: [], bands: [], equalities: [sphere])
    let (result, outcome) = try project([0, 0.3, 0.4], constraints, .slsqp, covariance: identity)
    #expect(outcome.status == .converged)
    #expect(largestDifference(result, [0, 1.2, 1.6]) < 1e-5)
    #expect(throws: ConstraintError.unsupported(name: "ball", solver: "dual")) {
      try ConstrainedProjection(constraints, order: 3, solver: .dual)
    }
    #expect(throws: ConstraintError.self) { try ConstrainedProjection(constraints, order: 4, solver: .slsqp) }
  }

  @Test(arguments: [Coupling.own, .all]) func constrainedFiltersRespectEverything(
    coupling: Coupling
  ) throws {
    let layout = skeletonLayout(cells: 32)
    let members = 8
    let states = skeletonEnsemble(layout, members: members, seed: 11)
    let observations = observe(
      layout, Array(96..<128), values: (0..<32).map { max(0, states[96 + $0] - 0.1) },
      errorVariances: .init(repeating: 0.0063, count: 32))
    let energy = Energy(cells: 32)
    let invariants = skeletonInvariants(cells: 32)
    let band = Band(function: energy, lower: 0.055, upper: 0.07)
    let constraints = ConstraintSet(layout: layout, invariants: invariants, bands: [band])
    let localization = ringLocalization(layout, halfWidth: 3, coupling)
    let eakf = try ConstrainedEAKF(layout: layout, localization: localization, constraints: constraints)
    let enkf = try ConstrainedEnKF(layout: layout, localization: localization, constraints: constraints, seed: 1)
    for filter in [eakf, enkf] as [any InMemoryFilter] {
      let analysis = try filter.analysis(of: states, members: members, observations)
      #expect(analysis != states)
      for m in 0..<members {
        let member = Array(analysis[m * 128..<(m + 1) * 128])
        let before = Array(states[m * 128..<(m + 1) * 128])
        #expect(member[96...].allSatisfy { $0 >= 1e-4 })
        #expect((0.055...0.07).contains(energy.value(of: member.span)))
        for invariant in invariants {
          #expect(abs(invariant.value(of: member.span) - invariant.value(of: before.span)) < 1e-12)
        }
      }
    }
    for report in [eakf.lastReport, enkf.lastReport] {
      #expect(report.members == members && report.changed > 0 && report.notConverged == 0)
    }
  }
}
