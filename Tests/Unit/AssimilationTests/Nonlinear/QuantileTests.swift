import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceState
import Foundation
import Testing

/// Laws of priors, their posteriors, and quantile-conserving updates of bounded quantities.
@Suite struct QuantileTests {
  /// Regularised incomplete gamma functions by scipy: shape, x, P and Q.
  private static let gammas: [(Double, Double, Double, Double)] = [
    (0.3, 0.01, 0.27924099635901484, 0.7207590036409852), (0.3, 2.0, 0.977974019172853, 0.022025980827146997),
    (1, 0.5, 0.3934693402873665, 0.6065306597126334), (2.5, 1.0, 0.15085496391539038, 0.8491450360846096),
    (2.5, 9.0, 0.9970535954121197, 0.0029464045878802923), (10, 10, 0.5420702855281478, 0.4579297144718523),
    (10, 40, 0.9999999960740678, 3.925932226286184e-09), (150, 120, 0.004563441304151236, 0.9954365586958488),
    (150, 200, 0.9999032137800506, 9.678621994933555e-05),
  ]

  @Test func gammaLawIsTheKnownOne() {
    for (shape, x, lower, upper) in Self.gammas {
      let found = GammaLaw(shape: shape).tails(x)
      #expect(abs(found.lower / lower - 1) < 1e-12 && abs(found.upper / upper - 1) < 1e-10, "\(shape), \(x)")
      #expect(abs(GammaLaw(shape: shape).quantile(lower: lower, upper: upper) / x - 1) < 1e-9, "\(shape), \(x)")
    }
  }

  private static let members = 60

  /// Positive, skewed members.
  private static func skewed(seed: UInt64) -> [Double] {
    let stream = RandomStream(seed: seed, purpose: .test)
    return (0..<members).map { m in (0..<3).reduce(0) { $0 - 0.2 * log(stream.uniform(at: 3 * m + $1)) } }
  }

  private static func fitted(_ kind: PriorLawKind, _ values: [Double], _ bounds: QuantityBounds) -> any PriorLaw {
    let law = kind.make(members: values.count)
    values.withUnsafeBufferPointer { if let start = $0.baseAddress { law.fit(start, members: values.count, bounds: bounds) } }
    return law
  }

  /// Values and scores are each other's inverse, ascending, and end at the bounds.
  @Test(arguments: PriorLawKind.allCases, [QuantityBounds(), QuantityBounds(lower: 0), QuantityBounds(lower: 0, upper: 3)])
  func scoresAndValuesAreInverse(kind: PriorLawKind, bounds: QuantityBounds) {
    let law = Self.fitted(kind, Self.skewed(seed: 1), bounds)
    var last = -Double.infinity
    for i in -30...30 {
      let z = 0.1 * Double(i)
      let x = law.value(at: z)
      #expect(abs(law.score(of: x) - z) < 1e-7, "\(z): \(x)")
      #expect(x > last, "\(z)")
      last = x
    }
    guard kind != .normal, kind != .kernelDensity else { return }
    #expect(law.value(at: -8) >= bounds.lower)
    // Gamma laws have no upper end.
    #expect(kind == .gamma || law.value(at: 30) <= bounds.upper)
  }

  /// Mean and variance of a law, by its quantiles.
  private static func moments(_ law: any PriorLaw) -> (mean: Double, variance: Double) {
    var (total, sum, square) = (0.0, 0.0, 0.0)
    for i in -4_000...4_000 {
      let z = 0.002 * Double(i)
      let (w, x) = (exp(-0.5 * z * z), law.value(at: z))
      (total, sum, square) = (total + w, sum + w * x, square + w * x * x)
    }
    return (sum / total, square / total - sum / total * sum / total)
  }

