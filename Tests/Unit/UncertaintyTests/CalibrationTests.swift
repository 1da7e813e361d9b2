import DaunceNumerics
import DaunceUncertainty
import Testing

@Suite struct CalibrationTests {
  private let stream = RandomStream(seed: 11, purpose: .test)

  /// What `scale` times too wide a normal law gets for standard normal truths around known centres.
  private func scores(scale: Double, count: Int = 2000) throws -> Calibration.Scores {
    var calibration = Calibration()
    for k in 0..<count {
      let centre = 2 * stream.normal(at: k)
      let samples = (0..<199).map { i in
        centre - scale * StandardNormal.upperQuantile((Double(i) + 0.5) / 199)
      }
      calibration.add(samples, truth: centre + stream.normal(at: 100_000 + k))
    }
    return try #require(calibration.scores)
  }

  @Test func rightLawsAreCalibrated() throws {
    let s = try scores(scale: 1)
    for (share, nominal) in zip(s.coverage, Calibration.intervals) { #expect(abs(share - nominal) < 0.03) }
    // CRPS of a standard normal law: 0.5642; of the climatology, a normal law with variance 5: sqrt(5) times that.
    #expect(abs(s.crps - 0.5642) < 0.02)
    #expect(abs(s.uncertainty - 1.2616) < 0.05)
    #expect(s.reliability < 0.004)
    #expect(abs(s.crps - (s.reliability - s.resolution + s.uncertainty)) < 1e-12)
    #expect(abs(s.width[1] - 2 * 1.2816) < 0.02)
    #expect(s.pit.reduce(0, +) == 2000 && s.pit.allSatisfy { abs($0 - 100) < 45 })
    #expect(abs(s.rmse / s.spread - 1) < 0.05)
  }

  @Test func narrowAndWideLawsAreFoundOut() throws {
    let (narrow, right, wide) = (try scores(scale: 0.4), try scores(scale: 1), try scores(scale: 2.5))
    // A central half of 0.4 standard deviations' width holds 2 Phi(0.27) - 1 of them.
    #expect(abs(narrow.coverage[0] - 0.2127) < 0.03)
    #expect(abs(wide.coverage[0] - 0.9083) < 0.03)
    #expect(narrow.reliability > 10 * right.reliability && wide.reliability > 10 * right.reliability)
    #expect(narrow.crps > right.crps && wide.crps > right.crps)
    #expect(narrow.pit[0] > 3 * right.pit[0] && wide.pit[0] < right.pit[0])
  }

  /// Two samples 0 and 1, found: 0.25 and 2. By Hersbach's formulas: g, o of the middle step and of what is beyond.
  @Test func reliabilityByHand() throws {
    var calibration = Calibration()
    calibration.add([0, 1], truth: 0.25)
    calibration.add([1, 0], truth: 2)
    let s = try #require(calibration.scores)
    // Middle: alpha (0.25 + 1) / 2, beta 0.75 / 2, o = 0.375; p = 0.5. Above: alpha 1 / 2, o = 0.5; p = 1.
    let middle = 1.0 * (0.375 - 0.5) * (0.375 - 0.5)
    let above = (0.5 / 0.5) * (0.5 - 1) * (0.5 - 1)
    #expect(abs(s.reliability - (middle + above)) < 1e-12)
    // CRPS: (0.25 * 0.25 + 0.75 * 0.25) and 0.25 + 1, halved.
    #expect(abs(s.crps - (0.25 + 1.25) / 2) < 1e-12)
    #expect(abs(s.uncertainty - 0.4375) < 1e-12)
  }

  @Test func pointsHaveTheirDistanceAsScore() throws {
    var calibration = Calibration()
    calibration.add([1], truth: 3)
    calibration.add([2], truth: 1)
    let s = try #require(calibration.scores)
    #expect(s.crps == 1.5 && s.coverage == [0, 0, 0] && s.width == [0, 0, 0] && s.spread == 0)
  }

  /// A pdf's integral is 1, on linear and on logarithmic scales.
  @Test(arguments: [false, true])
  func densitiesIntegrateToOne(isLogarithmic: Bool) {
    let values = (0..<500).map { DaunceNumerics.exponential(0.6 * stream.normal(at: $0)) }
    let variable = Variable(name: "x", values: values, isLogarithmic: isLogarithmic)
    let density = KernelDensity(values, variable, points: 400)
    var sum = 0.0
    for k in 1..<400 {
      sum += 0.5 * (density.density[k] + density.density[k - 1]) * (density.values[k] - density.values[k - 1])
    }
    #expect(abs(sum - 1) < 0.01, "\(sum)")
  }
}
