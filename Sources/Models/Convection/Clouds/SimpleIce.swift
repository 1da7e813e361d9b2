import DaunceNumerics

/// Simple ice of Dudhia (1989, J. Atmos. Sci. 46, 3077) and Hong, Dudhia and Chen (2004, Mon. Wea. Rev. 132, 103):
/// below 0 C cloud is ice and precipitation is snow. Numbers in brackets are Hong's equations.
enum SimpleIce {
  /// a and b of the fall speed a D^b of snow, in SI, and gamma functions of 4 + b, 3 + b and (5 + b) / 2.
  private static let (a, b) = (11.72, 0.41)
  private static let (gamma4, gamma3) = (10.275_404_092_015_203, 3.013_314_982_995_661)
  private static let gammaHalf = 1.550_860_682_031_681_7
  /// Intercept of the sizes of snow at 0 C in 1/m4, and the logarithm of what it grows by at most.
  private static let (intercept, largestGrowth) = (2e6, 10.819_778_284_410_283)
  /// pi times the density of snow, kg/m3.
  private static let snowDensity = 100 * Double.pi
  /// Density of surface air, kg/m3.
  private static let surfaceDensity = 1.28
  /// Ice content above which crystals aggregate to snow, kg/m3: crystals of 500 um (12).
  private static let mostIce = 8.125e-5
  private static let vapourConstant = Air.gasConstant / Air.ratio

  /// Sizes of snow: the reciprocal of the slope of their exponential law, m (6), and that to the power b.
  @inline(__always)
  private static func slope(content: Lanes, growth: Lanes) -> (size: Lanes, power: Lanes) {
    let ratio = greatest(content, Lanes(repeating: WarmRain.trace)) * (1 / (snowDensity * intercept))
    let quarter = 0.25 * (logarithm(ratio) - growth)
    return (exponential(quarter), exponential(b * quarter))
  }

  /// Logarithm of the intercept's growth with cold.
  @inline(__always)
  private static func growth(_ cold: Lanes) -> Lanes {
    least(0.12 * positive(cold), Lanes(repeating: largestGrowth))
  }

  /// Crystals in a cubic metre (5c), and their diameter, m (5b).
  @inline(__always)
  private static func crystals(content: Lanes) -> (number: Lanes, diameter: Lanes) {
    let some = greatest(content, Lanes(repeating: WarmRain.trace))
    let number = least(greatest(5.38e7 * power(some, 0.75), Lanes(repeating: 1e3)), Lanes(repeating: 1e6))
    return (number, least(11.9 * (some / number).squareRoot(), Lanes(repeating: 5e-4)))
  }

  /// Speed at which snow falls, m/s, by its content in kg/m3.
  @inline(__always)
  static func snowFallSpeed(content: Lanes, density: Lanes, temperature: Lanes) -> Lanes {
    let size = slope(content: content, growth: growth(Air.melting - temperature))
    let speed = a * gamma4 / 6 * size.power * (surfaceDensity / density).squareRoot()
    return WarmRain.present(speed, content)
  }

  /// Speed at which cloud ice falls, m/s (5a).
  @inline(__always)
  static func iceFallSpeed(content: Lanes) -> Lanes {
    WarmRain.present(1.49e4 * power(crystals(content: content).diameter, 1.31), content)
  }

