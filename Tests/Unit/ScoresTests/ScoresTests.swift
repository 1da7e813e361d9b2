import Foundation
import DaunceNumerics
import Testing

private struct Answers: Decodable {
  let ensemble: [[Double]]
  let truth: [Double]
  let rmse_normalised: Double
  let correlation: Double
  let crps: [Double]
  let crps_fair: [Double]
  let rank: [Int]
  let spread: Double

  static func load() throws -> Answers {
    let url = try #require(
      Bundle.module.url(forResource: "scores", withExtension: "json", subdirectory: "Fixtures"))
    return try JSONDecoder().decode(Answers.self, from: Data(contentsOf: url))
  }

  func members(at point: Int) -> [Double] { ensemble.map { $0[point] } }
}

/// Numbers without pattern in (-1, 1), from a linear congruence.
private struct Scatter {
  var state: UInt64
  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(Int64(bitPattern: state) >> 11) * 0x1p-52
  }
}

@Test func scoresOfTheEnsembleMeanAreTheKnownOnes() throws {
  let known = try Answers.load()
  let mean = ensembleMean(known.ensemble)
  #expect(abs(normalisedRMSE(mean, truth: known.truth) - known.rmse_normalised) < 1e-14)
  #expect(abs(patternCorrelation(mean, truth: known.truth) - known.correlation) < 1e-14)
  #expect(abs(spread(known.ensemble) - known.spread) < 1e-14)
}

@Test func probabilisticScoresAreTheKnownOnes() throws {
  let known = try Answers.load()
  for i in known.truth.indices {
    let members = known.members(at: i)
    #expect(abs(crps(members, truth: known.truth[i]) - known.crps[i]) < 1e-14)
    #expect(abs(fairCRPS(members, truth: known.truth[i]) - known.crps_fair[i]) < 1e-14)
    #expect(rank(members, truth: known.truth[i]) == known.rank[i])
  }
  let points = Double(known.truth.count)
  #expect(abs(crps(known.ensemble, truth: known.truth) - known.crps.reduce(0, +) / points) < 1e-14)
  #expect(abs(fairCRPS(known.ensemble, truth: known.truth) - known.crps_fair.reduce(0, +) / points) < 1e-14)
  var histogram = RankHistogram(members: known.ensemble.count)
  histogram.add(known.ensemble, truth: known.truth)
  for r in histogram.counts.indices {
    #expect(histogram.counts[r] == known.rank.count { $0 == r })
  }
}

@Test func oneMemberScoresItsAbsoluteError() {
  #expect(crps([2.5], truth: 4) == 1.5)
  #expect(fairCRPS([2.5], truth: 4) == 1.5)
  #expect(spread([[2.5, 1]]) == 0)
}

@Test func aPerfectEnsembleScoresNothing() {
  let truth = [0.3, -1.2, 4.5]
  let ensemble = [[Double]](repeating: truth, count: 5)
  #expect(normalisedRMSE(ensembleMean(ensemble), truth: truth) < 1e-15)
  #expect(abs(patternCorrelation(truth, truth: truth) - 1) < 1e-15)
  for t in truth { #expect(crps([Double](repeating: t, count: 5), truth: t) == 0) }
}

@Test func crpsIsTheIntegralOfTheSquaredDistributions() {
  // Members 0 and 1, truth 2: the distribution function is 1/2 on [0, 1) and 1 on [1, 2), and the step comes at 2.
  #expect(abs(crps([1, 0], truth: 2) - (0.25 + 1)) < 1e-15)
  // Members 0 and 4, truth 1: 1/2 on [0, 1), then 1/2 below the step on [1, 4).
  #expect(abs(crps([0, 4], truth: 1) - 0.25 * 4) < 1e-15)
}

@Test func crpsKeepsItsDigitsFarFromZero() {
  let members = [0.25, -0.5, 1.0, 0.125]
  let far = members.map { $0 + 0x1p40 }
  #expect(crps(far, truth: 0.5 + 0x1p40) == crps(members, truth: 0.5))
}

@Test func correlationIgnoresMeanAndScale() {
  let truth = [0.3, -1.2, 4.5, 2.2]
  #expect(abs(patternCorrelation(truth.map { 7 + 3 * $0 }, truth: truth) - 1) < 1e-14)
  #expect(abs(patternCorrelation(truth.map { 7 - 3 * $0 }, truth: truth) + 1) < 1e-14)
  #expect(patternCorrelation([1, 1, 1, 1], truth: truth).isNaN)
}

@Test func ranksOfExchangeableTruthsAreUniform() {
  var scatter = Scatter(state: 1)
  var flat = RankHistogram(members: 9)
  var narrow = RankHistogram(members: 9)
  for _ in 0..<200 {
    let truth = (0..<50).map { _ in scatter.next() }
    let ensemble = (0..<9).map { _ in (0..<50).map { _ in scatter.next() } }
    flat.add(ensemble, truth: truth)
    narrow.add(ensemble.map { $0.map { $0 / 2 } }, truth: truth)
  }
  #expect(flat.total == 10_000)
  // 9 degrees of freedom: beyond 33 with probability 1e-4.
  #expect(flat.chiSquare < 33)
  #expect(narrow.chiSquare > 1_000)
}

@Test func fairScoreDoesNotDependOnTheSizeInTheMean() {
  var scatter = Scatter(state: 2)
  var (small, large, plain) = (RunningScore(), RunningScore(), RunningScore())
  for _ in 0..<20_000 {
    let truth = scatter.next()
    let members = (0..<16).map { _ in scatter.next() }
    small.add(fairCRPS(Array(members[..<2]), truth: truth))
    large.add(fairCRPS(members, truth: truth))
    plain.add(crps(Array(members[..<2]), truth: truth))
  }
  let (s, l, p) = (small.mean ?? .nan, large.mean ?? .nan, plain.mean ?? .nan)
  // Uniform on (-1, 1): E|x - t| / 2 = 1/3; two members score 1/6 more without the correction.
  #expect(abs(s - 1.0 / 3) < 0.015)
  #expect(abs(l - 1.0 / 3) < 0.01)
  #expect(abs(p - 0.5) < 0.01)
}

@Test func runningScoresIgnoreTheSpinUp() {
  var running = RunningScore(skipping: 2)
  #expect(running.mean == nil)
  for value in [100.0, .nan, 1, 2, 6] { running.add(value) }
  #expect(running.count == 3)
  #expect(running.mean == 3)
  #expect(abs((running.standardDeviation ?? 0) - 7.0.squareRoot()) < 1e-15)
  #expect(running.minimum == 1)
  #expect(running.maximum == 6)
  var square = RunningRootMeanSquare(skipping: 1)
  for value in [50.0, 1, 7] { square.add(value) }
  #expect(abs((square.value ?? 0) - 5) < 1e-15)
  var histogram = RankHistogram(members: 1, skipping: 1)
  histogram.add([[0]], truth: [1])
  #expect(histogram.total == 0)
  histogram.add([[0]], truth: [1])
  #expect(histogram.counts == [0, 1])
}

@Test func aBrokenCycleShowsInTheExtremes() {
  var running = RunningScore()
  for value in [1.0, .nan, 2] { running.add(value) }
  #expect(running.mean?.isNaN == true)
  #expect(running.maximum?.isNaN == true)
}

@Test func reliableRatioIsOneAfterTheCorrection() {
  #expect(spreadErrorRatio(spread: 1, error: 2) == 0.5)
  #expect(abs(spreadErrorRatio(spread: 1, error: 1.1.squareRoot(), members: 10) - 1) < 1e-15)
}
