import Glibc

/// The gamma law of unit scale: regularised incomplete gamma functions (Abramowitz & Stegun 6.5.29 and 6.5.31) and
/// their inverse.
package struct GammaLaw: Sendable, Hashable {
  /// Shape, positive.
  package let shape: Double
  private let logGamma: Double

  package init(shape: Double) {
    precondition(shape > 0)
    self.shape = shape
    logGamma = lgamma(shape)
  }

  /// P(X < x) and P(X > x), each with its own digits.
  package func tails(_ x: Double) -> (lower: Double, upper: Double) {
    guard x > 0 else { return (0, 1) }
    guard x.isFinite else { return (1, 0) }
    let front = exp(shape * log(x) - x - logGamma)
    if x < shape + 1 {
      // x^a e^-x / Gamma(a + 1) times the sum of x^n / ((a + 1) ... (a + n)).
      var (term, sum, n) = (1 / shape, 1 / shape, 0.0)
      repeat {
        n += 1
        term *= x / (shape + n)
        sum += term
      } while term > 1e-17 * sum
      let lower = min(1, front * sum)
      return (lower, 1 - lower)
    }
    // The continued fraction 1/(x + 1 - a - 1 (1 - a)/(x + 3 - a - ...)), by Lentz's method.
    var b = x + 1 - shape
    var (c, d) = (1e300, 1 / b)
    var fraction = d
    for n in 1...10_000 {
      let a = -Double(n) * (Double(n) - shape)
      b += 2
      d = 1 / (a * d + b)
      c = b + a / c
      let factor = c * d
      fraction *= factor
      if abs(factor - 1) < 1e-16 { break }
    }
    let upper = min(1, front * fraction)
    return (1 - upper, upper)
  }

  /// The x with P(X < x) = `lower`, and P(X > x) = `upper`, whichever of the two is smaller.
  package func quantile(lower: Double, upper: Double) -> Double {
    guard lower > 0 else { return 0 }
    guard upper > 0 else { return .infinity }
    // Wilson and Hilferty's cube root is nearly normal; small shapes by the law's first term.
    let z = lower < upper ? -StandardNormal.upperQuantile(lower) : StandardNormal.upperQuantile(upper)
    let cube = 1 - 1 / (9 * shape) + z / (3 * shape.squareRoot())
    var x = cube > 0.3 ? shape * cube * cube * cube : exp((log(lower) + lgamma(shape + 1)) / shape)
    var (low, high) = (0.0, Double.infinity)
    for _ in 0..<100 {
      let found = tails(x)
      let miss = lower < upper ? found.lower - lower : upper - found.upper
      if miss > 0 { high = x } else { low = x }
      let density = exp((shape - 1) * log(x) - x - logGamma)
      var next = x - miss / density
      if !(next > low && next < high) { next = high.isFinite ? 0.5 * (low + high) : 2 * x }
      if abs(next - x) <= 1e-14 * x { return next }
      x = next
    }
    return x
  }
}
