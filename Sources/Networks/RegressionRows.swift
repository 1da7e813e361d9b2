import DaunceNumerics

/// Rows of a table as networks take them: inputs and targets in Float, side by side.
public struct RegressionRows: Sendable {
  /// Number of rows.
  public let count: Int
  /// Number of inputs and of outputs.
  public let inputs, outputs: Int
  /// `[row][input]`.
  public private(set) var x: [Float]
  /// `[row][output]`.
  public private(set) var y: [Float]

  /// - Parameters:
  ///   - x: `[row][input]`.
  ///   - y: `[row][output]`.
  public init(inputs: Int, outputs: Int, x: [Float], y: [Float]) {
    precondition(inputs > 0 && outputs > 0 && x.count % inputs == 0 && x.count / inputs * outputs == y.count)
    count = x.count / inputs
    (self.inputs, self.outputs, self.x, self.y) = (inputs, outputs, x, y)
  }

  /// Rows chosen by number, with repetitions.
  public subscript(rows: [Int]) -> RegressionRows {
    RegressionRows(
      inputs: inputs, outputs: outputs, x: rows.flatMap { x[$0 * inputs..<($0 + 1) * inputs] },
      y: rows.flatMap { y[$0 * outputs..<($0 + 1) * outputs] })
  }
}

/// A network's outputs at many inputs, tile by tile.
package final class RowEvaluator {
  private let tile: Activations
  private let inputs, outputs: Int

  /// For networks of the same sizes as `network`.
  ///
  /// - Parameter vectors: groups of eight rows that are computed together.
  package init(_ network: Network, vectors: Int = 8) {
    tile = Activations(network: network, vectors: vectors)
    (inputs, outputs) = (network.sizes[0], network.sizes[network.sizes.count - 1])
  }

  /// Writes the outputs `[row][output]` at the inputs `[row][input]`.
  package func evaluate(_ network: Network, x: UnsafePointer<Float>, count: Int, into y: UnsafeMutablePointer<Float>) {
    let width = Lanes.scalarCount
    let step = tile.vectors * width
    for first in stride(from: 0, to: count, by: step) {
      let rows = min(step, count - first)
      for i in 0..<inputs {
        for r in 0..<rows { tile.input[i * tile.vectors + r / width][r % width] = x[(first + r) * inputs + i] }
      }
      network.forward(tile)
      for o in 0..<outputs {
        for r in 0..<rows { y[(first + r) * outputs + o] = tile.output[o * tile.vectors + r / width][r % width] }
      }
    }
  }

  /// The same for arrays.
  package func evaluate(_ network: Network, x: [Float]) -> [Float] {
    var y = [Float](repeating: 0, count: x.count / inputs * outputs)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        guard let from = x.baseAddress, let to = y.baseAddress else { return }
        evaluate(network, x: from, count: x.count / inputs, into: to)
      }
    }
    return y
  }
}
