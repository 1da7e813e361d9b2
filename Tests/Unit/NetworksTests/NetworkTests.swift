import DaunceNetworks
import DaunceNumerics
import Testing

private let stream = RandomStream(seed: 5, purpose: .test)

private func fill(_ tile: Activations) {
  for i in tile.input.indices {
    for lane in 0..<8 { tile.input[i][lane] = Float(stream.normal(at: 8 * i + lane)) }
  }
}

/// Half the sum of squares of the output's distance from fixed numbers.
private func loss(_ network: Network, _ tile: Activations) -> Double {
  network.forward(tile)
  var sum = 0.0
  for i in tile.output.indices {
    for lane in 0..<8 {
      let d = Double(tile.output[i][lane]) - stream.normal(at: 100_000 + 8 * i + lane)
      sum += 0.5 * d * d
    }
  }
  return sum
}

@Test(arguments: [[5, 7, 3], [4, 6, 5, 2], [3, 1], [7, 9, 4, 8]])
func networkGradientMatchesFiniteDifferences(sizes: [Int]) {
  var network = Network(sizes: sizes, outputGain: 1, stream: RandomStream(seed: 9, purpose: .test))
  let tile = Activations(network: network, vectors: 3)
  fill(tile)
  _ = loss(network, tile)
  for i in tile.output.indices {
    for lane in 0..<8 {
      tile.outputSlope[i][lane] = tile.output[i][lane] - Float(stream.normal(at: 100_000 + 8 * i + lane))
    }
  }
  var gradient = [Float](repeating: 0, count: network.parameters.count)
  let sums = GradientSums(network)
  network.backward(tile, into: sums)
  sums.write(to: &gradient)
  let scale = gradient.map(abs).max() ?? 0
  for k in network.parameters.indices {
    let kept = network.parameters[k]
    let h: Float = 5e-3
    network.parameters[k] = kept + h
    let above = loss(network, tile)
    network.parameters[k] = kept - h
    let below = loss(network, tile)
    network.parameters[k] = kept
    let difference = Float((above - below) / Double(2 * h))
    #expect(abs(difference - gradient[k]) < 2e-3 * scale, "parameter \(k)")
  }
}

@Test func tanhLayersSaturateAtOne() {
  let network = Network(sizes: [1, 1, 1], parameters: [1, 0, 1, 0])
  #expect(network != nil)
  guard let network else { return }
  let tile = Activations(network: network, vectors: 1)
  // tanh to six digits, from tables.
  let cases: [(Float, Float)] = [
    (0, 0), (1e-3, 9.999997e-4), (0.25, 0.244_918_66), (0.5, 0.462_117_16), (1, 0.761_594_16),
    (2, 0.964_027_58), (5, 0.999_909_2), (40, 1),
  ]
  for (i, (x, _)) in cases.enumerated() { tile.input[0][i] = x }
  network.forward(tile)
  for (i, (_, y)) in cases.enumerated() { #expect(abs(tile.output[0][i] - y) < 3.5e-7) }
  for (i, (x, _)) in cases.enumerated() { tile.input[0][i] = -x }
  network.forward(tile)
  for (i, (_, y)) in cases.enumerated() { #expect(abs(tile.output[0][i] + y) < 3.5e-7) }
}

@Test func adamDescendsAQuadraticBowl() {
  var adam = Adam(parameters: 3)
  var x: [Float] = [2, -3, 0.5]
  for _ in 0..<2000 {
    let gradient = zip(x, [1, 10, 100] as [Float]).map { $0 * $1 }
    adam.descend(&x, gradient: gradient, rate: 0.01, maximumNorm: 1)
  }
  for value in x { #expect(abs(value) < 1e-2) }
  let kept = x
  adam.descend(&x, gradient: [.nan, 0, 0], rate: 0.01)
  #expect(x == kept)
}

/// Every network of a bundle computes what it computes alone, to the bit, whatever its neighbours' weights are.
@Test(arguments: [[5, 7, 3], [4, 16, 11, 2], [3, 1], [7, 9, 4, 9]], [1, 2, 3, 4])
func networksSideBySideComputeTheSameBits(sizes: [Int], samples: Int) {
  let networks = (0..<8 / samples).map {
    Network(sizes: sizes, outputGain: 1, stream: RandomStream(seed: UInt64($0), purpose: .test))
  }
  let together = Activations(network: networks[0], vectors: 1)
  fill(together)
  NetworkBundle(networks, samples: samples).forward(together)
  for (n, network) in networks.enumerated() {
    let alone = Activations(network: network, vectors: 1)
    fill(alone)
    network.forward(alone)
    for o in alone.output.indices {
      for lane in n * samples..<(n + 1) * samples { #expect(together.output[o][lane] == alone.output[o][lane]) }
    }
  }
}
