import DaunceNumerics

/// Stein variational gradient descent (Liu & Wang 2016): weights of several networks flow together to a sample of a density p,
///
///     du_i / ds = 1/N sum_j [k(u_j, u_i) grad log p(u_j) + grad_j k(u_j, u_i)],
///
/// with u = w / d in units of the prior's standard deviations d and a normal kernel, whose squared width is the median squared distance over log N.
/// Steps are Adam's, and shrink to nothing.
package struct KernelFlow: Sendable {
  private let deviations: [Float]
  private var optimisers: [Adam]
  private let steps: Int
  private let rate: Double
  private var step = 0

  /// - Parameters:
  ///   - count: of networks.
  ///   - steps: in all.
  ///   - rate: length of the first steps.
  package init(count: Int, prior: WeightPrior, steps: Int, rate: Double = 0.01) {
    (deviations, self.steps, self.rate) = (prior.deviations, steps, rate)
    optimisers = (0..<count).map { _ in Adam(parameters: prior.deviations.count) }
  }

  /// Moves all networks one step.
  ///
  /// - Parameters:
  ///   - parameters: of all of them (`[network][parameter]`).
  ///   - slopes: of log p by them.
  package mutating func advance(_ parameters: inout [[Float]], slopes: [[Float]]) {
    func scaled(_ values: [Float], _ scale: (Float, Float) -> Float) -> [Float] { zip(values, deviations).map(scale) }
    let places = parameters.map { scaled($0, /) }
    let flow = Self.flow(places, slopes.map { scaled($0, *) })
    let left = 1 - Double(step) / Double(steps)
    for i in parameters.indices {
      var place = places[i]
      optimisers[i].descend(&place, gradient: flow[i].map { -$0 }, rate: Float(rate * left * left))
      parameters[i] = scaled(place, *)
    }
    step += 1
  }

  /// Where each place moves to: `[network][parameter]`.
  package static func flow(_ places: [[Float]], _ slopes: [[Float]]) -> [[Float]] {
    let n = places.count
    var squares = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<i {
        var sum: Float = 0
        for k in places[i].indices { sum += (places[i][k] - places[j][k]) * (places[i][k] - places[j][k]) }
        squares[i * n + j] = Double(sum)
        squares[j * n + i] = Double(sum)
      }
    }
    let sorted = squares.sorted()
    let width = max(sorted[n * n / 2] / max(logarithm(SIMD4(repeating: Double(n))).x, 1e-3), 1e-12)
    return (0..<n).map { i in
      var flow = [Float](repeating: 0, count: places[i].count)
      for j in 0..<n {
        let kernel = exponential(-squares[i * n + j] / width)
        let (pull, push) = (Float(kernel / Double(n)), Float(2 * kernel / width / Double(n)))
        for k in flow.indices { flow[k] += pull * slopes[j][k] + push * (places[i][k] - places[j][k]) }
      }
      return flow
    }
  }
}
