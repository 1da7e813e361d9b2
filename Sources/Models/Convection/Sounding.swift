import DaunceNumerics

/// Constants of dry and moist air, SI.
package enum Air {
  package static let gravity = 9.81
  /// Gas constant of dry air.
  package static let gasConstant = 287.04
  /// Heat capacity of dry air at constant pressure.
  package static let heatCapacity = 1005.7
  /// Ratio of the gas constants of dry air and vapour.
  package static let ratio = 0.622
  /// Latent heat of vaporisation and of sublimation; their difference is that of fusion.
  package static let vaporisation = 2.501e6
  package static let sublimation = 2.834e6
  package static let melting = 273.15
  /// Pressure at which potential temperature is temperature.
  package static let referencePressure = 1.0e5
  /// R / cp.
  package static let kappa = gasConstant / heatCapacity
  /// R / cv: Exner function = (R rho theta_m / p0)^(R / cv).
  package static let kappaVolume = gasConstant / (heatCapacity - gasConstant)
}

/// A column of air at rest: potential temperature, vapour and pressure.
package struct Sounding: Sendable {
  /// Heights of the integration, in metres apart.
  private static let spacing = 10.0
  /// Potential temperature in kelvin, and relative humidity over water, at a height in metres.
  private let theta, humidity: @Sendable (Double) -> Double
  /// Mixing ratio of vapour is at most this.
  private let wettest: Double
  /// Every 10 m from the ground: Exner function, mixing ratio.
  private let exner, vapour: [Double]

  /// Integrates the Exner function from 1000 hPa at the ground by trapezia of 10 m, d(pi)/dz = -g / (cp theta_v).
  ///
  /// - Parameters:
  ///   - depth: in metres.
  ///   - wettest: largest mixing ratio of vapour.
  init(
    depth: Double, wettest: Double, theta: @escaping @Sendable (Double) -> Double,
    humidity: @escaping @Sendable (Double) -> Double
  ) {
    (self.theta, self.humidity, self.wettest) = (theta, humidity, wettest)
    var (exner, vapour) = ([1.0], [0.0])
    vapour[0] = min(wettest, humidity(0) * Self.saturation(exner: 1, theta: theta(0)))
    let slope = -Air.gravity / Air.heatCapacity * Self.spacing / 2
    for level in 1...Int((depth / Self.spacing).rounded(.up)) + 1 {
      let z = Double(level) * Self.spacing
      let below = 1 / (theta(z - Self.spacing) * (1 + 0.61 * vapour[level - 1]))
      var (next, mixing) = (exner[level - 1], vapour[level - 1])
      // Vapour depends on pressure and pressure, a little, on vapour.
      for _ in 0..<8 {
        next = exner[level - 1] + slope * (below + 1 / (theta(z) * (1 + 0.61 * mixing)))
        mixing = min(wettest, humidity(z) * Self.saturation(exner: next, theta: theta(z)))
      }
      exner.append(next)
      vapour.append(mixing)
    }
    (self.exner, self.vapour) = (exner, vapour)
  }

  /// Weisman and Klemp (1982, Mon. Wea. Rev. 110, 504), with at most 14 g/kg of vapour: theta = 300 + 43 (z / 12
  /// km)^1.25 below the tropopause and an isothermal 213 K above it.
  package static func weismanKlemp(depth: Double) -> Sounding {
    let tropopause = 12_000.0
    return Sounding(
      depth: depth, wettest: 0.014,
      theta: { z in
        z <= tropopause
          ? 300 + 43 * power(z / tropopause, 1.25)
          : 343 * exponential(Air.gravity * (z - tropopause) / (Air.heatCapacity * 213))
      }, humidity: { z in z <= tropopause ? 1 - 0.75 * power(z / tropopause, 1.25) : 0.25 })
  }

  /// Dry air of one potential temperature, in kelvin.
  package static func neutral(_ temperature: Double, depth: Double) -> Sounding {
    Sounding(depth: depth, wettest: 0, theta: { _ in temperature }, humidity: { _ in 0 })
  }

  /// Mixing ratio of saturated air over water.
  private static func saturation(exner: Double, theta: Double) -> Double {
    let pressure = Air.referencePressure * power(exner, 1 / Air.kappa)
    return Saturation.overWater(temperature: Lanes(repeating: theta * exner), pressure: Lanes(repeating: pressure)).x
  }

  /// Potential temperature (K), mixing ratio of vapour and Exner function at a height in metres: between levels the
  /// Exner function is interpolated.
  package func state(at z: Double) -> (theta: Double, vapour: Double, exner: Double) {
    let place = min(max(z / Self.spacing, 0), Double(exner.count - 2))
    let (below, share) = (Int(place), place - place.rounded(.down))
    let pi = exner[below] + share * (exner[below + 1] - exner[below])
    let mixing = min(wettest, humidity(z) * Self.saturation(exner: pi, theta: theta(z)))
    return (theta(z), mixing, pi)
  }
}

/// Vapour at saturation.
package enum Saturation {
  /// Pressure of vapour over water, Pa, at temperatures in kelvin (Bolton 1980, Mon. Wea. Rev. 108, 1046).
  @inline(__always)
  package static func pressureOverWater(_ temperature: SIMD4<Double>) -> SIMD4<Double> {
    611.2 * exponential(17.67 * (temperature - Air.melting) / (temperature - 29.65))
  }

  /// Mixing ratio over water; pressure in Pa.
  @inline(__always)
  package static func overWater(temperature: SIMD4<Double>, pressure: SIMD4<Double>) -> SIMD4<Double> {
    mixingRatio(pressureOverWater(temperature), pressure)
  }

  /// Mixing ratio over ice (Murray 1967, J. Appl. Meteor. 6, 203), the same as over water at 0 C.
  @inline(__always)
  package static func overIce(temperature: SIMD4<Double>, pressure: SIMD4<Double>) -> SIMD4<Double> {
    mixingRatio(611.2 * exponential(21.874_558_4 * (temperature - Air.melting) / (temperature - 7.66)), pressure)
  }

  @inline(__always)
  private static func mixingRatio(_ vapour: SIMD4<Double>, _ pressure: SIMD4<Double>) -> SIMD4<Double> {
    Air.ratio * vapour / (pressure - vapour)
  }

  /// Vapour that has to be taken up for saturation over water, negative for condensation: q_vs - q_v, less what the
  /// warming or cooling by it changes q_vs by.
  ///
  /// - Parameter latentHeat: of what it condenses to or comes from, J/kg.
  @inline(__always)
  package static func adjustment(
    vapour: SIMD4<Double>, saturated: SIMD4<Double>, temperature: SIMD4<Double>, latentHeat: SIMD4<Double>
  ) -> SIMD4<Double> {
    let distance = temperature - 29.65
    let warming = latentHeat * saturated * (17.67 * 243.5 / Air.heatCapacity)
    return (saturated - vapour) / (1 + warming / (distance * distance))
  }
}
