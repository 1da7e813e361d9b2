import DaunceNetworks
import DaunceNumerics
import Glibc
import Testing

@Suite struct WeightPosteriorTests {
  private func rows(_ count: Int) -> RegressionRows {
    let stream = RandomStream(seed: 5, purpose: .test)
    let x = (0..<2 * count).map { Float(stream.normal(at: $0)) }
    let y = (0..<count).map { Float(sin(2 * Double(x[2 * $0])) + 0.3 * stream.normal(at: 1000 + $0)) }
    return RegressionRows(inputs: 2, outputs: 1, x: x, y: y)
  }

  /// The gradient against differences, with rows that do not fill the last vectors.
  @Test func gradientIsThatOfTheDensity() throws {
    let prior = WeightPrior(sizes: [2, 5, 4, 2], outputGains: [1, 0.5])
    let posterior = WeightPosterior(rows(77), prior: prior)
    let network = prior.draw(RandomStream(seed: 1, purpose: .weightPrior))
    var gradient = [Float](repeating: 0, count: prior.deviations.count)
    let density = posterior.logDensity(network, gradient: &gradient)
    #expect(abs(density - (posterior.logLikelihood(network) + prior.logDensity(network))) < 1e-9)
    var unused = gradient
    for k in stride(from: 0, to: prior.deviations.count, by: 3) {
      var (above, below) = (network, network)
      above.parameters[k] += 0.01
      below.parameters[k] -= 0.01
      let slope =
        (posterior.logDensity(above, gradient: &unused) - posterior.logDensity(below, gradient: &unused))
        / Double(above.parameters[k] - below.parameters[k])
      #expect(abs(slope - Double(gradient[k])) < 0.02 * abs(slope) + 0.2, "\(k): \(gradient[k]) in place of \(slope)")
    }
  }

  /// With inputs of 0 two biases are all that rows tell: their law on a grid, and the prior for the rest.
  @Test func hamiltonianChainsEndInThePosterior() throws {
    let stream = RandomStream(seed: 2, purpose: .test)
    let y = (0..<20).map { Float(0.4 + 0.5 * stream.normal(at: $0)) }
    let rows = RegressionRows(inputs: 1, outputs: 1, x: [Float](repeating: 0, count: 20), y: y)
    let prior = WeightPrior(sizes: [1, 2], outputGains: [0.8, 0.8])
    let posterior = WeightPosterior(rows, prior: prior)
    func network(_ m: Double, _ s: Double) throws -> Network {
      try #require(Network(sizes: [1, 2], parameters: [0, 0, Float(m), Float(s)]))
    }
    var (total, means, squares) = (0.0, [0.0, 0.0], [0.0, 0.0])
    for i in 0..<120 {
      for j in 0..<120 {
        let place = [-0.4 + 1.6 * Double(i) / 119, -1.6 + 2 * Double(j) / 119]
        let law = try network(place[0], place[1])
        let weight = exp(posterior.logLikelihood(law) + prior.logDensity(law))
        total += weight
        for k in 0..<2 {
          means[k] += weight * place[k]
          squares[k] += weight * place[k] * place[k]
        }
      }
    }
    let chains = 600
    var draws = [[Double]](repeating: [], count: 4)
    var accepted = 0.0
    for k in 0..<chains {
      let end = HamiltonianMonteCarlo(paths: 24).draw(
        from: try network(0, 0), posterior, prior: prior, stream: RandomStream(seed: 4, purpose: .weightChain, member: k))
      for p in 0..<4 { draws[p].append(Double(end.network.parameters[p])) }
      accepted += end.accepted / Double(chains)
    }
    #expect(accepted > 0.6 && accepted < 0.99, "\(accepted)")
    for p in 0..<4 {
      let mean = draws[p].reduce(0, +) / Double(chains)
      let variance = draws[p].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(chains)
      let exact = p < 2 ? (mean: 0, variance: 0.64) : (mean: means[p - 2] / total, variance: squares[p - 2] / total - means[p - 2] * means[p - 2] / total / total)
      #expect(abs(mean - exact.mean) < 4 * (exact.variance / Double(chains)).squareRoot(), "\(p): \(mean), \(exact.mean)")
      #expect(abs(variance / exact.variance - 1) < 0.25, "\(p): \(variance), \(exact.variance)")
    }
  }

  /// Places far from the middle of a normal law flow to it and stay apart.
  @Test func kernelFlowSpreadsOverTheLaw() throws {
    let prior = WeightPrior(sizes: [1, 1], outputGains: [1])
    let stream = RandomStream(seed: 6, purpose: .test)
    var places = (0..<40).map { [Float(3 + 0.1 * stream.normal(at: 2 * $0)), Float(-2 + 0.1 * stream.normal(at: 2 * $0 + 1))] }
    var flow = KernelFlow(count: 40, prior: prior, steps: 1500, rate: 0.05)
    for _ in 0..<1500 { flow.advance(&places, slopes: places.map { [-($0[0] - 1) / 0.25, -$0[1]] }) }
    for (k, exact) in [(mean: 1.0, deviation: 0.5), (mean: 0.0, deviation: 1.0)].enumerated() {
      let values = places.map { Double($0[k]) }
      let mean = values.reduce(0, +) / 40
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40).squareRoot()
      #expect(abs(mean - exact.mean) < 0.1 * exact.deviation && abs(deviation / exact.deviation - 1) < 0.25, "\(mean) \(deviation)")
    }
  }

  /// Hidden units in another order and with other signs are found again; the function is the same.
  @Test func alignedNetworksAreTheSameFunction() throws {
    let prior = WeightPrior(sizes: [3, 6, 5, 2], outputGains: [1, 1])
    let network = prior.draw(RandomStream(seed: 1, purpose: .weightPrior))
    let other = prior.draw(RandomStream(seed: 2, purpose: .weightPrior))
    let x = (0..<30).map { Float(0.1 * Double($0) - 1.5) }
    let aligned = network.aligned(to: other)
    #expect(aligned != network)
    let outputs = [network, aligned].map { RowEvaluator($0).evaluate($0, x: x) }
    #expect(zip(outputs[0], outputs[1]).allSatisfy { abs($0 - $1) < 1e-5 })
    // Back to where it came from.
    let back = aligned.aligned(to: network)
    #expect(back == network)
  }

  /// Of a heavy network and light ones all become the heavy one; of equal ones the mean stays.
  @Test func transportGoesWhereTheWeightsAre() throws {
    let prior = WeightPrior(sizes: [1, 2], outputGains: [1, 1])
    let networks = (0..<5).map { prior.draw(RandomStream(seed: 9, purpose: .weightPrior, member: $0)) }
    let one = WeightTransport.move(networks, weights: [0, 0, 1, 0, 0], prior: prior)
    for network in one {
      for (a, b) in zip(network.parameters, networks[2].parameters) { #expect(abs(a - b) < 1e-4) }
    }
    let weights = [0.1, 0.3, 0.2, 0.15, 0.25]
    let moved = WeightTransport.move(networks, weights: weights, prior: prior)
    for k in 0..<4 {
      let mean = moved.reduce(0.0) { $0 + Double($1.parameters[k]) / 5 }
      let weighted = zip(networks, weights).reduce(0.0) { $0 + $1.1 * Double($1.0.parameters[k]) }
      #expect(abs(mean - weighted) < 1e-4)
    }
  }
}
