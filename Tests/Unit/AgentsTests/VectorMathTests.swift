import DaunceAgents
import DaunceNetworks
import Foundation
import DaunceNumerics
import Testing

/// Elementary functions of eight Floats against the C library's, in the ranges and bounds that their comments state.
@Suite struct VectorMathTests {
  /// The largest error of `f` over `range`, measured by `error(x, value)`.
  private func worst(
    over range: ClosedRange<Double>, _ f: (Lanes) -> Lanes, error: (Double, Double) -> Double
  ) -> Double {
    var worst = 0.0
    for i in 0..<20_000 {
      let x = Float(range.lowerBound + (range.upperBound - range.lowerBound) * Double(i) / 19_999)
      let values = f(Lanes(repeating: x))
      for lane in [0, 7] { worst = max(worst, error(Double(x), Double(values[lane]))) }
    }
    return worst
  }

  @Test func elementaryFunctionsAreAccurate() {
    #expect(worst(over: -12...12, DaunceNumerics.tanh) { abs($1 - Foundation.tanh($0)) } < 3.5e-7)
    #expect(worst(over: -12...12, DaunceNumerics.tanh) { _, y in abs(y) } <= 1)
    #expect(worst(over: -80...80, exponential) { abs($1 / exp($0) - 1) / (2.5e-7 + 1e-7 * abs($0)) } < 1)
    #expect(worst(over: 1e-3...4, logarithm) { abs($1 - log($0)) / max(1, abs(log($0))) } < 1.5e-7)
    #expect(worst(over: 1...1e30, logarithm) { abs($1 - log($0)) / max(1, abs(log($0))) } < 1.5e-7)
    for x: Float in [1e-37, 1e-30, 1e-10] {
      #expect(abs(Double(logarithm(Lanes(repeating: x))[3]) / log(Double(x)) - 1) < 1.5e-7)
    }
  }

  @Test func normalTailsAndQuantilesAreAccurate() {
    #expect(worst(over: 0...4, StandardNormal.upperTail) { abs($1 / StandardNormal.upperTail($0) - 1) } < 1e-6)
    #expect(worst(over: 4...12, StandardNormal.upperTail) { abs($1 / StandardNormal.upperTail($0) - 1) } < 1e-5)
    #expect(worst(over: 1e-6...0.5, StandardNormal.upperQuantile) { abs($1 - StandardNormal.upperQuantile($0)) } < 1e-6)
    for q: Float in [1e-35, 1e-20, 1e-8] {
      let x = Double(StandardNormal.upperQuantile(Lanes(repeating: q))[5])
      #expect(abs(x - StandardNormal.upperQuantile(Double(q))) < 1e-6)
    }
  }

  /// The kernel's draw is `ActionDistribution.sample`'s.
  @Test func drawsAgreeWithTheLaws() {
    let stream = RandomStream(seed: 5, purpose: .test)
    for i in 0..<50_000 {
      let (u, place) = stream.uniformPair(at: i)
      let alpha = Float(16 * place - 10)
      let drawn = TruncatedNormalSampler.draw(
        from: Lanes(repeating: alpha), Lanes(repeating: Float(u)), Lanes(repeating: Float(1 - u)))
      let law = ActionDistribution.truncated(lower: Double(alpha))
      #expect(abs(Double(drawn[2]) - law.sample(location: 0, scale: 1, uniform: u)) < 2e-6, "alpha \(alpha), u \(u)")
    }
  }

  @Test func notANumberPassesThrough() {
    let (nan, half) = (Lanes(repeating: .nan), Lanes(repeating: 0.5))
    #expect(DaunceNumerics.tanh(nan)[0].isNaN)
    #expect(exponential(nan)[0].isNaN)
    #expect(TruncatedNormalSampler.draw(from: nan, half, half)[0].isNaN)
  }
}
