import Glibc

/// How often held-back truths were how far from the mean of what agents predicted: counts, which are the same in any order.
///
/// Residuals are in units of the predicted standard deviation, that of all members of a design; they are told apart by field and
/// by the size of that deviation.
package struct ResidualCounts: Sendable, Hashable {
  /// Classes of the predicted variance over the field's scale squared: half octaves.
  package static let variances = 72
  /// Steps of a residual: from -8 to 8 standard deviations; what is beyond is in the first and the last.
  package static let residuals = 320
  /// Numbers of a field.
  package static let each = variances * residuals

  /// `[field][variance][residual]`
  package private(set) var counts: [Double]

  /// None yet.
  package init(fields: Int) { counts = [Double](repeating: 0, count: fields * Self.each) }

  /// Counts that were made before.
  package init(_ counts: [Double]) { self.counts = counts }

  /// Class of a predicted variance, over the field's scale squared.
  package static func variance(_ value: Double) -> Int {
    guard value > 0 else { return 0 }
    return min(max(Int((2 * log2(value)).rounded(.down)) + 60, 0), variances - 1)
  }

  /// Step of a residual, in standard deviations.
  package static func residual(_ value: Double) -> Int {
    let place = ((value + 8) * 20).rounded(.down)
    return Int(min(max(place, 0), Double(residuals - 1)))
  }

  /// Middle of a step.
  package static func value(of residual: Int) -> Double { (Double(residual) + 0.5) / 20 - 8 }

  /// Adds one.
  ///
  /// - Parameters:
  ///   - variance: predicted, over the field's scale squared.
  ///   - residual: truth less the predicted mean, over the predicted standard deviation.
  package mutating func add(field: Int, variance: Double, residual: Double) {
    counts[field * Self.each + Self.variance(variance) * Self.residuals + Self.residual(residual)] += 1
  }
}
