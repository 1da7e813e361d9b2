import DaunceConstraints
import DaunceNumerics
import DaunceState
import Testing

/// Two variables on eight cells, the second one bounded.
private let layout = StateLayout(
  ring: 8, length: 1,
  fields: [
    Field(name: "q", longName: "unbounded", scale: 1), Field(name: "u", longName: "bounded", scale: 1, lowerBound: 0.1),
  ])

private func invariant(_ q: (Int) -> Double, _ u: (Int) -> Double) -> LinearInvariant {
  LinearInvariant(name: "test", coefficients: (0..<8).map(q) + (0..<8).map(u))
}

private let mass = invariant({ _ in 0 }, { _ in 1 })

private func project(
  _ projection: InvariantProjection, _ draws: [Double], scales: [Double], base: [Double]
) -> [Double] {
  var actions = draws
  projection.project(&actions, scales: scales, base: base)
  return actions
}

@Suite struct InvariantProjectionTests {
  private let ones = [Double](repeating: 1, count: 16)

  private func onBounded(_ draws: [Double], scales: [Double]? = nil, mean: Double) -> [Double] {
    let projection = InvariantProjection(invariants: [mass], layout: layout, controls: [1])
    return project(
      projection, draws, scales: scales ?? [Double](repeating: 1, count: 8),
      base: [Double](repeating: 9, count: 8) + [Double](repeating: mean, count: 8))
  }

  /// Away from bounds the excess is shared out by variance.
  @Test func excessIsSharedByVariance() {
    let draws = [2.0, 2, 2, 2, 3, 3, 3, 3]
    let even = onBounded(draws, mean: 2)
    for i in 0..<8 { #expect(abs(even[i] - (draws[i] - 0.5)) < 1e-14) }
    // Variances 1 and 9: of the excess 4 each of the first four takes 0.1, each of the others 0.9.
    let uneven = onBounded(draws, scales: [1, 1, 1, 1, 3, 3, 3, 3], mean: 2)
    for i in 0..<8 { #expect(abs(uneven[i] - (draws[i] - (i < 4 ? 0.1 : 0.9))) < 1e-14) }
  }

  /// Excess 8.4 over eight equal shares would take the first six below their bound: they stop there, and the last two
  /// give what is left.
  @Test func boundsTakeTheirElementsOut() {
    let x = onBounded([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 5, 6.1], mean: 0.6)
    for (i, expected) in [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 1.55, 2.65].enumerated() {
      #expect(abs(x[i] - expected) < 1e-14, "\(x)")
    }
    // All mass at the bound: one point is left.
    for value in onBounded([3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], mean: 0.1) { #expect(abs(value - 0.1) < 1e-12) }
    // From below: only raising helps, and the bound is no hindrance.
    let raised = onBounded([Double](repeating: 0.1, count: 8), mean: 0.7)
    for value in raised { #expect(abs(value - 0.7) < 1e-14) }
  }

  /// Minimisers of two equations with mixed signs and of random draws: feasible, and with the forces on the free
  /// elements a combination of the equations, on the others pointing out of the bound.
  @Test func optimalityConditionsHold() {
    let stream = RandomStream(seed: 11, purpose: .test)
    let first = invariant({ _ in 1 }, { $0 < 4 ? -1.5 : 0.5 })
    let second = invariant({ $0 == 0 ? 0 : 0.3 }, { Double($0) })
    let projection = InvariantProjection(invariants: [first, second], layout: layout, controls: [0, 1])
    var activeSeen = 0
    for trial in 0..<200 {
      func number(_ i: Int) -> Double { stream.normal(at: 100 * trial + i) }
      let draws = (0..<16).map { $0 < 8 ? number($0) : max(0.1, number($0)) }
      let base = (0..<16).map { $0 < 8 ? number(20 + $0) : 0.1 + abs(number(20 + $0)) }
      let scales = (0..<16).map { 0.2 + abs(number(40 + $0)) }
      let x = project(projection, draws, scales: scales, base: base)
      for invariant in [first, second] {
        let size = zip(invariant.coefficients, x).reduce(0) { $0 + abs($1.0 * $1.1) }
        #expect(abs(invariant.value(of: x.span) - invariant.value(of: base.span)) < 4e-15 * size, "trial \(trial)")
      }
      let force = (0..<16).map { (x[$0] - draws[$0]) / (scales[$0] * scales[$0]) }
      let free = (0..<16).filter { $0 < 8 || x[$0] > 0.1 }
      activeSeen += 16 - free.count
      // Multipliers from the two elements of q that differ: force = mu_1 at cell 0, mu_1 + 0.3 mu_2 elsewhere.
      let mu = (force[0], (force[1] - force[0]) / 0.3)
      for i in 0..<16 {
        let combination = first.coefficients[i] * mu.0 + second.coefficients[i] * mu.1
        let excess = force[i] - combination
        if free.contains(i) { #expect(abs(excess) < 1e-9, "trial \(trial)") } else {
          #expect(x[i] == 0.1 && excess > -1e-9, "trial \(trial)")
        }
      }
    }
    #expect(activeSeen > 100)
  }

  @Test func whatNeedsNoChangeKeepsItsBits() {
    let draws = [0.3, 0.7, 0.1, 0.9, 0.2, 0.8, 0.5, 0.5]
    #expect(onBounded(draws, mean: 0.5) == draws)
    // No invariant involves the control, or there is none.
    for invariants in [[mass], []] {
      let projection = InvariantProjection(invariants: invariants, layout: layout, controls: [0])
      #expect(projection.equations == 0)
      #expect(project(projection, draws, scales: ones, base: ones) == draws)
    }
  }

  @Test func brokenDrawsShow() {
    var draws = [Double](repeating: 1, count: 8)
    draws[3] = .nan
    let x = onBounded(draws, mean: 2)
    #expect(x[3].isNaN && x[2] == 1)
  }

  /// The same equation twice, and one that its fellow implies.
  @Test func dependentEquationsDoNoHarm() {
    let projection = InvariantProjection(invariants: [mass, mass], layout: layout, controls: [1])
    let x = project(projection, [Double](repeating: 3, count: 8), scales: ones, base: ones)
    for value in x { #expect(abs(value - 1) < 1e-14) }
  }
}
