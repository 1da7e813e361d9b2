import DaunceNumerics

/// Air and water of four cells during phase changes. Temperature follows from what changes phase, so that cp T + Lv
/// q_v - Lf (q_i + q_s) stays as it is; the density of dry air and the Exner function do not change.
package struct Cloud {
  package let density, pressure: SIMD4<Double>
  package var temperature, vapour, cloud, ice, rain, snow: SIMD4<Double>

  private static let fusion = Air.sublimation - Air.vaporisation

  /// Densities in kg/m3, pressures in Pa, temperatures in K, and mixing ratios.
  @inline(__always)
  package init(
    density: SIMD4<Double>, pressure: SIMD4<Double>, temperature: SIMD4<Double>, vapour: SIMD4<Double>,
    cloud: SIMD4<Double>, ice: SIMD4<Double>, rain: SIMD4<Double>, snow: SIMD4<Double>
  ) {
    (self.density, self.pressure, self.temperature, self.vapour) = (density, pressure, temperature, vapour)
    (self.cloud, self.ice, self.rain, self.snow) = (cloud, ice, rain, snow)
  }

  /// All phase changes of `dt` seconds.
  @inline(__always)
  package mutating func change(_ dt: Double) {
    freezeOrMelt()
    rain(dt)
    SimpleIce.grow(&self, dt)
    condense()
  }

  /// Water below 0 C freezes and ice above it melts at once, as far as the heat of it does not pass 0 C.
  @inline(__always)
  private mutating func freezeOrMelt() {
    let perKelvin = Air.heatCapacity / Self.fusion
    var cold = perKelvin * positive(Air.melting - temperature)
    var warm = perKelvin * positive(temperature - Air.melting)
    let (cloudFrozen, iceMelted) = (least(cloud, cold), least(ice, warm))
    cold -= cloudFrozen
    warm -= iceMelted
    let (rainFrozen, snowMelted) = (least(rain, cold), least(snow, warm))
    cloud += iceMelted - cloudFrozen
    ice += cloudFrozen - iceMelted
    rain += snowMelted - rainFrozen
    snow += rainFrozen - snowMelted
    let frozen = (cloudFrozen + rainFrozen) - (iceMelted + snowMelted)
    temperature += Self.fusion / Air.heatCapacity * frozen
  }

  /// Rain from cloud water, and its evaporation, which does not pass saturation.
  @inline(__always)
  private mutating func rain(_ dt: Double) {
    guard any((cloud .> 0) .| (rain .> 0)) else { return }
    let made = WarmRain.autoconversion(cloud: cloud) + WarmRain.accretion(cloud: cloud, rain: rain)
    let converted = least(dt * made, cloud)
    let saturated = Saturation.overWater(temperature: temperature, pressure: pressure)
    let lacking = positive(
      Saturation.adjustment(
        vapour: vapour, saturated: saturated, temperature: temperature,
        latentHeat: Lanes(repeating: Air.vaporisation)))
    let rate = WarmRain.evaporation(
      content: density * rain, density: density, vapour: vapour, saturated: saturated, pressure: pressure)
    let evaporated = least(least(dt * rate, rain), lacking)
    cloud -= converted
    rain += converted - evaporated
    vapour += evaporated
    temperature -= Air.vaporisation / Air.heatCapacity * evaporated
  }

  /// Vapour beyond saturation over water condenses, to ice below 0 C; cloud water evaporates where there is less.
  @inline(__always)
  private mutating func condense() {
    let isCold = temperature .< Air.melting
    let heat = Lanes(repeating: Air.vaporisation).replacing(with: Air.sublimation, where: isCold)
    let saturated = Saturation.overWater(temperature: temperature, pressure: pressure)
    let needed = Saturation.adjustment(
      vapour: vapour, saturated: saturated, temperature: temperature, latentHeat: heat)
    let condensed = positive(-needed)
    let toIce = condensed.replacing(with: 0, where: .!isCold)
    let evaporated = least(positive(needed), cloud).replacing(with: 0, where: isCold)
    let toCloud = condensed - toIce - evaporated
    vapour -= toIce + toCloud
    cloud = positive(cloud + toCloud)
    ice += toIce
    temperature += (Air.sublimation / Air.heatCapacity) * toIce + (Air.vaporisation / Air.heatCapacity) * toCloud
  }

  /// Vapour that becomes ice and snow; negative the other way.
  @inline(__always)
  mutating func deposit(ice toIce: Lanes, snow toSnow: Lanes) {
    vapour -= toIce + toSnow
    ice += toIce
    snow += toSnow
    temperature += Air.sublimation / Air.heatCapacity * (toIce + toSnow)
  }

  /// Ice that becomes snow.
  @inline(__always)
  mutating func aggregate(_ amount: Lanes) {
    ice -= amount
    snow += amount
  }
}
