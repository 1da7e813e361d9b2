#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
public import DaunceNumerics

/// Reads a stream's numbers one after the other: for samplers that reject, and so need an unknown count of them.
public struct StreamCursor {
  /// The stream that is read.
  public let stream: RandomStream
  /// Address of the next block of two numbers.
  public var index: Int

  /// Starts at block `index` of a stream.
  public init(_ stream: RandomStream, at index: Int = 0) {
    self.stream = stream
    self.index = index
  }

  mutating func uniformPair() -> (Double, Double) {
    defer { index &+= 1 }
    return stream.uniformPair(at: index)
  }

  mutating func normal() -> Double {
    defer { index &+= 1 }
    return stream.normalPair(at: index).0
  }
}

/// Transition over one step of the square-root (Feller) diffusion dX = b X dt + sqrt(A |b| X) dW, with b frozen.
///
/// With m = exp(b dt) - 1 and c = 2 / (A |m|), X(dt) = G / c where G is gamma distributed with shape N and N is Poisson
/// distributed with mean c x (1 + m); N = 0 gives 0, which is absorbing, so whoever uses it needs a floor (Feller
/// 1951). The mean is x (1 + m), the variance A x (1 + m) |m|.
public struct SquareRootTransition: Sendable, Hashable {
  /// x, the value at the start, positive.
  public let start: Double
  /// m = exp(b dt) - 1.
  public let growth: Double
  /// A, the noise amplitude dA.
  public let amplitude: Double

  /// A transition from `start`, positive, with growth m and noise amplitude A; all in the model's units.
  public init(start: Double, growth: Double, amplitude: Double) {
    self.start = start
    self.growth = growth
    self.amplitude = amplitude
  }

  /// Mean of the value at the end.
  public var mean: Double { start * (1 + growth) }
  /// Variance of the value at the end.
  public var variance: Double { amplitude * start * (1 + growth) * abs(growth) }

  /// Draws X(dt) >= 0.
  ///
  /// Above a Poisson mean of 1e9 the relative standard deviation is below 5e-5 and the skewness below 7e-5; a normal
  /// number is drawn there.
  public func sample(_ random: inout StreamCursor) -> Double {
    let scale = amplitude * abs(growth) / 2
    guard scale > 0 else { return mean }
    let events = mean / scale
    guard events < 1e9 else { return mean + variance.squareRoot() * random.normal() }
    let shape = poisson(mean: events, &random)
    return shape == 0 ? 0 : scale * gamma(shape: shape, &random)
  }
}

/// A Poisson number: inversion below a mean of 12, transformed rejection with squeeze above (PTRS, Hörmann 1993).
private func poisson(mean: Double, _ random: inout StreamCursor) -> Double {
  if mean < 12 {
    let u = random.uniformPair().0
    var (count, probability) = (0.0, exp(-mean))
    var cumulated = probability
    // The bound only matters when rounding keeps the sum below u.
    while u > cumulated, count < 200 {
      count += 1
      probability *= mean / count
      cumulated += probability
    }
    return count
  }
  let b = 0.931 + 2.53 * mean.squareRoot()
  let a = -0.059 + 0.02483 * b
  let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  let squeeze = 0.9277 - 3.6224 / (b - 2)
  while true {
    let pair = random.uniformPair()
    let (u, v) = (pair.0 - 0.5, pair.1)
    let edge = 0.5 - abs(u)
    let count = ((2 * a / edge + b) * u + mean + 0.43).rounded(.down)
    if edge >= 0.07, v <= squeeze { return count }
    if count < 0 || (edge < 0.013 && v > edge) { continue }
    let accepted = log(v * inverseAlpha / (a / (edge * edge) + b))
    if accepted <= -mean + count * log(mean) - logFactorial(count) { return count }
  }
}

/// A gamma number of unit scale, shape >= 1 (Marsaglia & Tsang 2000).
private func gamma(shape: Double, _ random: inout StreamCursor) -> Double {
  let d = shape - 1.0 / 3
  let c = 1 / (9 * d).squareRoot()
  while true {
    let x = random.normal()
    let u = random.uniformPair().0
    let root = 1 + c * x
    guard root > 0 else { continue }
    let v = root * root * root
    let square = x * x
    if u < 1 - 0.0331 * square * square { return d * v }
    if log(u) < 0.5 * square + d * (1 - v + log(v)) { return d * v }
  }
}

/// ln k! by Stirling's series, within 1e-12.
private func logFactorial(_ k: Double) -> Double {
  // Small arguments are carried up to where the series has converged.
  var (x, product) = (k + 1, 1.0)
  while x < 12 {
    product *= x
    x += 1
  }
  let inverse = 1 / x
  let t = inverse * inverse
  let series = inverse * (1.0 / 12 - t * (1.0 / 360 - t * (1.0 / 1260 - t / 1680)))
  return (x - 0.5) * log(x) - x + 0.5 * log(2 * Double.pi) + series - log(product)
}
