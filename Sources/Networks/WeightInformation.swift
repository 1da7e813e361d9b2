import DaunceNumerics
import Glibc

/// How sharply data tell a network's weights: the sum over samples of the outer products of the gradients of their
/// log-likelihoods (the observed Fisher information), about which a normal law of the weights is made (Laplace; MacKay 1992).
package final class WeightInformation {
  private let tile: Activations
  private let sums: GradientSums
  /// `[parameter][parameter]`, lower triangle.
  private var matrix: [Double]
  /// Gradients that wait to be added, `[sample][parameter]`.
  private var gradients: [Double]
  private var waiting = 0
  private static let block = 64
  /// Samples so far.
  package private(set) var count = 0

  /// Nothing yet, about networks of these sizes.
  package init(_ network: Network) {
    tile = Activations(network: network, vectors: 1)
    sums = GradientSums(network)
    matrix = [Double](repeating: 0, count: sums.count * sums.count)
    gradients = [Double](repeating: 0, count: Self.block * sums.count)
  }

  /// Adds up to eight samples.
  ///
  /// - Parameters:
  ///   - input: one vector of every input, `stride` apart.
  ///   - slope: derivatives of each sample's log-likelihood by the outputs, in the same way.
  ///   - samples: how many of the eight lanes count.
  package func add(
    _ network: Network, input: UnsafePointer<Lanes>, slope: UnsafePointer<Lanes>, stride: Int, samples: Int
  ) {
    for i in tile.input.indices { tile.input[i] = input[i * stride] }
    network.forward(tile)
    for o in tile.outputSlope.indices { tile.outputSlope[o] = slope[o * stride] }
    sums.reset()
    network.backward(tile, into: sums)
    for lane in 0..<samples {
      for k in 0..<sums.count { gradients[waiting * sums.count + k] = Double(sums.lanes.start[k][lane]) }
      waiting += 1
      if waiting == Self.block { flush() }
    }
    count += samples
  }

  private func flush() {
    let (rows, columns) = (waiting, sums.count)
    gradients.withSpan { gradients in
      matrix.withMutableSpan { LinearAlgebra.addOuterProducts(gradients, rows: rows, columns: columns, to: &$0) }
    }
    waiting = 0
  }

  /// Of every parameter by itself.
  package var diagonal: [Double] {
    flush()
    return (0..<sums.count).map { matrix[$0 * sums.count + $0] }
  }

  /// log q(w) at the centre of the normal law whose precision is `factor` times this information and the prior's precision:
  /// half the logarithm of its determinant, less d/2 log 2 pi.
  ///
  /// - Parameter factor: how many times as many samples as here the weights were trained on.
  package func logDensityAtCentre(prior: WeightPrior, factor: Double) -> Double {
    flush()
    let d = sums.count
    var precision = matrix.map { factor * $0 }
    for k in 0..<d { precision[k * d + k] += 1 / Double(prior.deviations[k] * prior.deviations[k]) }
    let cholesky = Cholesky(capacity: d)
    // A sum of squares and a positive diagonal: positive definite but for rounding.
    var added = 0.0
    while (try? cholesky.factor(precision.span, order: d)) == nil {
      let trace = (0..<d).reduce(0.0) { $0 + precision[$1 * d + $1] } / Double(d)
      added = max(2 * added, 1e-12 * trace)
      for k in 0..<d { precision[k * d + k] += added }
    }
    return 0.5 * cholesky.logDeterminant - 0.5 * Double(d) * log(2 * Double.pi)
  }
}
