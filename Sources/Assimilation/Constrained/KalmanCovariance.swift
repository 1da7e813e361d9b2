internal import DaunceConstraints
internal import DaunceNumerics

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
    guard let reach = gain.reach else { return range }
    // With chains of coupled fields observations carry covariance beyond the fields coupled directly.
    let wide = reach.crossesFields ? 0..<order : range
    for j in wide where !range.contains(j) { column[j] = 0 }
    reserve(reach.count)
    for (k, element) in reach.extended.elements.enumerated() {
      // A carried observation is no element of P: its row of H P comes from its column of P H^T.
      weights[k] = element >= order ? gain.covariance(k, i) : wide.contains(element) ? column[element] : 0
    }
    correct(&column)
    return wide
  }

  func multiply(_ v: Span<Double>, into product: inout MutableSpan<Double>) {
    forecast.multiply(v, into: &product)
    guard let reach = gain.reach else { return }
    reserve(reach.count)
    for (k, element) in reach.extended.elements.enumerated() {
      weights[k] = element >= order ? gain.product(k, v) : product[element]
    }
    correct(&product)
  }

  private func reserve(_ p: Int) {
    guard weights.count != p else { return }
    weights.removeAll(keepingCapacity: true)
    weights.append(contentsOf: repeatElement(0, count: p))
  }

  /// Turns `P v` into `Pa v`, with H P v in `weights`.
  private func correct(_ product: inout MutableSpan<Double>) {
    weights.withMutableSpan { gain.solve(&$0) }
    product.withUnsafeMutableBufferPointer { product in
      guard let base = product.baseAddress else { return }
      weights.withSpan { gain.addColumns($0, scale: -1, to: base) }
    }
  }
}
