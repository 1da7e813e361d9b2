import DaunceNetworks
import DaunceNumerics
import Testing

@Suite struct RegressionTests {
  /// With a linear network and a known scatter the minima about draws from the prior, with perturbed targets, are draws from
  /// the posterior: mean and variances as linear regression has them.
  @Test func minimaOfPerturbedCostsAreThePosterior() throws {
    let stream = RandomStream(seed: 3, purpose: .test)
    let count = 24
    let x = (0..<count).map { Float(stream.normal(at: $0)) }
    let y = x.indices.map { 0.7 * x[$0] - 0.3 + Float(stream.normal(at: 100 + $0)) }
    let rows = RegressionRows(inputs: 1, outputs: 1, x: x, y: y)
    let prior = WeightPrior(sizes: [1, 2], outputGains: [0.8, 0.8])
    var regression = Regression()
    // The scale is held at 1.
    regression.isLeastSquares = true
    (regression.steps, regression.batch, regression.rate) = (600, 24, 0.05)

    // Posterior of slope and offset: precision 1/0.64 + sums.
    let (sx, sxx) = (x.reduce(0.0) { $0 + Double($1) }, x.reduce(0.0) { $0 + Double($1 * $1) })
    let sxy = zip(x, y).reduce(0.0) { $0 + Double($1.0 * $1.1) }
    let sy = y.reduce(0.0) { $0 + Double($1) }
    let p = 1 / 0.64
    let (a, b, d) = (sxx + p, sx, Double(count) + p)
    let determinant = a * d - b * b
    let mean = (slope: (d * sxy - b * sy) / determinant, offset: (a * sy - b * sxy) / determinant)
    let variance = (slope: d / determinant, offset: a / determinant)

    var (slopes, offsets) = (RunningScore(), RunningScore())
    for k in 0..<400 {
      let draw = prior.draw(RandomStream(seed: 1, purpose: .weightPrior, member: k))
      let noise = RandomStream(seed: 1, purpose: .targetPerturbation, member: k)
      var network = draw
      regression.train(
        &network, on: rows, prior: prior,
        target: .init(centre: draw.parameters, perturbations: (0..<2 * count).map { Float(noise.normal(at: $0)) }),
        stream: RandomStream(seed: 1, purpose: .regressionOrder, member: k))
      slopes.add(Double(network.parameters[0]))
      offsets.add(Double(network.parameters[2]))
    }
    let error = (slope: (variance.slope / 400).squareRoot(), offset: (variance.offset / 400).squareRoot())
    #expect(abs(try #require(slopes.mean) - mean.slope) < 4 * error.slope)
    #expect(abs(try #require(offsets.mean) - mean.offset) < 4 * error.offset)
    let ratio = (
      slope: try #require(slopes.standardDeviation) / variance.slope.squareRoot(),
      offset: try #require(offsets.standardDeviation) / variance.offset.squareRoot()
    )
    #expect(abs(ratio.slope - 1) < 0.15 && abs(ratio.offset - 1) < 0.15, "\(ratio)")
  }

  /// Location and scale of a law whose scatter grows with the input.
  @Test func networksFindScatterThatDependsOnTheInput() {
    let stream = RandomStream(seed: 4, purpose: .test)
    let x = (0..<2000).map { Float(2 * stream.uniform(at: $0) - 1) }
    let y = x.indices.map { x[$0] + (0.2 + 0.15 * x[$0]) * Float(stream.normal(at: 5000 + $0)) }
    let rows = RegressionRows(inputs: 1, outputs: 1, x: x, y: y)
    let prior = WeightPrior(sizes: [1, 16, 2], outputGains: [2, 0.5])
    var network = prior.draw(RandomStream(seed: 1, purpose: .weightPrior))
    Regression().train(&network, on: rows, prior: prior, stream: RandomStream(seed: 1, purpose: .regressionOrder))
    let tried: [Float] = [-0.8, 0, 0.8]
    let out = RowEvaluator(network).evaluate(network, x: tried)
    for (k, t) in tried.enumerated() {
      #expect(abs(out[2 * k] - t) < 0.05, "location at \(t)")
      #expect(abs(DaunceNumerics.exponential(Double(out[2 * k + 1])) / Double(0.2 + 0.15 * t) - 1) < 0.2, "scale at \(t)")
    }
  }

