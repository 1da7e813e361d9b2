/// How fast this core computes a policy network, and how fast it could: both compiled with the same settings, in one
/// process.
public struct ArithmeticSpeed: Sendable {
  /// Multiplications, each with an addition, that the network takes for one cell.
  public let operationsPerCell: Int
  /// Inputs and outputs of one cell.
  public let valuesPerCell: Int
  /// Multiply-adds a second in the network's forward pass, hyperbolic tangents included in the time but not counted.
  public let network: Double
  /// Multiply-adds a second when nothing has to be loaded, stored or waited for.
  public let peak: Double

  /// Measures for a few hundredths of a second.
  ///
  /// - Parameter cells: of a state, one tile.
  public init(of network: Network, cells: Int) {
    let vectors = (cells + Lanes.scalarCount - 1) / Lanes.scalarCount
    operationsPerCell = zip(network.sizes, network.sizes.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    valuesPerCell = (network.sizes.first ?? 0) + (network.sizes.last ?? 0)
    let tile = Activations(network: network, vectors: vectors)
    for i in tile.input.indices { tile.input[i] = Lanes(repeating: Float(i % 17) / 17 - 0.5) }
    let repeats = 100
    let seconds = Self.fastest {
      for _ in 0..<repeats { network.forward(tile) }
    }
    self.network = Double(repeats * vectors * Lanes.scalarCount * operationsPerCell) / seconds
    peak = max(Self.peak(Self.sixChains, chains: 6), Self.peak(Self.twelveChains, chains: 12))
  }

  /// Shortest of many runs, so that a run that had to share its core doesn't count.
  static func fastest(of runs: Int = 50, _ body: () -> Void) -> Double {
    var least = Double.infinity
    for _ in 0..<runs {
      let start = ContinuousClock.now
      body()
      least = min(least, (ContinuousClock.now - start) / .seconds(1))
    }
    return least
  }

  private static func peak(_ run: (Int, Lanes) -> Lanes, chains: Int) -> Double {
    let length = 4000
    var result = Lanes(repeating: 0.5)
    let seconds = fastest { result = run(length, result) }
    // The result is used, or there would be nothing to measure.
    return result[0].isNaN ? 0 : Double(length * chains * Lanes.scalarCount) / seconds
  }

  // x <- x m + k in independent chains, as many as fill the pipelines: twelve of wide registers, six where a group of
  // eight takes two.

  @inline(never)
  private static func sixChains(_ length: Int, _ start: Lanes) -> Lanes {
    let (m, k) = (start * 0.5, start + 1)
    var (a, b, c, d, e, f) = (m, k, m + k, m - k, m + 2, k + 2)
    for _ in 0..<length {
      a = a * m + k
      b = b * m + k
      c = c * m + k
      d = d * m + k
      e = e * m + k
      f = f * m + k
    }
    return (a + b + c + d + e + f) * 0.01
  }

  @inline(never)
  private static func twelveChains(_ length: Int, _ start: Lanes) -> Lanes {
    let (m, k) = (start * 0.5, start + 1)
    var (a, b, c, d, e, f) = (m, k, m + k, m - k, m + 2, k + 2)
    var (g, h, i, j, o, p) = (m + 3, k + 3, m + 4, k + 4, m + 5, k + 5)
    for _ in 0..<length {
      a = a * m + k
      b = b * m + k
      c = c * m + k
      d = d * m + k
      e = e * m + k
      f = f * m + k
      g = g * m + k
      h = h * m + k
      i = i * m + k
      j = j * m + k
      o = o * m + k
      p = p * m + k
    }
    return (a + b + c + d + e + f + g + h + i + j + o + p) * 0.005
  }
}
