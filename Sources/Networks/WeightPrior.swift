public import DaunceNumerics
import Glibc

/// The prior of a network's weights, p(w): independent normal laws with mean 0, from which networks are also initialised.
///
/// Weights of a layer have the standard deviation g / sqrt(inputs), so that a layer's sums keep their size whatever its
/// width (LeCun et al. 1998; Neal 1996). An output's function has then the prior standard deviation that its gain says,
/// to within the tanh of the layers before it.
public struct WeightPrior: Sendable, Hashable {
  /// Layer sizes, input first.
  public let sizes: [Int]
  /// Standard deviation of every parameter, in the order of `Network.parameters`.
  public let deviations: [Float]

  /// - Parameters:
  ///   - sizes: layer sizes, input first.
  ///   - outputGains: of every output.
  ///   - hiddenGain: of hidden layers.
  ///   - bias: standard deviation of hidden biases.
  public init(sizes: [Int], outputGains: [Float], hiddenGain: Float = 1, bias: Float = 0.5) {
    precondition(sizes.count >= 2 && outputGains.count == sizes[sizes.count - 1])
    self.sizes = sizes
    var deviations: [Float] = []
    for l in 0..<sizes.count - 1 {
      let (inputs, outputs, isLast) = (sizes[l], sizes[l + 1], l == sizes.count - 2)
      let scale = 1 / Float(inputs).squareRoot()
      for o in 0..<outputs {
        deviations += [Float](repeating: (isLast ? outputGains[o] : hiddenGain) * scale, count: inputs)
      }
      for o in 0..<outputs { deviations.append(isLast ? outputGains[o] : bias) }
    }
    self.deviations = deviations
  }

  /// The law that `Network.init(sizes:outputGain:stream:)` draws from (Glorot & Bengio 2010). Its biases start at 0; as a
  /// prior they have the standard deviation of their layer's weights.
  public init(initialisationOf sizes: [Int], outputGain: Float) {
    precondition(sizes.count >= 2)
    self.sizes = sizes
    deviations = (0..<sizes.count - 1).flatMap { l in
      let gain = l == sizes.count - 2 ? outputGain : 1
      let deviation = gain * (2 / Float(sizes[l] + sizes[l + 1])).squareRoot()
      return [Float](repeating: deviation, count: (sizes[l] + 1) * sizes[l + 1])
    }
  }

  /// A network drawn from the prior.
  public func draw(_ stream: RandomStream) -> Network {
    let parameters = deviations.enumerated().map { $1 * Float(stream.normal(at: $0)) }
    guard let network = Network(sizes: sizes, parameters: parameters) else {
      preconditionFailure("a prior has a deviation for every parameter")
    }
    return network
  }

  /// log p(w), without the constant that all networks of these sizes share.
  public func logDensity(_ network: Network) -> Double {
    var sum = 0.0
    for (w, s) in zip(network.parameters, deviations) {
      let z = Double(w) / Double(s)
      sum -= 0.5 * z * z + log(Double(s))
    }
    return sum
  }
}
