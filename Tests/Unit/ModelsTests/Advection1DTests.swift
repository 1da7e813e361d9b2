import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

@Suite struct Advection1DTests {
  private func wave(_ n: Int, _ shift: Double, _ amplitude: Double = 0.5) -> [Double] {
    (0..<n).map { 1 + amplitude * sin(2 * .pi * (Double($0) / Double(n) - shift)) }
  }

  /// A wave in a steady wind keeps its shape, loses exp(-kappa (2 pi)^2 t) of its height and arrives in time: the known
  /// solution, to second order in the mean although slopes are limited at the two extrema.
  @Test func steadyWindIsTheKnownSolutionToSecondOrder() throws {
    // Grids on which the time steps have the same Courant number, 0.78.
    let errors = try [80, 160, 320].map { n in
      let model = try Advection1D(cells: n, noiseAmplitude: 0)
      let steps = 16 * model.observing.stepsBetween
      let time = Double(steps) * model.timeStep
      #expect(abs(time - 1.25) < 1e-12)
      let decay = exp(-Advection1D.diffusivity * 4 * .pi * .pi * time)
      let result = model.after(steps, from: wave(n, 0))
      return mean(zip(result, wave(n, time, 0.5 * decay)).map { abs($0 - $1) })
    }
    #expect(errors[2] < 2e-4)
    for i in 0..<2 { #expect((1.9...2.7).contains(log2(errors[i] / errors[i + 1])), "\(errors)") }
  }

  /// Averaged over winds, a wave decays with kappa + sigma^2 / 2: half a turn in strong winds.
  @Test func meanOverWindsIsTheKnownOne() throws {
    let model = try Advection1D(noiseAmplitude: 2)
    let (n, runs) = (model.layout.cells, 8000)
    let steps = Int((0.5 / model.timeStep).rounded())
    var amplitudes = SIMD2<Double>.zero
    var squares = 0.0
    for run in 0..<runs {
      let u = model.after(steps, from: wave(n, 0), seed: 7, cycle: run)
      var part = SIMD2<Double>.zero
      for i in 0..<n {
        let angle = 2 * Double.pi * (Double(i) / Double(n) - Double(steps) * model.timeStep)
        part += SIMD2(sin(angle), cos(angle)) * (u[i] * 2 / Double(n))
      }
      amplitudes += part / Double(runs)
      squares += part.x * part.x / Double(runs)
    }
    let standardError = ((squares - amplitudes.x * amplitudes.x) / Double(runs)).squareRoot()
    let rate = Advection1D.diffusivity + 4 * Advection1D.gustiness * Advection1D.gustiness / 2
    let expected = 0.5 * exp(-rate * 4 * .pi * .pi * Double(steps) * model.timeStep)
    #expect(standardError < 2e-3)
    // Beside four standard errors, a bias of second order in the grid. Without sigma^2 / 2 it would be off by 0.012.
    #expect(abs(amplitudes.x - expected) < 4 * standardError + 5e-4, "\(amplitudes), \(expected)")
    #expect(abs(amplitudes.y) < 4 * standardError + 5e-4)
    // The coarse forecast is that mean in one step.
    let coarse = model.coarselyAfter(steps, from: wave(n, 0))
    #expect(distance(coarse, wave(n, Double(steps) * model.timeStep, expected)) < 2e-3)
  }

  /// Mass to rounding and u >= floor, from a single spike between cells at the floor, in strong and in weak winds.
  @Test(arguments: [0.0, 1, 4])
  func massAndFloorHold(noise: Double) throws {
    let model = try Advection1D(noiseAmplitude: noise, floor: 1e-3)
    let n = model.layout.cells
    var spike = [Double](repeating: 1e-3, count: n)
    spike[20] = Double(n) - 1e-3 * Double(n - 1)
    let mass = model.invariants[0]
    let start = mass.value(of: spike.span)
    #expect(abs(start - 1) < 1e-14)
    var least = Double.infinity
    var coarse = spike
    for cycle in 0..<200 {
      spike = model.after(20, from: spike, seed: 5, cycle: cycle)
      coarse = model.coarselyAfter(7, from: coarse)
      least = min(least, spike.min() ?? 0, coarse.min() ?? 0)
      #expect(abs(mass.value(of: spike.span) - start) < 1e-13, "cycle \(cycle)")
      #expect(abs(mass.value(of: coarse.span) - start) < 1e-13, "cycle \(cycle)")
    }
    #expect(least >= 1e-3)
    // In divergent winds the floor binds.
    if noise == 4 { #expect(least == 1e-3) }
  }

  @Test func coarseForecastTurnsByWholeCells() throws {
    let model = try Advection1D(noiseAmplitude: 0)
    let n = model.layout.cells
    // Five cells in the interval; diffusion is an exchange between neighbours.
    let start = model.initialState(RandomStream(seed: 2, purpose: .test))
    let coarse = model.coarselyAfter(model.observing.stepsBetween, from: start)
    let exchange = Advection1D.diffusivity * Advection1D.observationInterval * Double(n * n)
    for i in 0..<n {
      func at(_ k: Int) -> Double { start[(i + k - 5 + n) % n] }
      #expect(abs(coarse[i] - (at(0) + exchange * (at(1) - 2 * at(0) + at(-1)))) < 1e-12)
    }
    #expect(model.coarselyAfter(0, from: start) == start && model.after(0, from: start) == start)
  }

  @Test func climatologyIsIntermittent() throws {
    let model = try Advection1D()
    var (sum, count) = (SIMD2<Double>.zero, 0.0)
    for run in 0..<20 {
      var u = model.initialState(RandomStream(seed: 4, purpose: .test, cycle: run))
      u = model.after(Int((40 / model.timeStep).rounded()), from: u, seed: 8, cycle: run)
      for piece in 0..<20 {
        u = model.after(Int((1 / model.timeStep).rounded()), from: u, seed: 9, cycle: 100 * run + piece)
        for x in u { sum += SIMD2(x, x * x) }
        count += Double(u.count)
      }
    }
    sum /= count
    #expect(abs(sum.x - 1) < 1e-12)
    #expect(abs((sum.y - 1).squareRoot() - model.layout.fields[0].scale) < 0.1, "\((sum.y - 1).squareRoot())")
  }

  @Test func forecastsAreKeyedByTheirStream() throws {
    let model = try Advection1D()
    let start = model.initialState(RandomStream(seed: 1, purpose: .test))
    #expect(model.after(10, from: start, seed: 1) == model.after(10, from: start, seed: 1))
    #expect(model.after(10, from: start, seed: 1) != model.after(10, from: start, seed: 2))
    #expect(model.after(1, from: start, seed: 1) != model.after(1, from: start, seed: 1, cycle: 1))
  }

  @Test func timeStepKeepsTheCourantLimit() throws {
    for (cells, noise) in [(8, 1.0), (64, 0), (64, 1), (64, 4), (300, 1)] {
      let model = try Advection1D(cells: cells, noiseAmplitude: noise)
      let steps = Double(model.observing.stepsBetween)
      #expect(abs(steps * model.timeStep - Advection1D.observationInterval) < 1e-15)
      // Three waves of sines and cosines, each at most sqrt(2) sigma / sqrt(3).
      func largest(_ dt: Double) -> Double {
        let gust = 6.0.squareRoot() * noise * Advection1D.gustiness * dt.squareRoot()
        return Double(cells) * (Advection1D.velocity * dt + gust)
      }
      #expect(largest(model.timeStep) <= 0.8 + 1e-12)
      #expect(Advection1D.diffusivity * model.timeStep * Double(cells * cells) <= 0.25 + 1e-12)
      let isCourant = steps > 1 && largest(Advection1D.observationInterval / (steps - 1)) > 0.8
      #expect(isCourant || cells == 8, "no more steps than needed")
    }
  }

  @Test func unusableSettingsAreNamed() {
    for (key, make) in [
      ("cells", { try Advection1D(cells: 7) }), ("noise_amplitude", { try Advection1D(noiseAmplitude: 4.1) }),
      ("noise_amplitude", { try Advection1D(noiseAmplitude: .nan) }), ("floor", { try Advection1D(floor: 0) }),
      ("floor", { try Advection1D(floor: 0.2) }),
    ] as [(String, () throws -> Advection1D)] {
      let error = #expect(throws: ModelError.self) { _ = try make() }
      #expect(error?.key == key)
    }
  }
}
