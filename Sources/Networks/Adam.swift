/// Adam (Kingma & Ba 2015) with bias correction, and its state.
public struct Adam: Sendable, Hashable {
  /// First moments, one a parameter.
  public var first: [Float]
  /// Second moments, one a parameter.
  public var second: [Float]
  /// Steps taken so far.
  public var step: Int

  /// Zero moments for a network of `parameters` parameters.
  public init(parameters: Int) {
    first = [Float](repeating: 0, count: parameters)
    second = [Float](repeating: 0, count: parameters)
    step = 0
  }

  /// Moves `parameters` against `gradient` with learning rate `rate`.
  ///
  /// - Parameter maximumNorm: the gradient is scaled down to this Euclidean norm if it is longer.
  public mutating func descend(
    _ parameters: inout [Float], gradient: [Float], rate: Float, maximumNorm: Float = .infinity
  ) {
    let (beta1, beta2, epsilon): (Float, Float, Float) = (0.9, 0.999, 1e-5)
    step += 1
    var squares: Float = 0
    for g in gradient { squares += g * g }
    let norm = squares.squareRoot()
    // A gradient that is not finite carries no direction: leave the parameters as they are.
    guard norm.isFinite else { return }
    let scale = norm > maximumNorm ? maximumNorm / norm : 1
    let correction1 = 1 - power(beta1, step)
    let correction2 = 1 - power(beta2, step)
    for k in parameters.indices {
      let g = scale * gradient[k]
      first[k] = beta1 * first[k] + (1 - beta1) * g
      second[k] = beta2 * second[k] + (1 - beta2) * g * g
      let denominator = (second[k] / correction2).squareRoot() + epsilon
      parameters[k] -= rate * (first[k] / correction1) / denominator
    }
  }

  private func power(_ base: Float, _ exponent: Int) -> Float {
    var (result, factor, n) = (Float(1), base, exponent)
    while n > 0 {
      if n & 1 == 1 { result *= factor }
      factor *= factor
      n >>= 1
    }
    return result
  }
}
