import DaunceNetworks
import DaunceNumerics

/// One least-squares network, trained and evaluated with hidden units left out at random, and normal noise of the testing
/// residuals' variance (Gal & Ghahramani 2016).
enum MonteCarloDropout: UsualMethod {
  static let name = "mc-dropout"
  static func networks(of settings: UsualSettings) -> Int { 1 }
  static func train(_ k: Int, _ school: UsualSchool) -> Network {
    var regression = school.regression
    regression.isLeastSquares = true
    regression.dropout = Float(school.usual.dropout)
    return school.train(regression, on: school.rows, number: 3000 + k)
  }
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]] {
    let evaluator = RowEvaluator(networks[0], vectors: 1)
    return (0..<school.usual.samples).map { i in
      let mask = HiddenMask(networks[0].sizes, share: Float(school.usual.dropout), stream, i)
      let location = mask.thin(networks[0]).moments(at: x, evaluator).location
      return location.indices.map { o in
        location[o] + school.residualVariances[o].squareRoot() * stream.normal(at: i * location.count + o)
      }
    }
  }
}
