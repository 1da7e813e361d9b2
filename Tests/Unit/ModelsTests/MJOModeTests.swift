import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

private struct Dispersion: Decodable {
  struct Mode: Decodable {
    let length: Double
    let wavenumber: Int
    let omega: [Double]
  }
  let modes: [Mode]
}

/// A wave in all fields: (K, R, Z, A) = Re(v exp(i (m 2 pi x / L - phase))), v the right eigenvector of frequency
/// `omega` with unit A.
private func wave(
  _ model: MJOSkeleton, _ m: Int, omega: Double, amplitude: Double, phase: Double
) -> [Double] {
  let n = model.layout.cells
  let k = 2 * Double.pi * Double(m) / model.configuration.length
  let angles = (0..<n).map { 2 * Double.pi * Double(m * $0 % n) / Double(n) - phase }
  let h = MJOConstants.heatingRate
  // v_K = -i H / (2 (omega - k)) and so on; Re(-i exp(i angle)) = sin(angle).
  let field = { (weight: Double) in angles.map { amplitude * weight * sin($0) } }
  return field(h / (2 * (omega - k))) + field(h / (3 * (omega + k / 3)))
    + field((1 - MJOConstants.moistureGradient) * h / omega)
    + angles.enumerated().map { model.source[$0.offset] / h + amplitude * cos($0.element) }
}

@Suite struct MJOModeTests {
  @Test func frequenciesAreTheKnownOnes() throws {
    let known = try fixture("mjo_dispersion", as: Dispersion.self)
    #expect(known.modes.count == 6)
    for mode in known.modes {
      let found = MJOMode(wavenumber: mode.wavenumber, length: mode.length, activity: 0.1)
      #expect(distance(found.frequencies, mode.omega) < 1e-13)
      #expect(found.frequency == found.frequencies[2])
    }
  }

  @Test(arguments: MJOConfiguration.Preset.allCases, MJOConfiguration.Background.allCases)
  func projectionKeepsTheMJOAndNothingElse(
    preset: MJOConfiguration.Preset, background: MJOConfiguration.Background
  ) throws {
    let model = try MJOSkeleton(preset: preset, background: background)
    let n = model.layout.cells
    for mode in model.projection.modes {
      for omega in mode.frequencies {
        let state = wave(model, mode.wavenumber, omega: omega, amplitude: 0.05, phase: 0.7)
        let field = model.diagnostics[0].compute(state.span)
        let activity = (0..<n).map { state[3 * n + $0] - model.source[$0] / MJOConstants.heatingRate }
        let expected = omega == mode.frequency ? activity : [Double](repeating: 0, count: n)
        #expect(distance(field, expected) < 1e-14)
      }
    }
    #expect(model.diagnostics.map(\.name) == ["MJO"])
    // Waves outside 1...3 are no part of it.
    let outside = wave(model, 5, omega: 0.05, amplitude: 0.05, phase: 0)
    #expect(distance(model.diagnostics[0].compute(outside.span), [Double](repeating: 0, count: n)) < 1e-14)
  }

  @Test(arguments: MJOConfiguration.Preset.allCases)
  func smallWavesTravelAtTheirFrequency(preset: MJOConfiguration.Preset) throws {
    var configuration = MJOConfiguration(preset)
    configuration.noiseAmplitude = 0
    configuration.timeStep /= 4
    let model = try MJOSkeleton(configuration)
    let amplitude = 1e-7
    let steps = 2_000
    for mode in model.projection.modes {
      for omega in mode.frequencies {
        let start = wave(model, mode.wavenumber, omega: omega, amplitude: amplitude, phase: 0.3)
        let turned = omega * Double(steps) * configuration.timeStep
        let end = wave(model, mode.wavenumber, omega: omega, amplitude: amplitude, phase: 0.3 + turned)
        // One part in a thousand of the largest amplitude, which is that of a or, in fast waves, of K or R.
        let size = distance(end, wave(model, mode.wavenumber, omega: omega, amplitude: 0, phase: 0))
        let error = distance(model.after(steps, from: start), end)
        #expect(error < 1e-3 * size)
      }
    }
  }
}
