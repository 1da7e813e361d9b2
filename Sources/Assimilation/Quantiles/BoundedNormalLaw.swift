internal import DaunceNumerics

/// A normal law cut off at the bounds, whose mean and variance are the members': the normal law itself where bounds are
/// far away. What is more skewed than an exponential law is taken as one that is nearly exponential.
package final class BoundedNormalLaw: PriorLaw {
  private var bounds = QuantityBounds()
  /// Of the law before it is cut off.
  private var mean = 0.0
  private var deviation = 1.0
  /// Probabilities of that below the lower bound, above the upper one, and in between.
  private var below = 0.0
  private var above = 0.0
  private var inside = 1.0

  /// Furthest that the uncut law's mean is beyond a bound, in its standard deviations.
  private static let furthest = 6.0
  private static let iterations = 60

  package func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds) {
    self.bounds = bounds
    let moments = memberMoments(values, members)
    (mean, deviation) = (moments.mean, moments.variance.squareRoot())
    // Fixed-point iteration on both moments.
    for _ in 0..<Self.iterations {
      cut()
      guard below + above > 1e-12 else { return }
      let found = cutMoments
      let shift = moments.mean - found.mean
      let ratio = min(max((moments.variance / found.variance).squareRoot(), 0.5), 2)
      mean += shift
      deviation *= ratio
      if bounds.lower.isFinite { mean = max(mean, bounds.lower - Self.furthest * deviation) }
      if bounds.upper.isFinite { mean = min(mean, bounds.upper + Self.furthest * deviation) }
      if abs(shift) < 1e-10 * deviation, abs(ratio - 1) < 1e-10 { break }
    }
    cut()
  }

  private func cut() {
    below = StandardNormal.upperTail((mean - bounds.lower) / deviation)
    above = StandardNormal.upperTail((bounds.upper - mean) / deviation)
    inside = probability(from: bounds.lower, to: bounds.upper)
  }

  /// Of the uncut law between two values, by the tail in which both are.
  private func probability(from low: Double, to high: Double) -> Double {
    let (a, b) = ((low - mean) / deviation, (high - mean) / deviation)
    if a > 0 { return StandardNormal.upperTail(a) - StandardNormal.upperTail(b) }
    if b < 0 { return StandardNormal.upperTail(-b) - StandardNormal.upperTail(-a) }
    return 1 - StandardNormal.upperTail(-a) - StandardNormal.upperTail(b)
  }

  /// Mean and variance of the law as it is now.
  private var cutMoments: (mean: Double, variance: Double) {
    let (a, b) = ((bounds.lower - mean) / deviation, (bounds.upper - mean) / deviation)
    let (pa, pb) = (a.isFinite ? StandardNormal.density(a) : 0, b.isFinite ? StandardNormal.density(b) : 0)
    let first = (pa - pb) / inside
    let second = 1 + ((a.isFinite ? a * pa : 0) - (b.isFinite ? b * pb : 0)) / inside
    return (mean + deviation * first, deviation * deviation * max(second - first * first, 1e-6))
  }

  package func score(of value: Double) -> Double {
    let x = bounds.clamp(value)
    return NormalScore.limited(
      lower: probability(from: bounds.lower, to: x) / inside, upper: probability(from: x, to: bounds.upper) / inside)
  }

  package func value(at score: Double) -> Double {
    // By the tail whose digits are there: the uncut law's above the value where that is the smaller one.
    let upper = above + StandardNormal.upperTail(score) * inside
    let lower = below + StandardNormal.upperTail(-score) * inside
    let z = upper < lower ? StandardNormal.upperQuantile(upper) : -StandardNormal.upperQuantile(lower)
    return bounds.clamp(mean + deviation * z)
  }
}
