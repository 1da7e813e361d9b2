package import DaunceNumerics

/// Hidden units that are left out for one step (dropout: Srivastava et al. 2014), the same ones for all rows of it; those
/// that stay count for more. Left out is what leaves a unit, its weights in the next layer: no kernel has to know.
package struct HiddenMask {
  private let sizes: [Int]
  /// 0 or 1 / (1 - share) of every unit of every hidden layer.
  private let factors: [[Float]]

  /// - Parameters:
  ///   - share: of units that are left out, below 1.
  ///   - step: another one has another mask.
  package init(_ sizes: [Int], share: Float, _ stream: RandomStream, _ step: Int) {
    self.sizes = sizes
    let units = sizes.dropFirst().dropLast()
    var address = 1 << 31 + step * units.reduce(0, +)
    factors = units.map { count in
      (0..<count).map { _ in
        address += 1
        return stream.uniform(at: address - 1) < Double(share) ? 0 : 1 / (1 - share)
      }
    }
  }

  /// The network without these units.
  package func thin(_ network: Network) -> Network {
    var network = network
    thin(&network.parameters, of: network)
    return network
  }

  /// The same for a gradient: by the chain rule.
  package func thin(_ parameters: inout [Float], of network: Network) {
    for (l, own) in factors.enumerated() {
      let (inputs, outputs, first) = (sizes[l + 1], sizes[l + 2], network.offsets[l + 1])
      for o in 0..<outputs {
        for i in 0..<inputs { parameters[first + o * inputs + i] *= own[i] }
      }
    }
  }
}
