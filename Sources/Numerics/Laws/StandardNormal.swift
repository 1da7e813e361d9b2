import Glibc

/// The standard normal law, accurate in both tails.
public enum StandardNormal {
  /// Density `phi(x)`.
  public static func density(_ x: Double) -> Double {
    exp(-0.5 * x * x) * 0.398942280401432677939946
  }

  /// Upper tail `Q(x) = P(X > x)`.
  public static func upperTail(_ x: Double) -> Double { 0.5 * erfc(x * 0.5.squareRoot()) }

  /// `log Q(x)`, finite for every finite `x`.
  public static func logUpperTail(_ x: Double) -> Double {
    x < 10 ? log(upperTail(x)) : -0.5 * x * x - 0.5 * log(2 * Double.pi) - log(inverseMills(x))
  }

  /// `phi(x) / Q(x)`: the inverse Mills ratio, the mean of the normal truncated to `[x, inf)`.
  public static func inverseMills(_ x: Double) -> Double {
    if x < 10 { return density(x) / upperTail(x) }
    // Laplace's continued fraction x + 1/(x + 2/(x + 3/(x + ...))); sixteen terms reach rounding beyond x = 10.
    var tail = x
    for k in stride(from: 16, through: 1, by: -1) { tail = x + Double(k) / tail }
    return tail
  }

  /// The `x` with `Q(x) = q` for `0 < q < 1`.
  ///
  /// Hastings' rational approximation (Abramowitz & Stegun 26.2.23) is off by less than 4.5e-4; each Halley step cubes
  /// that, so two steps reach rounding.
  public static func upperQuantile(_ q: Double) -> Double {
    if q > 0.5 { return -upperQuantile(1 - q) }
    let t = (-2 * log(q)).squareRoot()
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    let denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    var x = t - numerator / denominator
    for _ in 0..<2 {
      let residual = (upperTail(x) - q) / density(x)
      x += residual / (1 - 0.5 * residual * x)
    }
    return x
  }
}
