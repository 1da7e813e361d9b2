import DaunceNumerics

/// Networks of one shape side by side: samples of the first, then of the second and so on fill the eight lanes of one
/// vector. Every lane has the weights of its own network, and its sums run in the same order as in that network alone:
/// the same bits.
public final class NetworkBundle {
  private let sizes: [Int]
  /// Layer by layer `[input][output]`, then biases `[output]`.
  private let parameters: Workspace<Lanes>
  private let offsets: [Int]

  /// - Parameters:
  ///   - networks: of the same sizes.
  ///   - samples: of each network; no more than eight together.
  public init(_ networks: [Network], samples: Int) {
    precondition(!networks.isEmpty && networks.allSatisfy { $0.sizes == networks[0].sizes })
    precondition(samples > 0 && networks.count * samples <= Lanes.scalarCount)
    (sizes, offsets) = (networks[0].sizes, networks[0].offsets)
    parameters = Workspace(repeating: .zero, count: networks[0].parameters.count)
    for lane in 0..<networks.count * samples { put(networks[lane / samples], lane: lane) }
  }

  /// Gives one lane a network's parameters.
  private func put(_ network: Network, lane: Int) {
    for l in 0..<network.layers {
      let (inputs, outputs) = (sizes[l], sizes[l + 1])
      let (layer, first) = (parameters.start + offsets[l], network.offsets[l])
      for o in 0..<outputs {
        for i in 0..<inputs { layer[i * outputs + o][lane] = network.parameters[first + o * inputs + i] }
        layer[inputs * outputs + o][lane] = network.parameters[first + inputs * outputs + o]
      }
    }
  }

  /// Computes `tile.output` from `tile.input`, of one vector each.
  public func forward(_ tile: Activations) {
    precondition(tile.vectors == 1 && tile.sizes == sizes)
    for l in 0..<sizes.count - 1 {
      guard let x = tile.values[l].baseAddress, let y = tile.values[l + 1].baseAddress else { return }
      affineSideBySide(weights: parameters.start + offsets[l], inputs: sizes[l], outputs: sizes[l + 1], x, y)
      guard l < sizes.count - 2 else { return }
      for o in 0..<sizes[l + 1] { y[o] = tanh(y[o]) }
    }
  }
}
