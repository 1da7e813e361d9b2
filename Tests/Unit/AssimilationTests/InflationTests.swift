import DaunceAssimilation
import Foundation
import Testing

/// Inflation that learns from innovations.
@Suite struct InflationTests {
  /// The mode of prior times linearised likelihood, found by trying values.
  private func mode(
    _ lambda: Double, _ deviation: Double, _ gamma: Double, _ variance: Double, _ error: Double, _ innovation: Double
  ) -> Double {
    func likelihood(_ x: Double) -> Double {
      let factor = 1 + gamma * (x.squareRoot() - 1)
      let expected = factor * factor * variance + error
      return exp(-0.5 * innovation * innovation / expected) / expected.squareRoot()
    }
    let step = 1e-5
    let slope = (likelihood(lambda + step) - likelihood(lambda - step)) / (2 * step)
    func posterior(_ x: Double) -> Double {
      let u = x - lambda
      return (likelihood(lambda) + slope * u) * exp(-0.5 * u * u / (deviation * deviation))
    }
    return stride(from: 1.0, through: 4, by: 1e-4).max { posterior($0) < posterior($1) } ?? .nan
  }

  @Test(arguments: [0.2, 0.7, 1.0], [0.5, 2.0, 4.0])
  func factorIsTheModeOfThePosterior(gamma: Double, innovation: Double) {
    let found = AdaptiveInflation.posterior(
      1.4, deviation: 0.3, correlation: gamma, variance: 0.8, errorVariance: 0.5, innovation: innovation)
    #expect(abs(found - mode(1.4, 0.3, gamma, 0.8, 0.5, innovation)) < 2e-4)
  }

  @Test func largeInnovationsInflateAndSmallOnesDoNot() {
    func after(_ innovation: Double) -> Double {
      AdaptiveInflation.posterior(
        1.5, deviation: 0.6, correlation: 1, variance: 1, errorVariance: 1, innovation: innovation)
    }
    #expect(after(4) > 1.55)
    #expect(after(0.1) < 1.45)
    // Uncorrelated elements learn nothing.
    #expect(
      AdaptiveInflation.posterior(
        1.5, deviation: 0.6, correlation: 0, variance: 1, errorVariance: 1, innovation: 4) == 1.5)
  }
}