  /// Growth of ice and snow from vapour, or the reverse, and of snow from ice, over `dt` where it is below 0 C.
  @inline(__always)
  static func grow(_ cell: inout Cloud, _ dt: Double) {
    let cold = Air.melting - cell.temperature
    let isCold = cold .> 0
    guard any(isCold) else { return }
    let (temperature, density) = (cell.temperature, cell.density)
    let saturated = Saturation.overIce(temperature: temperature, pressure: cell.pressure)
    let excess = cell.vapour - saturated
    let zero = Lanes.zero
    var (ontoIce, ontoSnow, collected) = (zero, zero, zero)
    if any(isCold .& ((cell.ice .> 0) .| (cell.snow .> 0))) {
      let exchange = Exchange(temperature, density, cell.pressure, saturated)
      let supersaturation = cell.vapour / saturated - 1
      // (9); at most half of the excess goes in a step, in either direction.
      let crystals = crystals(content: density * cell.ice)
      let rate = 4 * dt * crystals.diameter * crystals.number * supersaturation / exchange.resistance
      ontoIce = limited(rate, by: excess, to: cell.ice)
      ontoIce = WarmRain.present(ontoIce, cell.ice)
      // (14)
      let growth = growth(cold)
      let more = exponential(growth)
      let size = slope(content: density * cell.snow, growth: growth)
      let square = size.size * size.size
      let ventilated = exchange.ventilation * square * (size.size * size.power).squareRoot()
      let shape = 4 * intercept * (0.65 * square + 0.44 * a.squareRoot() * gammaHalf * ventilated)
      let snowRate = dt * more * shape * supersaturation / exchange.resistance
      let rest = excess - ontoIce
      let shared = limited(snowRate, by: excess, to: cell.snow)
      ontoSnow = least(shared, rest).replacing(with: greatest(shared, rest), where: excess .< 0)
      ontoSnow = WarmRain.present(ontoSnow, cell.snow)
      // Ice that snow collects (Dudhia's B15), less well the colder it is.
      let sweep = Double.pi * intercept * a * gamma3 / 4 * dt * more * exponential(-0.05 * positive(cold))
      let volume = square * size.size * size.power * (surfaceDensity / density).squareRoot()
      collected = WarmRain.present(sweep * volume * cell.ice, cell.snow)
    }
    // New crystals (7, 8): 1000 exp(0.1 cold) in a cubic metre.
    let nuclei = 4.808_007_127_102_591e-7 * exponential(0.133 * positive(cold)) / density
    let room = positive(excess - (ontoIce + ontoSnow))
    let born = least(positive(nuclei - cell.ice), room)
    cell.deposit(
      ice: zero.replacing(with: ontoIce + born, where: isCold), snow: zero.replacing(with: ontoSnow, where: isCold))
    let aggregated = positive(cell.ice - mostIce / density)
    let converted = least(aggregated + collected, cell.ice)
    cell.aggregate(zero.replacing(with: converted, where: isCold))
  }

  /// At most half of an excess of vapour, or of a deficit, and no more than there is of what evaporates.
  @inline(__always)
  private static func limited(_ rate: Lanes, by excess: Lanes, to water: Lanes) -> Lanes {
    let half = 0.5 * excess
    let growing = least(rate, half)
    let shrinking = greatest(greatest(rate, half), -water)
    return growing.replacing(with: shrinking, where: excess .< 0)
  }

  /// How fast vapour and heat go between crystals and air.
  private struct Exchange {
    /// Denominator of growth rates.
    let resistance: Lanes
    /// Schmidt number^(1/3) / viscosity^(1/2), with the factor of thinner air.
    let ventilation: Lanes

    @inline(__always)
    init(_ temperature: Lanes, _ density: Lanes, _ pressure: Lanes, _ saturated: Lanes) {
      let viscosity = 1.496e-6 * temperature * temperature.squareRoot() / ((temperature + 120) * density)
      let diffusivity = 8.794e-5 * power(temperature, 1.81) / pressure
      let conductivity = 1414 * viscosity * density
      let square = temperature * temperature
      let heat = density * (Air.sublimation * Air.sublimation) / (conductivity * SimpleIce.vapourConstant * square)
      resistance = heat + 1 / (saturated * diffusivity)
      let schmidt = power(viscosity / diffusivity, 1.0 / 3)
      let thin = (SimpleIce.surfaceDensity / density).squareRoot().squareRoot()
      ventilation = schmidt / viscosity.squareRoot() * thin
    }
  }
}
