import DaunceAssimilation
import DaunceConstraints
import DaunceState
import Testing

private struct Fields: Decodable {
  let K, R, Z, a: [Double]
  var flat: [Double] { K + R + Z + a }
}

private struct Minimiser: Decodable {
  let J: Double
  let energyUpper: Double?
  let state: Fields
}

private struct ConstrainedCase: Decodable {
  let n: Int
  let background, unconstrained: Fields
  let covariance: [[Double]]
  let observation: [Double]
  let errorVariance, aMin: Double
  let positivity, positivityAndEnergy: Minimiser
}

private struct ConstrainedCases: Decodable { let cases: [ConstrainedCase] }

/// The minimisers of (2.8) that scipy found, with both solvers.
@Suite struct ConstrainedAnalysisTests {
  private static let cases = (try? fixture("constrained_analysis", as: ConstrainedCases.self).cases) ?? []

  @Test func fixturesAreThere() { #expect(Self.cases.count == 4) }

  /// Pa = P - P H^T (H P H^T + R)^-1 H P by eliminating one observation after the other.
  private func analysisCovariance(_ known: ConstrainedCase) -> [Double] {
    let order = 4 * known.n
    var p = known.covariance.flatMap { $0 }
    for j in 3 * known.n..<order {
      let column = (0..<order).map { p[$0 * order + j] }
      let variance = column[j] + known.errorVariance
      for i in 0..<order {
        for k in 0..<order { p[i * order + k] -= column[i] * column[k] / variance }
      }
    }
    return p
  }

  @Test(arguments: 0..<4, ConstraintSolver.allCases)
  func positivity(_ index: Int, _ solver: ConstraintSolver) throws {
    let known = try #require(Self.cases.indices.contains(index) ? Self.cases[index] : nil)
    try compare(known, known.positivity, solver)
  }

  @Test(arguments: 0..<4, ConstraintSolver.allCases)
  func positivityAndEnergy(_ index: Int, _ solver: ConstraintSolver) throws {
    let known = try #require(Self.cases.indices.contains(index) ? Self.cases[index] : nil)
    try compare(known, known.positivityAndEnergy, solver)
  }

  private func compare(_ known: ConstrainedCase, _ answer: Minimiser, _ solver: ConstraintSolver) throws {
    let layout = skeletonLayout(cells: known.n, floor: known.aMin)
    let order = layout.count
    let bands = answer.energyUpper.map {
      [Band(function: Energy(cells: known.n), lower: -.infinity, upper: $0)]
    }
    let projection = try ConstrainedProjection(
      ConstraintSet(layout: layout, bands: bands ?? []), order: order, solver: solver)
    let matrix = analysisCovariance(known)
    let covariance = DenseCovariance(matrix, order: order)
    var x = known.unconstrained.flat
    let background = known.background.flat
    var span = x.mutableSpan
    let outcome = projection.project(&span, forecast: background.span, covariance: covariance)
    #expect(outcome.status != .notConverged)

    let p = known.covariance.flatMap { $0 }
    let j = cost(x, known, p)
    #expect(abs(j / answer.J - 1) < 1e-6, "J \(j), known \(answer.J)")
    let rise = j - cost(known.unconstrained.flat, known, p)
    #expect(abs(rise - outcome.cost) < 1e-6 * answer.J)
    // A relative error of 1e-6 in J leaves one of 1e-3 in the state.
    for (i, value) in answer.state.flat.enumerated() {
      #expect(abs(x[i] - value) < 2e-3 * p[i * order + i].squareRoot())
    }
    for i in 3 * known.n..<order { #expect(x[i] >= known.aMin) }
    if let upper = answer.energyUpper { #expect(Energy(cells: known.n).value(of: x.span) <= upper) }
  }

  /// 1/2 (x - xb)^T P^-1 (x - xb) + 1/2 |y - H x|^2 / R, by Gaussian elimination.
  private func cost(_ x: [Double], _ known: ConstrainedCase, _ p: [Double]) -> Double {
    let order = x.count
    let d = zip(x, known.background.flat).map { $0 - $1 }
    var (a, b) = (p, d)
    for i in 0..<order {
      for r in (i + 1)..<max(i + 1, order) {
        let factor = a[r * order + i] / a[i * order + i]
        for c in i..<order { a[r * order + c] -= factor * a[i * order + c] }
        b[r] -= factor * b[i]
      }
    }
    for i in stride(from: order - 1, through: 0, by: -1) {
      for c in (i + 1)..<max(i + 1, order) { b[i] -= a[i * order + c] * b[c] }
      b[i] /= a[i * order + i]
    }
    var j = zip(d, b).reduce(0) { $0 + $1.0 * $1.1 } / 2
    for i in 0..<known.n {
      let misfit = known.observation[i] - x[3 * known.n + i]
      j += misfit * misfit / known.errorVariance / 2
    }
    return j
  }
}
