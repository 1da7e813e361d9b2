import DaunceAgents
import DaunceNumerics
import Testing

private struct TruncatedNormalAnswers: Decodable {
  let mean, sd, lower, x, log_probability, expectation, variance, entropy: [Double]
}

@Test func truncatedNormalKnownAnswers() throws {
  let known = try fixture("truncated_normal", as: TruncatedNormalAnswers.self)
  for i in known.mean.indices {
    let law = ActionDistribution.truncated(lower: known.lower[i])
    let (m, s) = (known.mean[i], known.sd[i])
    #expect(agrees(law.logDensity(known.x[i], location: m, scale: s), known.log_probability[i], 1e-10))
    #expect(agrees(law.expectation(location: m, scale: s), known.expectation[i], 1e-10))
    #expect(agrees(law.variance(location: m, scale: s), known.variance[i], 1e-9))
    #expect(agrees(law.entropy(location: m, scale: s), known.entropy[i], 1e-10))
  }
}

@Test func upperQuantileInvertsTheUpperTail() {
  for exponent in stride(from: -280.0, through: -0.4, by: 1.7) {
    let q = _pow10(exponent)
    #expect(agrees(StandardNormal.upperTail(StandardNormal.upperQuantile(q)) / q, 1, 1e-10), "q = \(q)")
    if q > 1e-8 { #expect(agrees(StandardNormal.upperQuantile(1 - q), -StandardNormal.upperQuantile(q), 1e-7)) }
  }
  #expect(abs(StandardNormal.upperQuantile(0.5)) < 1e-15)
  // Where the continued fraction takes over from the quotient.
  #expect(agrees(StandardNormal.inverseMills(9.999999), StandardNormal.inverseMills(10.000001), 1e-6))
  #expect(agrees(StandardNormal.logUpperTail(9.999999), StandardNormal.logUpperTail(10.000001), 1e-6))
}

private func _pow10(_ x: Double) -> Double {
  var result = 1.0
  for _ in 0..<Int(-x) { result /= 10 }
  return result * (1 - 0.5 * (-x - (-x).rounded(.down)))
}

private let laws: [(ActionDistribution, Double, Double)] = [
  (.normal, 0.3, 0.2), (.truncated(lower: 0.1), 0.3, 0.2), (.truncated(lower: 0.1), 0.05, 0.1),
  (.truncated(lower: 0.1), -0.5, 0.1), (.softplus(lower: 0.1), 0.3, 0.2), (.softplus(lower: 0.1), 0.12, 0.3),
]

@Test(arguments: 0..<6)
func densityIntegratesToOneAndSamplesFollowIt(index: Int) {
  let (law, m, s) = laws[index]
  // Midpoint rule from far below (or the bound) to far above.
  var low = m - 9 * s
  if case .truncated(let lower) = law { low = lower }
  if case .softplus(let lower) = law { low = lower + 1e-9 }
  let high = m + 12 * s
  let count = 400_000
  let h = (high - low) / Double(count)
  var (mass, mean) = (0.0, 0.0)
  for i in 0..<count {
    let x = low + (Double(i) + 0.5) * h
    let p = _exp(law.logDensity(x, location: m, scale: s)) * h
    mass += p
    mean += p * x
  }
  #expect(agrees(mass, 1, 1e-4))
  #expect(abs(law.expectation(location: m, scale: s) - mean) < 2e-3 * s)
  // The draw is the quantile function: the midpoints of equal probabilities have the law's mean.
  var drawn = 0.0
  for i in 0..<20_000 {
    let x = law.sample(location: m, scale: s, uniform: (Double(i) + 0.5) / 20_000)
    #expect(x >= low - 1e-12 || law == .normal)
    drawn += x / 20_000
  }
  #expect(abs(drawn - mean) < 2e-3 * s)
}

@Test(arguments: laws.indices)
func cumulativeProbabilityInvertsTheDraw(index: Int) {
  let (law, m, s) = laws[index]
  for u in [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999, 1 - 1e-6] {
    let x = law.sample(location: m, scale: s, uniform: u)
    if case .clipped(let lower) = law, x == lower { continue }
    #expect(agrees(law.cumulative(x, location: m, scale: s), u, 1e-9), "\(law) at u = \(u)")
  }
  if case .truncated(let lower) = law {
    #expect(law.cumulative(lower, location: m, scale: s) == 0)
    #expect(law.cumulative(lower - 1, location: m, scale: s) == 0)
  }
}

@Test func aBrokenPolicyDoesNotLookLikeOneAtItsBound() {
  for law in [ActionDistribution.normal, .truncated(lower: 0.1), .clipped(lower: 0.1), .softplus(lower: 0.1)] {
    #expect(law.sample(location: .nan, scale: 0.2, uniform: 0.5).isNaN, "\(law)")
    #expect(law.sample(location: 0.3, scale: .nan, uniform: 0.5).isNaN, "\(law)")
  }
}

@Test(arguments: 0..<6)
func scoreFunctionIsTheGradientOfTheLogDensity(index: Int) {
  let (law, m, s) = laws[index]
  for u in [0.05, 0.3, 0.6, 0.95] {
    let x = law.sample(location: m, scale: s, uniform: u)
    let h = 1e-5
    let byLocation =
      (law.logDensity(x, location: m + h * s, scale: s) - law.logDensity(x, location: m - h * s, scale: s)) / (2 * h * s)
    let byLogScale =
      (law.logDensity(x, location: m, scale: s * _exp(h)) - law.logDensity(x, location: m, scale: s * _exp(-h))) / (2 * h)
    let score = law.scoreFunction(x, location: m, scale: s)
    #expect(agrees(score.location, byLocation, 2e-6), "u = \(u)")
    #expect(agrees(score.logScale, byLogScale, 2e-6), "u = \(u)")
  }
}

/// A power series is enough for the tests' small arguments and owes nothing to the code under test.
private func _exp(_ x: Double) -> Double {
  let halvings = 12
  let y = x / Double(1 << halvings)
  var (term, sum) = (1.0, 1.0)
  for k in 1...12 {
    term *= y / Double(k)
    sum += term
  }
  for _ in 0..<halvings { sum *= sum }
  return sum
}
