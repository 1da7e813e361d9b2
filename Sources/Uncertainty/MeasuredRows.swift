import DaunceNetworks

/// Rows of a table in working numbers, and how exact each number is.
public struct MeasuredRows: Sendable {
  /// Number of rows.
  public let count: Int
  /// Number of inputs and of outputs.
  public let inputs, outputs: Int
  /// `[row][input]`.
  public var x: [Double]
  /// Standard deviations of their errors, 0 for exact ones (`[row][input]`).
  public let xError: [Double]
  /// `[row][output]`; empty where outputs are not known.
  public var y: [Double]
  /// Standard deviations of their errors (`[row][output]`).
  public let yError: [Double]

  /// Working numbers row by row; see the properties.
  public init(inputs: Int, outputs: Int, x: [Double], xError: [Double], y: [Double], yError: [Double]) {
    count = x.count / max(1, inputs)
    precondition(x.count == count * inputs && xError.count == x.count && yError.count == y.count)
    precondition(y.isEmpty || y.count == count * outputs)
    (self.inputs, self.outputs, self.x, self.xError, self.y, self.yError) = (inputs, outputs, x, xError, y, yError)
  }

  /// Whether any input has an error.
  public var hasInputErrors: Bool { xError.contains { $0 > 0 } }
  /// Whether any number has an error.
  public var hasErrors: Bool { hasInputErrors || yError.contains { $0 > 0 } }

  /// As networks take them.
  var regression: RegressionRows {
    RegressionRows(inputs: inputs, outputs: outputs, x: x.map { Float($0) }, y: y.map { Float($0) })
  }

  /// Single rows, in a given order.
  public subscript(rows: [Int]) -> MeasuredRows {
    func pick(_ values: [Double], _ width: Int) -> [Double] {
      values.isEmpty ? [] : rows.flatMap { values[$0 * width..<($0 + 1) * width] }
    }
    return MeasuredRows(
      inputs: inputs, outputs: outputs, x: pick(x, inputs), xError: pick(xError, inputs), y: pick(y, outputs),
      yError: pick(yError, outputs))
  }
}
