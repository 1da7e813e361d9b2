import DaunceNetworks
import DaunceNumerics

/// Networks that give a normal law each, trained from different initial weights; their mixture with equal weights
/// (Lakshminarayanan et al. 2017).
enum DeepEnsemble: UsualMethod {
  static let name = "deep-ensemble"
  static func networks(of settings: UsualSettings) -> Int { settings.networks }
  static func train(_ k: Int, _ school: UsualSchool) -> Network {
    school.train(school.regression, on: school.rows, number: 2000 + k)
  }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    let laws = networks.map { $0.moments(at: x, RowEvaluator($0, vectors: 1)) }
    return (0..<school.usual.samples).map { i in
      let law = laws[i % laws.count]
      return law.location.indices.map { o in
        law.location[o] + law.scale[o] * stream.normal(at: i * law.location.count + o)
      }
    }
  }
}
