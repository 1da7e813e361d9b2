import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

/// Answers of DOP853 with a tolerance of 1e-12.
private struct Answers: Decodable {
  struct Fields: Decodable {
    let K, R, Z, a: [Double]
    var state: [Double] { K + R + Z + a }
  }
  struct Energies: Decodable {
    let conserved, printed: Double
  }
  struct Case: Decodable {
    let background: String
    let n: Int
    let length: Double
    let source: [Double]
    let initial: Fields
    let time: Double
    let final: Fields
    let energy_initial, energy_final: Energies
    let invariants_initial, invariants_final: [Double]
  }
  let cases: [Case]
}

private func noiseless(_ preset: MJOConfiguration.Preset = .paper) -> MJOConfiguration {
  var configuration = MJOConfiguration(preset)
  configuration.noiseAmplitude = 0
  return configuration
}

private func model(of known: Answers.Case, timeStep: Double) throws -> MJOSkeleton {
  var configuration = noiseless()
  configuration.background = known.background == "homogeneous" ? .homogeneous : .warmPool
  configuration.cells = known.n
  configuration.length = known.length
  configuration.timeStep = timeStep
  return try MJOSkeleton(configuration)
}

@Suite struct MJODeterministicTests {
  @Test func noiseFreeRunsAreTheKnownOnesToSecondOrder() throws {
    for known in try fixture("mjo_deterministic", as: Answers.self).cases {
      let steps = [25, 50, 100, 500]
      let errors = try steps.map { steps in
        let model = try model(of: known, timeStep: known.time / Double(steps))
        #expect(distance(model.source, known.source) < 1e-16)
        return distance(model.after(steps, from: known.initial.state), known.final.state)
      }
      #expect(errors[3] < 1e-7)
      for i in 0..<3 {
        let order = log(errors[i] / errors[i + 1]) / log(Double(steps[i + 1]) / Double(steps[i]))
        #expect(abs(order - 2) < 0.05)
      }
    }
  }

