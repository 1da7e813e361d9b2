import DaunceAssimilation
import DaunceNumerics
import Foundation
import Testing

/// Langevin processes leave densities alone that they are made for, whatever D and Q are.
@Suite struct LangevinTests {
  private static let processes = [
    LangevinProcess(), LangevinProcess(diffusivity: 0.3, friction: 2, rotation: 1),
    LangevinProcess(diffusivity: 0, friction: 1, rotation: 1), LangevinProcess(diffusivity: 1, friction: 0.5, rotation: -0.7),
  ]

  /// Moments of many particles that begin in the density.
  private func moments(
    _ process: LangevinProcess, from draw: (Int) -> Double, steps: Int, gradient: (Double) -> Double
  ) -> (mean: Double, square: Double, fourth: Double) {
    let count = 20_000
    let stream = RandomStream(seed: 12, purpose: .test)
    var sums = (0.0, 0.0, 0.0)
    for i in 0..<count {
      var (h, v) = (draw(i), stream.normal(at: 10_000_000 + i))
      for s in 0..<steps {
        process.step(&h, &v, gradient: gradient(h), time: 0.02, draws: stream.normalPair(at: i * steps + s))
      }
      sums = (sums.0 + h, sums.1 + h * h, sums.2 + h * h * h * h)
    }
    return (sums.0 / Double(count), sums.1 / Double(count), sums.2 / Double(count))
  }

  /// The standard normal law: mean 0, variance 1, fourth moment 3, but for steps of 0.02.
  @Test(arguments: processes) func normalLawStays(process: LangevinProcess) {
    let stream = RandomStream(seed: 13, purpose: .test)
    let found = moments(process, from: { stream.normal(at: $0) }, steps: 150) { -$0 }
    #expect(abs(found.mean) < 0.03 && abs(found.square - 1) < 0.05 && abs(found.fourth - 3) < 0.3, "\(found)")
  }

  /// A density of two modes, p ~ exp(-(h^2 - 1)^2), into which particles come from far away.
  @Test(arguments: processes) func twoModesAreReached(process: LangevinProcess) {
    // Moments by the trapezoidal rule.
    var (total, square, fourth) = (0.0, 0.0, 0.0)
    for i in -3_000...3_000 {
      let h = 0.001 * Double(i)
      let p = exp(-(h * h - 1) * (h * h - 1))
      (total, square, fourth) = (total + p, square + p * h * h, fourth + p * h * h * h * h)
    }
    let stream = RandomStream(seed: 14, purpose: .test)
    let found = moments(process, from: { 0.1 * stream.normal(at: $0) }, steps: 400) { -4 * $0 * ($0 * $0 - 1) }
    #expect(abs(found.mean) < 0.04, "\(found)")
    #expect(abs(found.square / (square / total) - 1) < 0.06 && abs(found.fourth / (fourth / total) - 1) < 0.1, "\(found)")
  }
}
