import Glibc

/// An input or output of a table, and the working numbers that networks see in its place: its values or their logarithms,
/// less their mean, over their standard deviation.
public struct Variable: Sendable, Hashable, Codable {
  /// Name of its column.
  public let name: String
  /// Whether logarithms are what is worked with.
  public let isLogarithmic: Bool
  /// Mean and standard deviation of the training values, or of their logarithms.
  public let centre, unit: Double

  /// - Parameters:
  ///   - values: of the training table.
  ///   - isLogarithmic: asks for positive values.
  public init(name: String, values: [Double], isLogarithmic: Bool) {
    (self.name, self.isLogarithmic) = (name, isLogarithmic)
    let scaled = isLogarithmic ? values.map { log($0) } : values
    let mean = scaled.reduce(0, +) / Double(max(1, scaled.count))
    let squares = scaled.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(max(1, scaled.count - 1))).squareRoot()
    (centre, unit) = (mean, deviation > 0 ? deviation : 1)
  }

  /// Whether logarithms of values are the better numbers: values are positive, the largest at least ten times the
  /// smallest, and skewed to the right by more than 1, their logarithms less than that.
  public static func suggestsLogarithm(_ values: [Double]) -> Bool {
    guard let least = values.min(), let most = values.max(), least > 0, most >= 10 * least else { return false }
    let skewness = skewness(values)
    return skewness > 1 && abs(self.skewness(values.map { log($0) })) < skewness
  }

  private static func skewness(_ values: [Double]) -> Double {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let (square, cube) = values.reduce((0.0, 0.0)) { sum, x in
      let d = x - mean
      return (sum.0 + d * d / n, sum.1 + d * d * d / n)
    }
    return square > 0 ? cube / (square * square.squareRoot()) : 0
  }

  /// The working number of a value.
  public func working(_ value: Double) -> Double { ((isLogarithmic ? log(value) : value) - centre) / unit }

  /// The value of a working number.
  public func value(_ working: Double) -> Double {
    let scaled = centre + unit * working
    return isLogarithmic ? exp(scaled) : scaled
  }

  /// Standard deviation of the working number of a value with an error of standard deviation `deviation`. The error of a
  /// logarithmic variable is lognormal with that standard deviation, its median the true value.
  public func workingDeviation(_ deviation: Double, at value: Double) -> Double {
    guard isLogarithmic else { return deviation / unit }
    // exp(s z) has the variance (exp(s^2) - 1) exp(s^2); with the median as value that is the square of the ratio.
    let ratio = deviation / value
    let q = 0.5 * (1 + (1 + 4 * ratio * ratio).squareRoot())
    return log(q).squareRoot() / unit
  }
}
