public import DaunceNumerics
public import DaunceState

/// The model of Lorenz (1996), dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - c x_i + F on a circle, stepped by the classical
/// Runge-Kutta scheme of fourth order; no noise. c is 1; with c = F = 0 the model conserves <x^2> / 2.
///
/// By default everything is observed every step with unit variance, the standard experiment of the field (Sakov & Oke
/// 2008).
public final class Lorenz96: TwinModel, CoarseModel, ConservingModel, DescribedModel {
  /// Name in configurations and files.
  public let name = "lorenz96"
  /// One field, X, on a circle.
  public let layout: StateLayout
  /// In the model's unit of time.
  public let timeStep: Double
  /// F.
  public let forcing: Double
  /// c.
  public let damping: Double
  /// Perturbations grow to the attractor.
  public let spinup = 20.0
  /// How twin experiments observe it unless told otherwise.
  public let observing: ObservingSystem
  /// None.
  public let invariants: [LinearInvariant] = []
  /// <x^2> / 2, which is bounded, and conserved without forcing and damping; and <x>.
  public let energies: [any StateFunction]
  /// Four tendencies of 4 operations a cell, three stages of 2, three sums of 2 and the last step of 3.
  public var operationsPerStep: Int? { layout.count * (4 * 4 + 3 * 2 + 3 * 2 + 3) }

  private let memory: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - cells: at least 4.
  ///   - forcing: F; 8 is chaotic with the standard deviation that `scale` holds.
  ///   - damping: c, not negative.
  ///   - timeStep: in units of time, at most 0.1; 0.05 stands for six hours.
  /// - Throws: `ModelError` naming the setting that cannot be used.
  public init(cells: Int = 40, forcing: Double = 8, damping: Double = 1, timeStep: Double = 0.05) throws(ModelError) {
    try ModelError.require(cells >= 4, "cells", cells, "at least 4")
    try ModelError.require(forcing.isFinite, "forcing", forcing, "a finite number")
    try ModelError.require(timeStep > 0 && timeStep <= 0.1, "time_step", timeStep, "a number above 0, at most 0.1")
    try ModelError.require(damping.isFinite && damping >= 0, "damping", damping, "a number of at least 0")
    self.forcing = forcing
    self.damping = damping
    self.timeStep = timeStep
    layout = StateLayout(
      ring: cells, length: Double(cells), fields: [Field(name: "X", longName: "Lorenz-96 variable", scale: 3.64)])
    observing = ObservingSystem(variable: 0, errorVariance: 1, law: .gaussian, stepsBetween: 1)
    energies = [KineticEnergy(), MeanValue()]
    memory = .allocate(capacity: 4 * (cells + 3))
    memory.initialize(repeating: 0, count: 4 * (cells + 3))
  }

  deinit { memory.deallocate() }

  /// x = F with independent perturbations of standard deviation 0.01, which grow to the attractor within some 20 units
  /// of time. Where there is no attractor, without damping, a random state of the energy that the field's scale has.
  public func initialState(_ stream: RandomStream) -> [Double] {
    guard damping == 0 else { return (0..<layout.count).map { forcing + 0.01 * stream.normal(at: $0) } }
    let numbers = (0..<layout.count).map { stream.normal(at: $0) }
    let size = (numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)).squareRoot()
    return numbers.map { layout.fields[0].scale / size * $0 }
  }

  /// Carries a state (`[element]`) by `steps` Runge-Kutta steps of ``timeStep``; autonomous and without noise.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int, noise: RandomStream) {
    for _ in 0..<max(0, steps) { step(&state, timeStep) }
  }

  /// One Runge-Kutta step over the whole interval: good for few time steps, unstable beyond an interval of about 0.5.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int) {
    if steps > 0 { step(&state, Double(steps) * timeStep) }
  }

  private func step(_ state: inout MutableSpan<Double>, _ dt: Double) {
    let n = layout.count
    precondition(state.count == n, "a state of Lorenz-96 has one field")
    let stage = memory + 2
    let slope = memory + (n + 3)
    let sum = slope + n
    let start = sum + n
    for i in 0..<n { start[i] = state[i] }
    tendency(from: start, stage, slope)
    for i in 0..<n { sum[i] = slope[i] }
    for i in 0..<n { stage[i] = start[i] + dt / 2 * slope[i] }
    tendency(from: stage, stage, slope)
    for i in 0..<n { sum[i] += 2 * slope[i] }
    for i in 0..<n { stage[i] = start[i] + dt / 2 * slope[i] }
    tendency(from: stage, stage, slope)
    for i in 0..<n { sum[i] += 2 * slope[i] }
    for i in 0..<n { stage[i] = start[i] + dt * slope[i] }
    tendency(from: stage, stage, slope)
    for i in 0..<n { state[i] = start[i] + dt / 6 * (sum[i] + slope[i]) }
  }

  /// Right-hand side at `x`, through `halo`, whose elements -2, -1 and n repeat the other end.
  @inline(__always)
  private func tendency(
    from x: UnsafeMutablePointer<Double>, _ halo: UnsafeMutablePointer<Double>,
    _ slope: UnsafeMutablePointer<Double>
  ) {
    let n = layout.count
    if x != halo { halo.update(from: x, count: n) }
    halo[-2] = halo[n - 2]
    halo[-1] = halo[n - 1]
    halo[n] = halo[0]
    for i in 0..<n { slope[i] = (halo[i + 1] - halo[i - 2]) * halo[i - 1] - damping * halo[i] + forcing }
  }
}

/// <x^2> / 2 over all state elements.
public struct KineticEnergy: StateFunction {
  /// Name in configurations and files.
  public let name = "kinetic"

  /// The energy of any number of cells.
  public init() {}

  /// The energy of a state (`[cell]`).
  public func value(of state: Span<Double>) -> Double {
    var sum = 0.0
    for i in 0..<state.count { sum += state[i] * state[i] }
    return sum / (2 * Double(state.count))
  }

  /// Its derivatives by the state (`[cell]`).
  public func gradient(of state: Span<Double>, into gradient: inout MutableSpan<Double>) {
    for i in 0..<state.count { gradient[i] = state[i] / Double(state.count) }
  }
}

/// <x> over all state elements.
public struct MeanValue: StateFunction {
  /// Name in configurations and files.
  public let name = "mean"

  /// The mean of any number of cells.
  public init() {}

  /// The mean of a state (`[cell]`).
  public func value(of state: Span<Double>) -> Double {
    var sum = 0.0
    for i in 0..<state.count { sum += state[i] }
    return sum / Double(state.count)
  }

  /// Its derivatives by the state (`[cell]`).
  public func gradient(of state: Span<Double>, into gradient: inout MutableSpan<Double>) {
    for i in 0..<state.count { gradient[i] = 1 / Double(state.count) }
  }
}
