package import DaunceNetworks
import DaunceNumerics

/// Draws from normal laws restricted to `[alpha, inf)` in standard units, eight at once.
///
/// The same draw as `ActionDistribution.sample` (upper tail `Q(alpha) (1 - u)`), in Float: off by less than 2e-6 standard
/// deviations. Both tails keep their digits: whichever of a draw's two tail probabilities is smaller is inverted.
package enum TruncatedNormalSampler {
  /// Draws for lower limits `alpha` and uniform numbers `u`, `v` being `1 - u` with digits of its own. Increasing in
  /// `u`.
  @inline(__always)
  package static func draw(from alpha: Lanes, _ u: Lanes, _ v: Lanes) -> Lanes {
    let magnitude = lanes(bits(alpha) & 0x7FFF_FFFF)
    let tail = StandardNormal.upperTail(magnitude)
    let isAbove = alpha .> 0
    // Probabilities above and below alpha, then above and below the draw.
    let above = (1 - tail).replacing(with: tail, where: isAbove)
    let upper = above * v
    let lower = (tail + above * u).replacing(with: 1 - upper, where: isAbove)
    let isUpper = upper .< lower
    let z = StandardNormal.upperQuantile(lower.replacing(with: upper, where: isUpper))
    return (-z).replacing(with: z, where: isUpper)
  }
}
