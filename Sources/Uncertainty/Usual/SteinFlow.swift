import DaunceNetworks
import DaunceNumerics

/// Networks that flow together from the minima of a deep ensemble to a sample of p(w | rows), by `KernelFlow`. Equal weights.
enum SteinFlow: UsualMethod {
  static let name = "stein"
  /// Steps, over all rows each.
  private static let steps = 400

  static var trainsTogether: Bool { true }
  static func networks(of settings: UsualSettings) -> Int { settings.networks }
  static func train(_ k: Int, _ school: UsualSchool) -> Network { DeepEnsemble.train(k, school) }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    NetworkMixture(networks, weights: school.weights).samples(at: x, count: school.usual.samples, stream: stream)
  }

  static func together(_ networks: [Network], _ school: UsualSchool) -> [Network] {
    var networks = networks
    let posterior = WeightPosterior(school.rows, prior: school.prior)
    var flow = KernelFlow(count: networks.count, prior: school.prior, steps: steps)
    var slopes = networks.map { [Float](repeating: 0, count: $0.parameters.count) }
    var parameters = networks.map(\.parameters)
    for _ in 0..<steps {
      for i in networks.indices {
        networks[i].parameters = parameters[i]
        _ = posterior.logDensity(networks[i], gradient: &slopes[i])
      }
      flow.advance(&parameters, slopes: slopes)
    }
    for i in networks.indices { networks[i].parameters = parameters[i] }
    return networks
  }
}