  @Test func energiesAndInvariantsAreTheKnownOnes() throws {
    for known in try fixture("mjo_deterministic", as: Answers.self).cases {
      let model = try model(of: known, timeStep: 0.001)
      for (state, energies, invariants) in [
        (known.initial.state, known.energy_initial, known.invariants_initial),
        (known.final.state, known.energy_final, known.invariants_final),
      ] {
        #expect(model.energies.map(\.name) == ["conserved", "printed"])
        #expect(abs(model.energies[0].value(of: state.span) - energies.conserved) < 1e-14)
        #expect(abs(model.energies[1].value(of: state.span) - energies.printed) < 1e-14)
        for i in 0..<2 { #expect(abs(model.invariants[i].value(of: state.span) - invariants[i]) < 1e-16) }
      }
    }
  }

  @Test func oneEnergyIsConservedAndThePrintedOneDrifts() throws {
    for known in try fixture("mjo_deterministic", as: Answers.self).cases {
      let fine = try model(of: known, timeStep: 1e-4)
      let end = fine.after(5_000, from: known.initial.state)
      let change = fine.energies.map {
        abs($0.value(of: end.span) - $0.value(of: known.initial.state.span))
      }
      #expect(change[0] < 1e-9)
      #expect(change[1] > 1e-4)
    }
  }

  /// A spun-up state has waves down to the grid scale; energy and order of convergence must not suffer from them.
  @Test func roughStatesKeepEnergyAndOrder() throws {
    let noisy = try MJOSkeleton(preset: .paper, background: .warmPool)
    let start = noisy.after(20_000, from: noisy.initialState(RandomStream(seed: 1, purpose: .test)))
    let ends = try [1, 2, 4, 64].map { refinement in
      var configuration = noiseless()
      configuration.background = .warmPool
      configuration.timeStep = 0.004 / Double(refinement)
      return try MJOSkeleton(configuration).after(100 * refinement, from: start)
    }
    let errors = ends[..<3].map { distance($0, ends[3]) }
    let end = ends[2]
    let change = noisy.energies[0].value(of: end.span) - noisy.energies[0].value(of: start.span)
    for i in 0..<2 { #expect(log2(errors[i] / errors[i + 1]) > 1.9) }
    #expect(abs(change) < 1e-7)
  }

  /// The shift is spectral, so a smooth state gives the same solution on any grid, odd or even.
  @Test func solutionsDoNotDependOnTheGrid() throws {
    let ends = try [40, 63, 64, 65, 96].map { n in
      var configuration = noiseless()
      configuration.background = .warmPool
      configuration.cells = n
      configuration.timeStep = 0.005
      let model = try MJOSkeleton(configuration)
      let angles = (0..<n).map { 2 * Double.pi * Double($0) / Double(n) }
      let state =
        angles.map { 0.01 * cos($0) } + angles.map { 0.01 * sin($0 + 1) } + angles.map { 0.02 * sin($0) }
        + angles.map { 0.1 + 0.05 * cos($0 + 2) }
      let end = model.after(100, from: state)
      // The fields at x = 0, and the energy, which sees all of them.
      return (0..<4).map { end[$0 * n] } + [model.energies[0].value(of: end.span)]
    }
    for end in ends { #expect(distance(end, ends[4]) < 1e-12) }
  }

  @Test(arguments: MJOConfiguration.Background.allCases)
  func coarseForecastFollowsTheFineOne(background: MJOConfiguration.Background) throws {
    var configuration = noiseless()
    configuration.background = background
    let quiet = try MJOSkeleton(configuration)
    let noisy = try MJOSkeleton(MJOConfiguration(.paper, background: background))
    let start = noisy.after(10_000, from: noisy.initialState(RandomStream(seed: 1, purpose: .test)))
    let fine = quiet.after(20, from: start)
    let coarse = noisy.coarselyAfter(20, from: start)
    #expect(distance(coarse, fine) < 0.06 * distance(fine, start))
    for v in 0..<4 {
      let range = noisy.layout.range(v)
      #expect(distance(coarse[range], fine[range]) < 0.002 * noisy.layout.fields[v].scale)
    }
    for invariant in noisy.invariants {
      #expect(abs(invariant.value(of: coarse.span) - invariant.value(of: start.span)) < 1e-16)
    }
    // Another interval in between must not leave its displacements behind.
    let other = noisy.coarselyAfter(10, from: start)
    #expect(noisy.coarselyAfter(20, from: start) == coarse)
    #expect(try MJOSkeleton(configuration).coarselyAfter(10, from: start) == other)
  }

  /// In the first half step from a = Abar nothing heats, so activity grows by exactly exp(Gamma Q dt).
  @Test func activityGrowsExponentially() throws {
    let model = try MJOSkeleton(noiseless())
    let n = model.layout.cells
    for exponent in [0, 1e-8, 1e-3, -0.01, 0.0624, -0.0626, 0.3, -2] {
      let moisture = exponent / (MJOConstants.growthRate * model.timeStep)
      let state =
        [Double](repeating: 0, count: 2 * n) + [Double](repeating: moisture, count: n)
        + model.source.map { $0 / MJOConstants.heatingRate }
      let end = model.after(1, from: state)
      for i in 0..<n { #expect(abs(end[3 * n + i] / state[3 * n + i] / exp(exponent) - 1) < 1e-15) }
    }
  }

  @Test func standardPresetIsAccurateAtItsTimeStep() throws {
    let noisy = try MJOSkeleton(preset: .standard)
    let start = noisy.after(2_000, from: noisy.initialState(RandomStream(seed: 2, purpose: .test)))
    var configuration = noiseless(.standard)
    let steps = configuration.stepsBetweenObservations
    let usual = try MJOSkeleton(configuration).after(steps, from: start)
    configuration.timeStep /= 16
    let reference = try MJOSkeleton(configuration)
    let fine = reference.after(16 * steps, from: start)
    let coarse = noisy.coarselyAfter(steps, from: start)
    for v in 0..<4 {
      let range = noisy.layout.range(v)
      let scale = noisy.layout.fields[v].scale
      #expect(distance(usual[range], fine[range]) < 0.02 * scale)
      #expect(distance(coarse[range], fine[range]) < 0.2 * scale)
    }
  }

  @Test(arguments: MJOConfiguration.Background.allCases)
  func gradientsOfEnergiesAreTheirDerivatives(background: MJOConfiguration.Background) throws {
    let model = try MJOSkeleton(preset: .paper, background: background)
    let state = model.after(500, from: model.initialState(RandomStream(seed: 3, purpose: .test)))
    for energy in model.energies {
      var gradient = [Double](repeating: .nan, count: state.count)
      var span = gradient.mutableSpan
      energy.gradient(of: state.span, into: &span)
      for i in state.indices {
        let step = 1e-4 * state[i].magnitude.squareRoot() * 0.1 + 1e-7
        var (low, high) = (state, state)
        low[i] -= step
        high[i] += step
        let slope = (energy.value(of: high.span) - energy.value(of: low.span)) / (2 * step)
        #expect(abs(gradient[i] - slope) < 1e-6 * (1 + gradient[i].magnitude) )
      }
    }
  }
}
