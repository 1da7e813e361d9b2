internal import DaunceNumerics

/// A gamma law above the lower bound, with the members' mean and variance. Without a lower bound it is the normal law.
package final class BoundedGammaLaw: PriorLaw {
  private let normal = NormalLaw()
  private var lower = -Double.infinity
  private var law = GammaLaw(shape: 1)
  private var scale = 1.0

  /// Shapes beyond are normal but for a thousandth of the spread; below, nearly all of the probability is at the bound.
  private static let shapes = 1e-3...1e6

  package func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds) {
    lower = bounds.lower
    normal.fit(values, members: members, bounds: bounds)
    guard lower.isFinite else { return }
    let moments = memberMoments(values, members)
    let height = max(moments.mean - lower, .leastNormalMagnitude)
    let shape = min(max(height * height / moments.variance, Self.shapes.lowerBound), Self.shapes.upperBound)
    law = GammaLaw(shape: shape)
    scale = height / shape
  }

  package func score(of value: Double) -> Double {
    guard lower.isFinite else { return normal.score(of: value) }
    let tails = law.tails((value - lower) / scale)
    return NormalScore.limited(lower: tails.lower, upper: tails.upper)
  }

  package func value(at score: Double) -> Double {
    guard lower.isFinite else { return normal.value(at: score) }
    let (below, above) = (StandardNormal.upperTail(-score), StandardNormal.upperTail(score))
    return lower + scale * law.quantile(lower: below, upper: above)
  }
}
