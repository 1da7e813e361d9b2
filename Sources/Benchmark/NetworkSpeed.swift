import DaunceAgents
import DaunceNetworks

/// How fast this core computes a policy network, and how fast it could: both compiled with the same settings, in one
/// process.
struct NetworkSpeed {
  /// Multiplications, each with an addition, that the network takes for one cell.
  let operationsPerCell: Int
  /// Inputs and outputs of one cell.
  let valuesPerCell: Int
  /// Multiply-adds a second in the network's forward pass, hyperbolic tangents included in the time but not counted.
  let reached: Double
  /// Multiply-adds a second when nothing has to be loaded, stored or waited for.
  let peak: Double

  /// Measures for a few hundredths of a second.
  ///
  /// - Parameter cells: of a state, one tile.
  init(of network: Network, cells: Int) {
    let vectors = (cells + Lanes.scalarCount - 1) / Lanes.scalarCount
    operationsPerCell = zip(network.sizes, network.sizes.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    valuesPerCell = (network.sizes.first ?? 0) + (network.sizes.last ?? 0)
    let tile = Activations(network: network, vectors: vectors)
    for i in tile.input.indices { tile.input[i] = Lanes(repeating: Float(i % 17) / 17 - 0.5) }
    let repeats = 100
    let seconds = Usage.fastest {
      for _ in 0..<repeats { network.forward(tile) }
    }
    reached = Double(repeats * vectors * Lanes.scalarCount * operationsPerCell) / seconds
    peak = PeakArithmetic.multiplyAdds(of: Lanes.self)
  }
}
