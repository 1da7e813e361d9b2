/// A normal law of the members' mean and variance. Its quantile-conserving update is the ensemble adjustment's, in closed
/// form.
package final class NormalLaw: PriorLaw {
  package let knowsBounds = false
  private var mean = 0.0
  private var deviation = 1.0

  package func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds) {
    let moments = memberMoments(values, members)
    (mean, deviation) = (moments.mean, moments.variance.squareRoot())
  }

  package func score(of value: Double) -> Double { (value - mean) / deviation }
  package func value(at score: Double) -> Double { mean + deviation * score }

  package func assimilate(
    _ y: Double, error: ObservationError, scores: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>,
    members: Int, by posterior: ScorePosterior
  ) {
    guard error.isNormal else { return take(y, error, scores, moved, members, posterior) }
    let (variance, r) = (deviation * deviation, error.variance)
    let centre = mean + variance / (variance + r) * (y - mean)
    let spread = (variance * r / (variance + r)).squareRoot()
    for m in 0..<members { moved[m] = centre + spread * scores[m] }
  }
}
