import DaunceNetworks
import DaunceNumerics

/// Networks trained by least squares on rows drawn with replacement, all with the same weight (Breiman 1996): what they say
/// is taken for the law.
enum Bagging: UsualMethod {
  static let name = "bagging"
  static func networks(of settings: UsualSettings) -> Int { settings.networks }
  static func train(_ k: Int, _ school: UsualSchool) -> Network {
    let stream = RandomStream(seed: school.ensemble.seed, purpose: .bootstrap, member: k)
    let count = school.rows.count
    let rows = school.rows[(0..<count).map { stream.integer(below: count, at: $0) }]
    var regression = school.regression
    regression.isLeastSquares = true
    return school.train(regression, on: rows, number: 1000 + k)
  }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    networks.map { $0.moments(at: x, RowEvaluator($0, vectors: 1)).location }
  }
}
