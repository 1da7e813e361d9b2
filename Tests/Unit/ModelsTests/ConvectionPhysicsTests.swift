import DaunceModels
import Foundation
import Testing

/// The sounding and the phase changes of the squall line against known answers.
@Suite struct ConvectionPhysicsTests {
  private struct Column: Decodable {
    let z, theta, q_v, p: [Double]
  }

  private struct Rates: Decodable {
    struct Case: Decodable {
      let p, T, rho, q_v, q_c, q_r: Double
      let es, q_vs, autoconversion, accretion, evaporation, fall_speed, adjustment: Double
    }
    let cases: [Case]
  }

  private func close(_ found: SIMD4<Double>, _ known: Double, _ what: String, within tolerance: Double = 1e-9) {
    #expect(abs(found[1] - known) <= tolerance * abs(known), "\(what): \(found[1]) for \(known)")
    #expect(found[0] == found[3])
  }

  @Test func soundingIsTheKnownOne() throws {
    let known = try fixture("sounding", as: Column.self)
    let sounding = Sounding.weismanKlemp(depth: 20_000)
    for (k, z) in known.z.enumerated() where z <= 20_000 {
      let (theta, vapour, exner) = sounding.state(at: z)
      #expect(abs(theta / known.theta[k] - 1) < 1e-12)
      #expect(abs(exner / pow(known.p[k] / Air.referencePressure, Air.kappa) - 1) < 1e-12)
      #expect(abs(vapour / known.q_v[k] - 1) < 1e-10, "at \(z) m")
    }
  }

  @Test func ratesOfWarmRainAreTheKnownOnes() throws {
    let cases = try fixture("microphysics", as: Rates.self).cases
    #expect(cases.contains { $0.evaporation > 0 } && cases.contains { $0.accretion > 0 })
    for state in cases {
      func lanes(_ x: Double) -> SIMD4<Double> { SIMD4(repeating: x) }
      let (temperature, pressure, density) = (lanes(state.T), lanes(state.p), lanes(state.rho))
      close(Saturation.pressureOverWater(temperature), state.es, "es")
      let saturated = Saturation.overWater(temperature: temperature, pressure: pressure)
      close(saturated, state.q_vs, "q_vs")
      close(WarmRain.autoconversion(cloud: lanes(state.q_c)), state.autoconversion, "autoconversion")
      close(WarmRain.accretion(cloud: lanes(state.q_c), rain: lanes(state.q_r)), state.accretion, "accretion")
      let content = density * lanes(state.q_r)
      close(
        WarmRain.evaporation(
          content: content, density: density, vapour: lanes(state.q_v), saturated: saturated, pressure: pressure),
        state.evaporation, "evaporation")
      close(WarmRain.fallSpeed(content: content, density: density), state.fall_speed, "fall speed")
      let adjustment = Saturation.adjustment(
        vapour: lanes(state.q_v), saturated: saturated, temperature: temperature, latentHeat: lanes(Air.vaporisation))
      // A difference of two numbers that may be close.
      #expect(abs(adjustment[0] - state.adjustment) <= 1e-9 * abs(state.adjustment) + 1e-14 * state.q_v)
    }
  }

  /// Over ice it is drier than over water below 0 C, by 0.822 at -20 C (Goff and Gratch), and the same at 0 C.
  @Test func saturationOverIceIsTheLower() {
    let temperature = SIMD4(273.15, 253.15, 233.15, 213.15)
    let pressure = SIMD4(repeating: 5e4)
    let ratio =
      Saturation.overIce(temperature: temperature, pressure: pressure)
      / Saturation.overWater(temperature: temperature, pressure: pressure)
    #expect(ratio[0] == 1)
    #expect(abs(ratio[1] - 0.822) < 0.01)
    #expect(ratio[2] < ratio[1] && ratio[3] < ratio[2])
  }

