import DaunceNumerics
import DaunceUncertainty
import Glibc
import Testing

@Suite struct ResidualLawTests {
  /// Residuals that are normal with a mean and a deviation that depend on how sure the prediction is.
  private func counts(truths: Int, each: Int, shift: Double = 0) -> [ResidualCounts] {
    (0..<truths).map { t in
      var counts = ResidualCounts(fields: 2)
      let stream = RandomStream(seed: 3, purpose: .test, member: t)
      for i in 0..<each {
        let isSure = i % 2 == 0
        let own = shift * stream.normal(at: each + t)
        counts.add(
          field: 1, variance: isSure ? 0.01 : 4, residual: (isSure ? 0.5 : -1) + own + (isSure ? 2 : 0.5) * stream.normal(at: i))
      }
      return counts
    }
  }

  @Test func everyClassHasItsOwnLaw() {
    let law = ResidualLaw(counts(truths: 20, each: 5000), fields: 2, classes: 2, draws: 200, seed: 1)
    for (variance, mean, deviation) in [(0.01, 0.5, 2.0), (4.0, -1.0, 0.5)] {
      let own = law.law(field: 1, variance: variance)
      #expect(abs(own.mean - mean) < 0.03 && abs(own.variance.squareRoot() / deviation - 1) < 0.02)
      for (probability, z) in [(0.025, -1.96), (0.25, -0.6745), (0.5, 0.0), (0.9, 1.2816)] {
        #expect(abs(own.quantile(probability) - (mean + z * deviation)) < 0.06 * deviation + 0.01)
      }
      #expect(zip([0.1, 0.2, 0.7], [0.2, 0.7, 0.9]).allSatisfy { own.quantile($0) < own.quantile($1) })
    }
    // One class has both.
    let one = ResidualLaw(counts(truths: 20, each: 5000), fields: 2, classes: 1, draws: 200, seed: 1)
    #expect(abs(one.law(field: 1, variance: 0.01).mean + 0.25) < 0.03)
    #expect(one.law(field: 1, variance: 0.01).mean == one.law(field: 1, variance: 100).mean)
    // A field without any residual.
    let none = law.law(field: 0, variance: 1)
    #expect(none.mean == 0 && none.variance == 1 && abs(none.quantile(0.975) - 1.96) < 0.01)
  }

  /// Truths that are off together make the testing data's part: the variance of a mean over so many truths.
  @Test func chanceOfTheTruthsIsThePartOfTheTestingData() {
    let law = ResidualLaw(counts(truths: 40, each: 2000, shift: 1), fields: 2, classes: 1, draws: 2000, seed: 1)
    let testing = law.law(field: 1, variance: 1).testing
    #expect(abs(testing * 40 - 1) < 0.5, "\(testing * 40)")
    let calm = ResidualLaw(counts(truths: 40, each: 2000), fields: 2, classes: 1, draws: 2000, seed: 1)
    #expect(calm.law(field: 1, variance: 1).testing < 0.05 * testing)
  }

  /// The parts add up to the law's variance, whatever the sources make.
  @Test func partsAddUp() {
    let law = ResidualLaw(counts(truths: 10, each: 2000), fields: 2, classes: 2, draws: 100, seed: 1)
    var parts = PairedVariance.Parts()
    (parts.mean, parts.square) = (3, 0.01)
    (parts.newInput, parts.trainingData, parts.weights, parts.interaction) = (0.002, 0.001, 0.003, -0.0005)
    for variance in [0.01, 4.0] {
      let own = law.law(field: 1, variance: variance)
      let apart = parts.bySource(own)
      #expect(abs(apart.total / (0.01 * own.variance) - 1) < 1e-12)
      #expect(abs(apart.mean - (3 + 0.1 * own.mean)) < 1e-12)
      #expect(apart.parts[4] >= -1e-15)
      // What residuals do not allow, sources do not make.
      let isHeld = 0.0055 > 0.01 * (own.variance - own.testing)
      #expect(isHeld == (apart.parts[0] < 0.002 - 1e-12) && isHeld == (abs(apart.parts[4]) < 1e-15))
      #expect(abs(apart.parts[3] / apart.parts[0] - 1.5) < 1e-9)
    }
  }
}
