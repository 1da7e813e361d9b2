/// The analysis covariance of the Kalman filter, Pa = P - P H^T (H P H^T + R)^-1 H P, without forming it: the metric in
/// which (2.8) is a projection of its unconstrained minimiser.
final class KalmanCovariance: CovarianceOperator {
  private let forecast: any CovarianceOperator
  private let gain: InnovationCovariance
  private var weights: [Double] = []

  /// - Parameters:
  ///   - forecast: P, localized.
  ///   - gain: the columns P H^T and S, estimated from the same ensemble.
  init(forecast: any CovarianceOperator, gain: InnovationCovariance) {
    self.forecast = forecast
    self.gain = gain
  }

  var order: Int { forecast.order }

  func scale(_ i: Int) -> Double { forecast.scale(i) }

  func column(_ i: Int, into column: inout MutableSpan<Double>) -> Range<Int> {
    let range = forecast.column(i, into: &column)
    // With chains of coupled variables observations carry covariance beyond the variables coupled directly.
    let wide = gain.table.localization.coupling == .own ? range : 0..<order
    for j in wide where !range.contains(j) { column[j] = 0 }
    correct(&column, range: wide)
    return wide
  }

  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    forecast.multiply(v, into: &product)
    correct(&product, range: 0..<order)
  }

  /// Turns `P v` into `Pa v`, both zero outside `range`.
  private func correct(_ product: inout MutableSpan<Double>, range: Range<Int>) {
    let p = gain.observed.count
    if weights.count != p { weights = [Double](repeating: 0, count: p) }
    for k in 0..<p { weights[k] = range.contains(gain.observed[k]) ? product[gain.observed[k]] : 0 }
    weights.withMutableSpan { gain.solve(&$0) }
    product.withUnsafeMutableBufferPointer { product in
      guard let base = product.baseAddress else { return }
      weights.withSpan { gain.addColumns($0, scale: -1, to: base) }
    }
  }
}