  @Test func priorIsANormalLaw() {
    let prior = WeightPrior(sizes: [4, 3, 2], outputGains: [2, 0.5], hiddenGain: 1, bias: 0.5)
    #expect(prior.deviations[0] == 0.5 && prior.deviations[12] == 0.5)
    #expect(prior.deviations[15] == 2 / Float(3).squareRoot() && prior.deviations[22] == 0.5)
    // A weight one standard deviation away costs half a unit.
    guard var network = Network(sizes: prior.sizes, parameters: [Float](repeating: 0, count: prior.deviations.count)) else {
      Issue.record("no network")
      return
    }
    let atZero = prior.logDensity(network)
    network.parameters[3] = prior.deviations[3]
    #expect(abs(atZero - prior.logDensity(network) - 0.5) < 1e-6)
  }

  /// Every unit is left out in its share of the steps, and the rest keeps the sum on average.
  @Test func masksLeaveOutTheirShare() {
    let network = WeightPrior(sizes: [2, 64, 2], outputGains: [1, 1]).draw(RandomStream(seed: 2, purpose: .weightPrior))
    var left = 0
    for step in 0..<100 {
      let mask = HiddenMask(network.sizes, share: 0.25, RandomStream(seed: 1, purpose: .test), step)
      let thinned = mask.thin(network)
      for unit in 0..<64 {
        let (own, other) = (network.parameters[192 + unit], thinned.parameters[192 + unit])
        #expect(other == 0 || abs(other - own / 0.75) < 1e-6)
        // Both outputs lose the same unit.
        #expect((other == 0) == (thinned.parameters[256 + unit] == 0))
        left += other == 0 ? 1 : 0
      }
    }
    #expect(abs(Double(left) / 6400 - 0.25) < 0.03)
  }
}

@Suite struct WeightInformationTests {
  /// A linear network with the scale 1: the information is the sum of outer products of (x, 1) times the squared error, and the
  /// density at the centre follows from its determinant.
  @Test func informationIsTheSumOfOuterProducts() throws {
    let prior = WeightPrior(initialisationOf: [1, 1], outputGain: 1)
    #expect(prior.deviations == [1, 1])
    let network = try #require(Network(sizes: [1, 1], parameters: [0.5, 0.25]))
    let information = WeightInformation(network)
    let (x, errors): ([Float], [Float]) = ([1, -2, 3, 0.5, 4], [0.5, 1, -1, 2, 0.25])
    var (input, slope) = (Lanes.zero, Lanes.zero)
    for k in x.indices { (input[k], slope[k]) = (x[k], errors[k]) }
    withUnsafePointer(to: input) { input in
      withUnsafePointer(to: slope) { information.add(network, input: input, slope: $0, stride: 1, samples: 5) }
    }
    #expect(information.count == 5)
    let sum = { (f: (Double) -> Double) in zip(x, errors).reduce(0.0) { $0 + Double($1.1 * $1.1) * f(Double($1.0)) } }
    let (a, b, d) = (3 * sum { $0 * $0 } + 1, 3 * sum { $0 }, 3 * sum { _ in 1 } + 1)
    let expected = 0.5 * logarithmOf(a * d - b * b) - 1.837_877_066_409_345_5
    #expect(abs(information.logDensityAtCentre(prior: prior, factor: 3) - expected) < 1e-6)
  }

  private func logarithmOf(_ x: Double) -> Double { DaunceNumerics.logarithm(SIMD4(repeating: x)).x }
}
