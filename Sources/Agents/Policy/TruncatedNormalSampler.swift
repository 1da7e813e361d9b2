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
    let tail = upperTail(magnitude)
    let isAbove = alpha .> 0
    // Probabilities above and below alpha, then above and below the draw.
    let above = (1 - tail).replacing(with: tail, where: isAbove)
    let upper = above * v
    let lower = (tail + above * u).replacing(with: 1 - upper, where: isAbove)
    let isUpper = upper .< lower
    let z = upperQuantile(lower.replacing(with: upper, where: isUpper))
    return (-z).replacing(with: z, where: isUpper)
  }

  /// `Q(x) = P(X > x)` for `x >= 0`, that of 12 beyond 12; relative error below 1e-5, and below 1e-6 for `x < 4`.
  ///
  /// The product `Q(x) exp(x^2 / 2)` is smooth: a polynomial of degree 8 in t = 1 / (1 + 0.3 x) without constant term,
  /// fitted for least relative error, 1.2e-7, on [0, 13].
  @inline(__always)
  package static func upperTail(_ x: Lanes) -> Lanes {
    let limited = atMost(12, x)
    let t = 1 / (1 + 0.3 * limited)
    // In pairs of terms, for a chain of products is what takes the time here.
    let square = t * t
    let low = (0.119_623_26 + 0.120_845_5 * t) + square * (0.099_347_29 + 0.130_415_93 * t)
    let high = (-0.057_166_41 + 0.210_117_4 * t) + square * (-0.159_377_77 + 0.036_194_73 * t)
    return t * (low + square * square * high) * exponential(-0.5 * limited * limited)
  }

  /// The `x >= 0` with `Q(x) = q`, for `1e-36 < q <= 1/2`; absolute error below 1e-6.
  ///
  /// With r = sqrt(-2 ln q), r - x is a smooth function of r: a rational function of degrees 3 and 4, fitted for least
  /// absolute error, 2e-7, on r < 13.
  @inline(__always)
  package static func upperQuantile(_ q: Lanes) -> Lanes {
    let r = (-2 * logarithm(q)).squareRoot()
    let square = r * r
    let n = (3.142_719_9 + 7.738_039_5 * r) + square * (1.791_179_5 + 0.048_593_025 * r)
    let d = (1 + 4.930_360_4 * r) + square * ((3.615_005 + 0.461_089_99 * r) + square * 0.007_500_905)
    return r - n / d
  }
}
