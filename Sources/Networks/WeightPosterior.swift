import DaunceNumerics
import Glibc

/// log p(w | rows) of a network that gives location and logarithm of the scale of a normal law, as `Regression` trains it, with its
/// gradient: of all rows together, but for a constant.
package final class WeightPosterior {
  private let prior: WeightPrior
  private let outputs: Int
  private let tiles: [Tile]
  private let activations: Activations
  private let sums: GradientSums

  /// Some rows side by side in vectors.
  private struct Tile {
    let inputs, targets: Workspace<Lanes>
    /// 1 for rows that there are, 0 for what fills up the last vectors (`[vector]`).
    let presence: [Lanes]
  }

  /// Groups of eight rows in a tile.
  private static let vectors = 8

  /// - Parameter rows: that the weights are to be likely by.
  package init(_ rows: RegressionRows, prior: WeightPrior) {
    self.prior = prior
    outputs = rows.outputs
    guard let network = Network(sizes: prior.sizes, parameters: prior.deviations.map { _ in 0 }) else {
      preconditionFailure("a prior has a deviation for every parameter")
    }
    precondition(prior.sizes[0] == rows.inputs && prior.sizes[prior.sizes.count - 1] == 2 * rows.outputs)
    activations = Activations(network: network, vectors: Self.vectors)
    sums = GradientSums(network)
    let (width, vectors) = (Lanes.scalarCount, Self.vectors)
    tiles = stride(from: 0, to: rows.count, by: vectors * width).map { first in
      let inputs = Workspace<Lanes>(repeating: .zero, count: rows.inputs * vectors)
      let targets = Workspace<Lanes>(repeating: .zero, count: rows.outputs * vectors)
      var presence = [Lanes](repeating: .zero, count: vectors)
      for r in 0..<min(vectors * width, rows.count - first) {
        let (vector, lane, row) = (r / width, r % width, first + r)
        presence[vector][lane] = 1
        for i in 0..<rows.inputs { inputs.start[i * vectors + vector][lane] = rows.x[row * rows.inputs + i] }
        for o in 0..<rows.outputs { targets.start[o * vectors + vector][lane] = rows.y[row * rows.outputs + o] }
      }
      return Tile(inputs: inputs, targets: targets, presence: presence)
    }
  }

  /// The rows' log-likelihood.
  package func logLikelihood(_ network: Network) -> Double {
    tiles.reduce(0) { sum, tile in
      network.forward(activations, input: tile.inputs.start)
      return sum + setSlopes(tile)
    }
  }

  /// log p(w | rows).
  ///
  /// - Parameter gradient: filled with its derivative by every parameter.
  package func logDensity(_ network: Network, gradient: inout [Float]) -> Double {
    sums.reset()
    var density = 0.0
    for tile in tiles {
      network.forward(activations, input: tile.inputs.start)
      density += setSlopes(tile)
      network.backward(activations, input: tile.inputs.start, into: sums)
    }
    sums.write(to: &gradient)
    for k in gradient.indices { gradient[k] -= network.parameters[k] / (prior.deviations[k] * prior.deviations[k]) }
    return density + prior.logDensity(network)
  }

  /// Adds rows one vector at a time to an information matrix, at a network.
  package func add(to information: WeightInformation, at network: Network) {
    for tile in tiles {
      network.forward(activations, input: tile.inputs.start)
      _ = setSlopes(tile)
      guard let slope = activations.outputSlope.baseAddress else { return }
      for v in 0..<Self.vectors where tile.presence[v].sum() > 0 {
        information.add(
          network, input: tile.inputs.start + v, slope: slope + v, stride: Self.vectors, samples: Int(tile.presence[v].sum()))
      }
    }
  }

  /// Sets the slopes of the log-likelihood by the outputs; returns the sum over the tile's rows.
  private func setSlopes(_ tile: Tile) -> Double {
    let vectors = Self.vectors
    let range = Regression.logScaleRange
    var sum = Lanes.zero
    for o in 0..<outputs {
      for v in 0..<vectors {
        let (m, scale, present) = (o * vectors + v, (outputs + o) * vectors + v, tile.presence[v])
        let raw = activations.output[scale]
        let held = atMost(range.upperBound, atLeast(range.lowerBound, raw))
        let inverse = exponential(-held)
        let z = (tile.targets.start[m] - activations.output[m]) * inverse
        let isFree = (raw .<= range.upperBound) .& (raw .>= range.lowerBound)
        activations.outputSlope[m] = present * z * inverse
        activations.outputSlope[scale] = (present * (z * z - 1)).replacing(with: 0, where: .!isFree)
        sum -= present * (0.5 * z * z + held + 0.918_938_53)
      }
    }
    return Double(sum.sum())
  }
}