  /// Laws with parameters have the members' mean and variance, cut off or not.
  @Test(arguments: [PriorLawKind.normal, .gamma, .boundedNormal])
  func lawsHaveTheMembersMoments(kind: PriorLawKind) {
    let values = Self.skewed(seed: 2)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    let found = Self.moments(Self.fitted(kind, values, QuantityBounds(lower: 0)))
    #expect(abs(found.mean / mean - 1) < 1e-4 && abs(found.variance / variance - 1) < 1e-3, "\(found)")
  }

  /// A rank histogram has the same probability between any two members.
  @Test func rankHistogramsShareProbabilityEvenly() {
    let values = Self.skewed(seed: 3)
    let law = Self.fitted(.rankHistogram, values, QuantityBounds(lower: 0))
    for (k, x) in values.sorted().enumerated() {
      let probability = 1 - StandardNormal.upperTail(law.score(of: x))
      #expect(abs(probability - Double(k + 1) / Double(values.count + 1)) < 1e-12)
    }
    // Members that are equal share the middle of theirs: here those of ranks one to three.
    let tied = Self.fitted(.rankHistogram, [0, 0, 0, 1, 2, 3, 4], QuantityBounds(lower: 0))
    #expect(abs(1 - StandardNormal.upperTail(tied.score(of: 0)) - 2.0 / 8) < 1e-12)
    #expect(tied.value(at: tied.score(of: 0)) == 0)
  }

  /// Quantiles of posteriors against a sum over the prior's.
  @Test(arguments: PriorLawKind.allCases, [-0.4, 0.5, 2.2])
  func posteriorsAreBayes(kind: PriorLawKind, y: Double) {
    let values = Self.skewed(seed: 4)
    let law = Self.fitted(kind, values, QuantityBounds(lower: kind == .kernelDensity ? -.infinity : 0))
    let (r, n) = (0.05, 60_000)
    let grid = (0...n).map { -8 + 16 * Double($0) / Double(n) }
    let points = grid.map { law.value(at: $0) }
    let weights = zip(grid, points).map { z, x in exp(-0.5 * z * z - 0.5 * (y - x) * (y - x) / r) }
    let total = weights.reduce(0, +)
    let scores = values.map { law.score(of: $0) }
    var moved = values
    scores.withUnsafeBufferPointer { scores in
      moved.withUnsafeMutableBufferPointer { moved in
        guard let from = scores.baseAddress, let to = moved.baseAddress else { return }
        law.assimilate(y, error: ObservationError(variance: r), scores: from, into: to, members: values.count, by: ScorePosterior())
      }
    }
    for m in values.indices {
      var below = 0.0
      for (x, w) in zip(points, weights) where x <= moved[m] { below += w }
      #expect(abs(below / total - (1 - StandardNormal.upperTail(scores[m]))) < 2e-3, "\(m)")
    }
  }

  /// Kernels as wide as the ensemble, seen from anywhere, are the normal law: with it the update is the ensemble adjustment's.
  @Test func oneWideKernelIsTheNormalLaw() {
    let values = Self.skewed(seed: 5)
    let kinds = [
      PriorLawKind.normal.make(members: values.count),
      PriorLawKind.kernelDensity.make(members: values.count, kernels: KernelShape(bandwidth: 1, window: .infinity)),
    ]
    let moved = kinds.map { law in
      var moved = values
      values.withUnsafeBufferPointer { values in
        moved.withUnsafeMutableBufferPointer { moved in
          guard let from = values.baseAddress, let to = moved.baseAddress else { return }
          law.fit(from, members: values.count, bounds: QuantityBounds())
          let scores = values.map { law.score(of: $0) }
          law.assimilate(0.9, error: ObservationError(variance: 0.1), scores: scores, into: to, members: values.count, by: ScorePosterior())
        }
      }
      return moved
    }
    #expect(zip(moved[0], moved[1]).allSatisfy { abs($0 - $1) < 1e-6 })
    let narrow = Self.fitted(.kernelDensity, values, QuantityBounds())
    #expect(abs(narrow.score(of: 0.3) - kinds[1].score(of: 0.3)) > 1e-3)
  }

  // MARK: Analyses

