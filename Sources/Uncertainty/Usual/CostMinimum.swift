import DaunceNetworks
import DaunceNumerics

/// The one network at the cost function's minimum, and what it says: a point, without any uncertainty.
enum CostMinimum: UsualMethod {
  static let name = "minimum"
  static func networks(of settings: UsualSettings) -> Int { 1 }
  static func train(_ k: Int, _ school: UsualSchool) -> Network {
    school.train(school.regression, on: school.rows, number: k)
  }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    networks.map { $0.moments(at: x, RowEvaluator($0, vectors: 1)).location }
  }
}
