import DaunceNetworks
import DaunceNumerics

/// The networks of a deep ensemble with the weights that their evidence gives them.
protocol EvidenceMethod: UsualMethod {}

extension EvidenceMethod {
  static var usesEvidence: Bool { true }
  static func networks(of settings: UsualSettings) -> Int { settings.networks }
  static func train(_ k: Int, _ school: UsualSchool) -> Network { DeepEnsemble.train(k, school) }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    NetworkMixture(networks, weights: school.weights).samples(at: x, count: school.usual.samples, stream: stream)
  }
}

/// Importance weights.
enum ImportanceWeights: EvidenceMethod {
  static let name = "importance"
  static func weigh(_ networks: [Network], _ school: UsualSchool, logarithms: [Double]) -> ([Network], [Double]) {
    var weights = ParticleWeights(members: networks.count)
    weights.take(logarithms: logarithms)
    return (networks, weights.values)
  }
}

/// Importance weights to a power that leaves half of the networks as their effective number.
enum TemperedWeights: EvidenceMethod {
  static let name = "tempered"
  static func weigh(_ networks: [Network], _ school: UsualSchool, logarithms: [Double]) -> ([Network], [Double]) {
    var weights = ParticleWeights(members: networks.count)
    let exponent = ParticleWeights.temper(logarithms, least: 0.5 * Double(networks.count))
    weights.take(logarithms: logarithms.map { exponent * $0 })
    return (networks, weights.values)
  }
}

/// Networks with equal weights that the tempered ones are transported to, in the space of their parameters.
enum TransportedWeights: EvidenceMethod {
  static let name = "transport"
  static func weigh(_ networks: [Network], _ school: UsualSchool, logarithms: [Double]) -> ([Network], [Double]) {
    let weights = TemperedWeights.weigh(networks, school, logarithms: logarithms).1
    let moved = WeightTransport.move(networks, weights: weights, prior: school.prior)
    return (moved, moved.map { _ in 1 / Double(moved.count) })
  }
}

/// Mixture of the normal laws of networks.
struct NetworkMixture {
  private let networks: [Network]
  private let cumulative: [Double]

  init(_ networks: [Network], weights: [Double]) {
    self.networks = networks
    var sum = 0.0
    cumulative = weights.map { weight in
      sum += weight
      return sum
    }
  }

  /// Samples at one input, `[draw][output]`, from networks in the proportion of their weights.
  func samples(at x: [Double], count: Int, stream: RandomStream) -> [[Double]] {
    let laws = networks.map { $0.moments(at: x, RowEvaluator($0, vectors: 1)) }
    var own = 0
    return (0..<count).map { i in
      let place = (Double(i) + 0.5) / Double(count)
      while own < laws.count - 1, cumulative[own] < place { own += 1 }
      let law = laws[own]
      return law.location.indices.map { o in
        law.location[o] + law.scale[o] * stream.normal(at: i * law.location.count + o)
      }
    }
  }
}
