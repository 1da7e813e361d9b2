import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState
import Testing

private func configuration(
  _ scheme: MJOConfiguration.NoiseScheme, _ background: MJOConfiguration.Background = .homogeneous
) -> MJOConfiguration {
  var configuration = MJOConfiguration(.paper, background: background)
  configuration.noiseScheme = scheme
  return configuration
}

/// Activities after `steps` steps from a uniform state with a = `start` and Q = `moisture`, at all cells, over `draws`
/// streams.
private func activities(
  _ scheme: MJOConfiguration.NoiseScheme, start: Double, moisture: Double, interval: Double, steps: Int, draws: Int,
  floor: Double = 1e-6
) throws -> [Double] {
  var configuration = configuration(scheme)
  configuration.timeStep = interval / Double(steps)
  configuration.floor = floor
  let model = try MJOSkeleton(configuration)
  let n = configuration.cells
  let zero = [Double](repeating: 0, count: 2 * n)
  let state = zero + [Double](repeating: moisture, count: n) + [Double](repeating: start, count: n)
  return (0..<draws).flatMap { model.after(steps, from: state, seed: 5, cycle: $0)[(3 * n)...] }
}

@Suite struct MJONoiseTests {
  @Test(arguments: MJOConfiguration.NoiseScheme.allCases, MJOConfiguration.Background.allCases)
  func noisyRunsKeepInvariantsAndFloor(
    scheme: MJOConfiguration.NoiseScheme, background: MJOConfiguration.Background
  ) throws {
    let model = try MJOSkeleton(configuration(scheme, background))
    var state = model.initialState(RandomStream(seed: 1, purpose: .test))
    let n = model.layout.cells
    // Means away from zero, so that a relative error would show, and moisture that soon drives cells to the floor.
    for i in 0..<n {
      state[i] += 0.02
      state[2 * n + i] += 0.2 * sin(2 * .pi * Double(i) / Double(n)) - 0.01
    }
    let before = model.invariants.map { $0.value(of: state.span) }
    var touched = 0
    for cycle in 0..<200 {
      state = model.after(25, from: state, seed: 6, cycle: cycle)
      let activity = state[(3 * n)...]
      #expect(activity.allSatisfy { $0 >= model.configuration.floor && $0.isFinite })
      touched += activity.count { $0 == model.configuration.floor }
    }
    #expect(touched > 0)
    for (invariant, value) in zip(model.invariants, before) {
      #expect(abs(invariant.value(of: state.span) - value) < 2e-15)
    }
  }

  /// Mean and variance of the square-root diffusion with Q frozen; the interval is so short that Q changes by less than
  /// 0.2%.
  @Test(arguments: MJOConfiguration.NoiseScheme.allCases, [0.5, -0.5])
  func oneCellMomentsAreThoseOfTheDiffusion(scheme: MJOConfiguration.NoiseScheme, moisture: Double) throws {
    let (start, interval) = (0.3, 0.02)
    let exact = SquareRootTransition(
      start: start, growth: expm1(MJOConstants.growthRate * moisture * interval), amplitude: 1)
    for steps in [1, 5, 20] {
      let values = try activities(
        scheme, start: start, moisture: moisture, interval: interval, steps: steps, draws: 300)
      let n = Double(values.count)
      #expect(abs(mean(values) - exact.mean) < 5 * (exact.variance / n).squareRoot())
      #expect(abs(variance(values) / exact.variance - 1) < 5 * (2 / n).squareRoot())
      // Neighbouring cells are independent.
      let product = zip(values, values.dropFirst()).map { ($0 - exact.mean) * ($1 - exact.mean) }
      #expect(abs(mean(product) / exact.variance) < 5 / n.squareRoot())
    }
  }

