internal import DaunceEnsemble
internal import DaunceNumerics

/// A mixture of normal kernels on the members, `KernelPosterior`'s, whose posterior is another one: the exact answer to what
/// `Diffusion` approaches by steps.
package final class KernelDensityLaw: PriorLaw {
  package let knowsBounds = false
  private let members: Int
  private let kernels: KernelPosterior
  private let anomalies: Workspace<Double>
  private var mean = 0.0
  private var deviation = 1.0

  private let shape: KernelShape

  package init(members: Int, shape: KernelShape) {
    (self.members, self.shape) = (members, shape)
    kernels = KernelPosterior(members: members)
    anomalies = Workspace(repeating: 0, count: PartialEnsemble.stride(of: members))
  }

  package func fit(_ values: UnsafePointer<Double>, members: Int, bounds: QuantityBounds) {
    mean = memberMoments(values, members).mean
    for m in 0..<members { anomalies.start[m] = values[m] - mean }
    deviation = kernels.take(anomalies.start, shape: shape).squareRoot()
  }

  package func score(of value: Double) -> Double { score(of: value - mean, in: kernels.prior) }
  package func value(at score: Double) -> Double { mean + place(of: score, in: kernels.prior, from: deviation * score) }

  package func assimilate(
    _ y: Double, error: ObservationError, scores: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>,
    members: Int, by posterior: ScorePosterior
  ) {
    guard error.isNormal else { return take(y, error, scores, moved, members, posterior) }
    kernels.observe(y - mean, errorVariance: error.variance)
    for m in 0..<members { moved[m] = mean + place(of: scores[m], in: kernels.posterior, from: y - mean) }
  }

  /// Probabilities below and above a value, and its density.
  private func tails(
    _ x: Double, _ kernels: KernelPosterior.Kernels
  ) -> (lower: Double, upper: Double, density: Double) {
    var (lower, upper, density) = (0.0, 0.0, 0.0)
    for n in 0..<members {
      let w = kernels.weights.start[n]
      guard w > 1e-12 else { continue }
      let s = max(kernels.variances.start[n].squareRoot(), 1e-9 * deviation)
      let z = (x - kernels.centres.start[n]) / s
      let tail = StandardNormal.upperTail(abs(z))
      lower += w * (z < 0 ? tail : 1 - tail)
      upper += w * (z < 0 ? 1 - tail : tail)
      density += w * StandardNormal.density(z) / s
    }
    return (lower, upper, density)
  }

  private func score(of x: Double, in kernels: KernelPosterior.Kernels) -> Double {
    let found = tails(x, kernels)
    let score = NormalScore.of(lower: found.lower, upper: found.upper)
    return min(max(score, -NormalScore.furthest), NormalScore.furthest)
  }

  /// Where all but nothing of a mixture's probability is.
  private func ends(_ kernels: KernelPosterior.Kernels) -> (low: Double, high: Double) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for n in 0..<members where kernels.weights.start[n] > 1e-12 {
      let reach = (NormalScore.furthest + 3) * max(kernels.variances.start[n].squareRoot(), 1e-9 * deviation)
      low = min(low, kernels.centres.start[n] - reach)
      high = max(high, kernels.centres.start[n] + reach)
    }
    return (low, high)
  }

  /// The value of a score, by Newton's method within what is known to hold it.
  private func place(of score: Double, in kernels: KernelPosterior.Kernels, from start: Double) -> Double {
    let score = min(max(score, -NormalScore.furthest), NormalScore.furthest)
    let (lower, upper) = (StandardNormal.upperTail(-score), StandardNormal.upperTail(score))
    var (low, high) = ends(kernels)
    var x = start > low && start < high ? start : 0.5 * (low + high)
    for _ in 0..<100 {
      let found = tails(x, kernels)
      let miss = lower < upper ? found.lower - lower : upper - found.upper
      if miss > 0 { high = x } else { low = x }
      var next = x - miss / found.density
      if !(next > low && next < high) { next = 0.5 * (low + high) }
      if abs(next - x) < 1e-10 * deviation { return next }
      x = next
    }
    return x
  }
}