  private func cell(
    _ temperature: SIMD4<Double>, vapour: Double, cloud: Double, ice: Double, rain: Double, snow: Double
  ) -> Cloud {
    func lanes(_ x: Double) -> SIMD4<Double> { SIMD4(repeating: x) }
    return Cloud(
      density: lanes(0.8), pressure: lanes(6e4), temperature: temperature, vapour: lanes(vapour), cloud: lanes(cloud),
      ice: lanes(ice), rain: lanes(rain), snow: lanes(snow))
  }

  /// cp T + Lv q_v - Lf (q_i + q_s) and all water, whatever happens.
  @Test func phaseChangesKeepEnergyAndWater() {
    var changed = 0
    for kelvin in stride(from: 213.15, through: 303.15, by: 5) {
      for vapour in [0, 1e-4, 2e-3, 1.4e-2] {
        for mixture in 0..<16 {
          func part(_ bit: Int, _ amount: Double) -> Double { mixture >> bit & 1 == 1 ? amount : 0 }
          let start = cell(
            SIMD4(0, 1, 2, 3) + kelvin, vapour: vapour, cloud: part(0, 2e-3), ice: part(1, 5e-4), rain: part(2, 3e-3),
            snow: part(3, 1e-3))
          var end = start
          end.change(6)
          let (before, after) = (totals(start), totals(end))
          for lane in 0..<4 {
            #expect(abs(after.energy[lane] / before.energy[lane] - 1) < 1e-14)
            #expect(abs(after.water[lane] - before.water[lane]) < 1e-17 + 1e-15 * before.water[lane])
            for amount in [end.vapour, end.cloud, end.ice, end.rain, end.snow] { #expect(amount[lane] > -1e-17) }
          }
          if any(end.temperature .!= start.temperature) { changed += 1 }
        }
      }
    }
    #expect(changed > 1000)
  }

  private func totals(_ cell: Cloud) -> (energy: SIMD4<Double>, water: SIMD4<Double>) {
    let fusion = Air.sublimation - Air.vaporisation
    let heat = Air.heatCapacity * cell.temperature + Air.vaporisation * cell.vapour
    return (heat - fusion * (cell.ice + cell.snow), (cell.vapour + cell.cloud) + (cell.ice + cell.rain) + cell.snow)
  }

  @Test func waterFreezesBelowZeroAndIceMeltsAbove() {
    var cold = cell(SIMD4(repeating: 263.15), vapour: 0, cloud: 1e-3, ice: 0, rain: 1e-3, snow: 0)
    cold.change(6)
    #expect(cold.cloud[0] == 0 && cold.rain[0] == 0 && cold.snow[0] > 0)
    var warm = cell(SIMD4(repeating: 283.15), vapour: 1e-2, cloud: 0, ice: 1e-3, rain: 0, snow: 1e-3)
    warm.change(6)
    #expect(warm.ice[0] == 0 && warm.snow[0] == 0 && warm.rain[0] > 0)
    // Half a kelvin melts 1.5 g/kg, no more.
    var mixed = cell(SIMD4(repeating: 273.65), vapour: 4e-3, cloud: 0, ice: 0, rain: 0, snow: 5e-3)
    mixed.change(1e-9)
    #expect(abs(mixed.rain[0] - 0.5 * Air.heatCapacity / (Air.sublimation - Air.vaporisation)) < 1e-6)
  }

  /// Ice grows at the expense of vapour until the air is saturated over ice, not over water, and snow collects it.
  @Test func iceTakesTheVapourThatWaterWouldLeave() {
    let temperature = SIMD4<Double>(repeating: 253.15)
    let pressure = SIMD4<Double>(repeating: 6e4)
    let vapour = 0.97 * Saturation.overWater(temperature: temperature, pressure: pressure)[0]
    var air = cell(temperature, vapour: vapour, cloud: 0, ice: 1e-5, rain: 0, snow: 1e-5)
    for _ in 0..<600 { air.change(6) }
    let saturated = Saturation.overIce(temperature: air.temperature, pressure: pressure)
    #expect(abs(air.vapour[0] / saturated[0] - 1) < 1e-3)
    #expect(air.snow[0] > 1e-5 && air.ice[0] > 0 && air.cloud[0] == 0)
  }
}
