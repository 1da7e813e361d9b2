import DaunceNumerics

/// Warm rain of Kessler (1969, Meteor. Monogr. 32) as Klemp and Wilhelmson (1978, J. Atmos. Sci. 35, 1070) have it, SI:
/// rates per second of mixing ratios, of four cells.
package enum WarmRain {
  /// Below this density of water, kg/m3, there is none for fractional powers.
  static let trace = 1e-15

  /// Cloud water that becomes rain by itself: 0.001 (q_c - 0.001).
  @inline(__always)
  package static func autoconversion(cloud: SIMD4<Double>) -> SIMD4<Double> { 1e-3 * positive(cloud - 1e-3) }

  /// Cloud water that rain collects, 2.2 q_c q_r^0.875.
  @inline(__always)
  package static func accretion(cloud: SIMD4<Double>, rain: SIMD4<Double>) -> SIMD4<Double> {
    2.2 * cloud * present(power(greatest(rain, Lanes(repeating: trace)), 0.875), rain)
  }

  /// Rain that evaporates into unsaturated air.
  ///
  /// - Parameters:
  ///   - content: rho q_r, kg/m3.
  ///   - density: of the air, kg/m3.
  ///   - vapour: q_v.
  ///   - saturated: q_v at saturation over water.
  ///   - pressure: in Pa.
  @inline(__always)
  package static func evaporation(
    content: SIMD4<Double>, density: SIMD4<Double>, vapour: SIMD4<Double>, saturated: SIMD4<Double>,
    pressure: SIMD4<Double>
  ) -> SIMD4<Double> {
    let logarithm = logarithm(greatest(content, Lanes(repeating: trace)))
    let ventilation = 1.6 + 30.3922 * exponential(0.2046 * logarithm)
    let subsaturation = positive(1 - vapour / saturated)
    let resistance = density * (2.03e4 + 9.584e6 / (saturated * pressure))
    return present(ventilation * subsaturation * exponential(0.525 * logarithm) / resistance, content)
  }

  /// Speed at which rain falls, m/s: 14.34 (rho q_r)^0.1346 sqrt(1.15 / rho).
  @inline(__always)
  package static func fallSpeed(content: SIMD4<Double>, density: SIMD4<Double>) -> SIMD4<Double> {
    let speed = 14.34 * power(greatest(content, Lanes(repeating: trace)), 0.1346)
    return present(speed * (1.15 / density).squareRoot(), content)
  }

  /// 0 where there is no water.
  @inline(__always)
  static func present(_ rate: Lanes, _ water: Lanes) -> Lanes { rate.replacing(with: 0, where: water .<= 0) }
}
