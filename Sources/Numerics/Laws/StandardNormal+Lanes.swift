/// Both tails of the standard normal law for eight numbers at once, in Float.
extension StandardNormal {
  /// `Q(x) = P(X > x)` for `x >= 0`, that of 12 beyond 12; relative error below 1e-5, and below 1e-6 for `x < 4`.
  ///
  /// The product `Q(x) exp(x^2 / 2)` is smooth: a polynomial of degree 8 in t = 1 / (1 + 0.3 x) without constant term,
  /// fitted for least relative error, 1.2e-7, on [0, 13].
  @inlinable @inline(__always)
  package static func upperTail(_ x: FloatLanes) -> FloatLanes {
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
  @inlinable @inline(__always)
  package static func upperQuantile(_ q: FloatLanes) -> FloatLanes {
    let r = (-2 * logarithm(q)).squareRoot()
    let square = r * r
    let n = (3.142_719_9 + 7.738_039_5 * r) + square * (1.791_179_5 + 0.048_593_025 * r)
    let d = (1 + 4.930_360_4 * r) + square * ((3.615_005 + 0.461_089_99 * r) + square * 0.007_500_905)
    return r - n / d
  }
}