  /// Near zero, where the normal number is the wrong law, E exp(-theta a) has a closed form to converge to.
  @Test func bothSchemesConvergeWeaklyNearZero() throws {
    let (start, moisture, interval, theta) = (0.02, 0.5, 0.02, 50.0)
    let growth = expm1(MJOConstants.growthRate * moisture * interval)
    let exact = exp(-theta * start * (1 + growth) / (1 + theta * growth / 2))
    let errors = try MJOConfiguration.NoiseScheme.allCases.map { scheme in
      try [1, 4, 16, 64].map { steps in
        let values = try activities(
          scheme, start: start, moisture: moisture, interval: interval, steps: steps, draws: 400)
        return abs(mean(values.map { exp(-theta * $0) }) - exact)
      }
    }
    // The standard error of the mean of 25,600 numbers in (0, 1) is below 0.002.
    for error in errors[1] { #expect(error < 0.006) }
    #expect(errors[0][0] > 0.01)
    #expect(errors[0][3] < 0.006)
  }

  @Test func theExactTransitionHasItsMoments() {
    var random = StreamCursor(RandomStream(seed: 7, purpose: .test))
    // Poisson means of 0.2 (inversion), 30 (rejection) and 2e4, the last one with Q < 0.
    for (start, growth) in [(0.001, 0.01), (0.15, 0.01), (1.0, -1e-4)] {
      let transition = SquareRootTransition(start: start, growth: growth, amplitude: 1)
      let values = (0..<40_000).map { _ in transition.sample(&random) }
      let n = Double(values.count)
      let scale = abs(growth) / 2
      let events = transition.mean / scale
      #expect(abs(mean(values) - transition.mean) < 5 * (transition.variance / n).squareRoot())
      // Kurtosis of a compound Poisson sum of exponentials: 3 + 6 / events.
      #expect(abs(variance(values) / transition.variance - 1) < 5 * ((2 + 6 / events) / n).squareRoot())
      let extinct = exp(-events)
      let share = Double(values.count { $0 == 0 }) / n
      #expect(abs(share - extinct) <= 5 * (extinct * (1 - extinct) / n).squareRoot())
      // Third central moment: 6 events scale^3.
      let third = mean(values.map { pow($0 - transition.mean, 3) })
      let spread = pow(transition.variance, 1.5)
      #expect(abs(third / spread - 6 * events * pow(scale, 3) / spread) < 5 * ((15 + 700 / events) / n).squareRoot())
    }
    let still = SquareRootTransition(start: 0.1, growth: 0, amplitude: 1)
    #expect(still.sample(&random) == 0.1)
    let crowded = SquareRootTransition(start: 4, growth: 1e-12, amplitude: 1)
    #expect(abs(crowded.sample(&random) - 4) < 1e-4)
  }

  @Test(arguments: MJOConfiguration.NoiseScheme.allCases)
  func climatologyIsThatOfTheModel(scheme: MJOConfiguration.NoiseScheme) throws {
    let model = try MJOSkeleton(configuration(scheme))
    let n = model.layout.cells
    let units = scheme == .eulerFloor ? (spinUp: 20, runs: 6, long: 30) : (spinUp: 20, runs: 2, long: 20)
    var moments = [SIMD2<Double>](repeating: .zero, count: 4)
    var (samples, atFloor, largest) = (0.0, 0.0, 0.0)
    for seed in 1...UInt64(units.runs) {
      var state = model.initialState(RandomStream(seed: seed, purpose: .test))
      state = model.after(units.spinUp * 1_000, from: state, seed: seed)
      for cycle in 1...(units.long * 10) {
        state = model.after(100, from: state, seed: seed, cycle: cycle)
        for v in 0..<4 { for i in model.layout.range(v) { moments[v] += SIMD2(state[i], state[i] * state[i]) } }
        let activity = state[(3 * n)...]
        atFloor += Double(activity.count { $0 < 2 * model.configuration.floor })
        largest = max(largest, activity.max() ?? 0)
        samples += Double(n)
      }
    }
    let deviations = moments.map { ($0.y / samples - ($0.x / samples) * ($0.x / samples)).squareRoot() }
    print(
      "climatology, \(scheme): mean a \(moments[3].x / samples), sd of K, R, Z, a \(deviations),",
      "share at the floor \(atFloor / samples), largest a \(largest)")
    #expect((0.085...0.115).contains(moments[3].x / samples))
    for v in 0..<4 {
      let ratio = deviations[v] / model.layout.fields[v].scale
      #expect((0.5...2).contains(ratio))
    }
    #expect((0.03...0.25).contains(atFloor / samples))
    #expect(largest > 1)
  }

  @Test(arguments: MJOConfiguration.NoiseScheme.allCases)
  func sameStreamSameBits(scheme: MJOConfiguration.NoiseScheme) throws {
    let model = try MJOSkeleton(configuration(scheme, .warmPool))
    let start = model.initialState(RandomStream(seed: 1, purpose: .test))
    let first = model.after(40, from: start, seed: 2)
    let other = model.after(40, from: start, seed: 3)
    // Neither another object nor what an object did before matters.
    let fresh = try MJOSkeleton(configuration(scheme, .warmPool))
    #expect(fresh.after(40, from: start, seed: 2) == first)
    #expect(model.after(40, from: start, seed: 2) == first)
    #expect(other != first)
    #expect(model.after(0, from: start, seed: 2) == start)
  }

  @Test(arguments: MJOConfiguration.NoiseScheme.allCases)
  func notANumberPassesThrough(scheme: MJOConfiguration.NoiseScheme) throws {
    let model = try MJOSkeleton(configuration(scheme))
    var state = model.initialState(RandomStream(seed: 1, purpose: .test))
    state[3 * 64 + 7] = .nan
    #expect(model.after(1, from: state)[3 * 64 + 7].isNaN)
    #expect(model.coarselyAfter(20, from: state)[3 * 64 + 7].isNaN)
  }
}