  /// Two fields of a ring, the first above zero, seen at three places; the analysis of all members (`[member][element]`).
  private static func analysed(
    by method: LocalAnalysis.Method, seed: UInt64 = 7
  ) throws -> (before: [[Double]], after: [[Double]]) {
    let layout = StateLayout(
      ring: 12, length: 12, fields: [Field(name: "rain", lowerBound: 0), Field(name: "wind")])
    let before = (0..<members).map { m in
      let stream = RandomStream(seed: seed, purpose: .test, member: m)
      let (phase, size) = (2 * Double.pi * stream.uniform(at: 500), 1 + 0.5 * stream.normal(at: 501))
      let wind = (0..<12).map { size * sin(2 * .pi * Double($0) / 12 + phase) + 0.3 * stream.normal(at: $0) }
      return wind.map { 0.3 * exp($0 - 0.5) } + wind
    }
    let cells = [1, 5, 6]
    let part = PartialEnsemble(elements: 0..<24, members: members)
    for i in 0..<24 { for m in 0..<members { part.row(i)[m] = before[m][i] } }
    let observed = ObservedEnsemble(
      places: cells.map { layout.place(of: $0) }, kinds: cells.map { _ in 0 }, values: [0.01, 0.9, 0.4],
      errorVariances: [0.02, 0.02, 0.02], memberValues: before.flatMap { state in cells.map { state[$0] } }, members: members)
    let reach = DistanceLocalization.Reach.within([3])
    let partition = StatePartition(layout, ranks: 1)
    let analysis = LocalAnalysis(layout: layout, method: method, operators: [ObservationOperator(fields: [0])])
    try analysis.update(
      part, tiles: partition.tiles[...], observed: observed,
      localization: DistanceLocalization(reaches: [[reach, reach]], observed: [[reach]]))
    return (before, (0..<members).map { m in (0..<24).map { part.row($0)[m] } })
  }

  /// With normal laws it is the serial ensemble adjustment, in normal scores and in values.
  @Test(arguments: [true, false]) func normalLawsAreTheEnsembleAdjustment(isProbit: Bool) throws {
    let known = try Self.analysed(by: .eakf)
    let found = try Self.analysed(by: .quantile(QuantileMethod(.normal, isProbit: isProbit)))
    // The adjustment knows no bound; quantiles do, so that only members that it leaves within are the same.
    let wind = zip(known.after, found.after).flatMap { zip($0[12...], $1[12...]) }
    #expect(wind.allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(zip(known.before, known.after).contains { $0 != $1 })
  }

  /// Quantities stay within their bounds without being cut off, and come nearer to what was observed.
  @Test(arguments: [PriorLawKind.rankHistogram, .gamma, .boundedNormal])
  func boundedQuantitiesStayWithin(kind: PriorLawKind) throws {
    let (before, after) = try Self.analysed(by: .quantile(QuantileMethod(kind)))
    #expect(after.allSatisfy { $0[..<12].allSatisfy { $0 >= 0 } })
    func mean(_ states: [[Double]], _ element: Int) -> Double { states.reduce(0) { $0 + $1[element] } / Double(states.count) }
    for (cell, value) in zip([1, 5], [0.01, 0.9]) {
      #expect(abs(mean(after, cell) - value) < 0.5 * abs(mean(before, cell) - value), "\(cell)")
    }
    // The unbounded adjustment leaves them.
    #expect(try Self.analysed(by: .eakf).after.contains { $0[..<12].contains { $0 < 0 } })
  }

  /// A field may have a law of its own.
  @Test func lawsOfSingleFields() throws {
    let all = try Self.analysed(by: .quantile(QuantileMethod(.rankHistogram))).after
    let mixed = try Self.analysed(by: .quantile(QuantileMethod(.rankHistogram, laws: ["wind": .normal]))).after
    #expect(zip(all, mixed).allSatisfy { $0[..<12] == $1[..<12] })
    #expect(zip(all, mixed).allSatisfy { $0[12...] != $1[12...] })
  }
}
