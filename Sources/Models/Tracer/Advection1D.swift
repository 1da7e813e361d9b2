#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
public import DaunceNumerics
public import DaunceState

/// A positive tracer u in a randomly varying wind on a circle of length 1,
///
///     du + (c u)_x dt + sum_j (e_j u)_x o dW_j = kappa u_xx dt      (Stratonovich),
///
/// with e_j = sigma / sqrt(3) times the sines and cosines of wavenumbers 1 to 3: the wind is white in time, smooth and
/// homogeneous in space. Gusts pile the tracer up and thin it out, diffusion evens it out again, and the two come to a
/// balance with an intermittent field. Averaged over the wind, u obeys the same equation without noise and with the
/// diffusivity kappa + sigma^2 / 2.
///
/// The scheme is a finite-volume one: cells exchange fluxes, so the mean <u> is conserved to rounding, noise included.
/// Advection is van Leer's second-order scheme (J. Comput. Phys. 23, 276, 1977) with his monotonised central slopes;
/// it meets each time step's wind as frozen, which is the Stratonovich reading. Gaussian increments are replaced by
/// +-sqrt(dt) with equal probability (the simplified weak Euler scheme of Kloeden & Platen 1992, 14.1), so that the
/// wind is bounded and no step can break the Courant limit. Fluxes out of a cell are scaled down where they would take
/// it below the floor (Smolarkiewicz 1989, Mon. Wea. Rev. 117, 2626): u >= floor always.
///
/// Observed everywhere once every 5/64 of a turn.
public final class Advection1D: TwinModel, CoarseModel, ConservingModel, DescribedModel {
  /// Name in configurations and files.
  public let name = "advection1d"
  /// The tracer on a circle.
  public let layout: StateLayout
  /// In the model's unit of time.
  public let timeStep: Double
  /// Forty turns of the tracer.
  public let spinup = 40.0
  /// How twin experiments observe it unless told otherwise.
  public let observing: ObservingSystem
  /// The mean of u, called mass.
  public let invariants: [LinearInvariant]
  /// <(u - 1)^2>, which diffusion lowers and the wind raises.
  public let energies: [any StateFunction] = [TracerVariance()]

  /// c, in lengths per time.
  public static let velocity = 1.0
  /// kappa.
  public static let diffusivity = 2.0e-4
  /// sigma of the default noise: half of its square is the diffusivity of the wind.
  public static let gustiness = 0.025
  /// Time from one observation to the next.
  public static let observationInterval = 5.0 / 64
  /// Largest displacement in a time step, in cells, and largest share of a cell that diffuses to each side.
  static let courantLimit = 0.8
  static let diffusionLimit = 0.25
  static let wavenumbers = 3

  /// sigma.
  let sigma: Double
  let floor: Double
  private let cells: Int
  /// e_j sqrt(dt) in cells at the right face of every cell, `[2 wave + (cosine, sine)][cell]`.
  private let gusts: [Double]
  /// Scratch, each `[cell + 2]` with a cell of the other end on either side: field, slope or share, flux.
  private let memory: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - cells: of the grid, at least 8. The time step follows from the Courant limit.
  ///   - noiseAmplitude: factor on sigma, from 0 to 4.
  ///   - floor: smallest admissible u, above 0 and at most 0.1; the mean is 1.
  /// - Throws: `ModelError` naming the setting that cannot be used.
  public init(cells: Int = 64, noiseAmplitude: Double = 1, floor: Double = 1.0e-4) throws(ModelError) {
    try ModelError.require(cells >= 8, "cells", cells, "at least 8")
    try ModelError.require(
      noiseAmplitude >= 0 && noiseAmplitude <= 4, "noise_amplitude", noiseAmplitude, "a number from 0 to 4")
    try ModelError.require(floor > 0 && floor <= 0.1, "floor", floor, "a number above 0, at most 0.1")
    self.cells = cells
    self.floor = floor
    sigma = Self.gustiness * noiseAmplitude
    let steps = Self.stepsBetweenObservations(cells: cells, sigma: sigma)
    timeStep = Self.observationInterval / Double(steps)
    layout = StateLayout(
      ring: cells, length: 1,
      fields: [Field(name: "u", longName: "tracer concentration", scale: 0.9, lowerBound: floor)])
    observing = ObservingSystem(variable: 0, errorVariance: 0.2, law: .lognormal, stepsBetween: steps)
    invariants = [
      LinearInvariant(name: "mass", coefficients: [Double](repeating: 1 / Double(cells), count: cells))
    ]
    let amplitude = sigma / Double(Self.wavenumbers).squareRoot() * timeStep.squareRoot() * Double(cells)
    gusts = (0..<2 * Self.wavenumbers).flatMap { j in
      (0..<cells).map { i in
        let angle = Double.pi * Double((j / 2 + 1) * (2 * i + 1)) / Double(cells)
        return amplitude * (j % 2 == 0 ? cos(angle) : sin(angle))
      }
    }
    memory = .allocate(capacity: 3 * (cells + 2))
    memory.initialize(repeating: 0, count: 3 * (cells + 2))
  }

  deinit { memory.deallocate() }

  /// The fewest steps with which mean wind and all gusts together stay below the Courant limit: a + b sqrt(m) <= limit
  /// m, with a the displacement by the mean wind over the interval and b sqrt(m) the largest one by gusts, both in
  /// cells; and with which diffusion stays below its limit.
  private static func stepsBetweenObservations(cells: Int, sigma: Double) -> Int {
    let n = Double(cells)
    let mean = velocity * observationInterval * n
    let gust = sigma * (2 * Double(wavenumbers) * observationInterval).squareRoot() * n
    let root = (gust + (gust * gust + 4 * courantLimit * mean).squareRoot()) / (2 * courantLimit)
    let diffusion = diffusivity * observationInterval * n * n / diffusionLimit
    return max(1, Int(max(root * root, diffusion).rounded(.up)))
  }

  /// 1 + 0.4 cos(2 pi x + phase), with a random phase.
  public func initialState(_ stream: RandomStream) -> [Double] {
    let phase = stream.uniform(at: 0)
    return layout.grids[0].dimensions[0].coordinates.map { 1 + 0.4 * cos(2 * .pi * ($0 + phase)) }
  }

  /// Carries `state` over `steps` time steps; the signs of step s are bits of the stream's words at address s.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int, noise: RandomStream) {
    let n = cells
    load(state)
    let (_, _, flux) = scratch
    let courant = Self.velocity * timeStep * Double(n)
    for step in 0..<max(0, steps) {
      let signs = sigma > 0 ? noise.words(at: step).x : 0
      gusts.withUnsafeBufferPointer { gusts in
        for i in 0..<n { flux[i] = courant }
        guard sigma > 0 else { return }
        for j in 0..<2 * Self.wavenumbers {
          let sign = signs >> UInt32(j) & 1 == 0 ? 1.0 : -1.0
          for i in 0..<n { flux[i] += sign * gusts[j * n + i] }
        }
      }
      advect()
      diffuse(Self.diffusivity * timeStep * Double(n * n))
    }
    store(&state)
  }

  /// The mean over all winds in one step: displacement by whole cells, one step of the scheme for the rest, and
  /// diffusion with kappa + sigma^2 / 2 (cut into equal steps below the limit).
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int) {
    guard steps > 0 else { return }
    let n = cells
    let time = Double(steps) * timeStep
    let displacement = Self.velocity * time * Double(n)
    let whole = displacement.rounded(.down)
    let offset = Int(whole.truncatingRemainder(dividingBy: Double(n)))
    load(state, offset: offset)
    let (_, _, flux) = scratch
    for i in 0..<n { flux[i] = displacement - whole }
    advect()
    let diffusion = (Self.diffusivity + sigma * sigma / 2) * time * Double(n * n)
    let pieces = max(1, (diffusion / Self.diffusionLimit).rounded(.up))
    for _ in 0..<Int(pieces) { diffuse(diffusion / pieces) }
    store(&state)
  }

  /// Field, slopes and fluxes with index 0 at the first cell and a neighbour on either side.
  private var scratch: (UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>) {
    (memory + 1, memory + (cells + 3), memory + (2 * cells + 5))
  }

  /// Takes `state` in, `offset` cells further east.
  private func load(_ state: borrowing MutableSpan<Double>, offset: Int = 0) {
    precondition(state.count == cells, "a state of the advection model has one field")
    let (u, _, _) = scratch
    for i in 0..<cells { u[i + offset < cells ? i + offset : i + offset - cells] = state[i] }
  }

  private func store(_ state: inout MutableSpan<Double>) {
    let (u, _, _) = scratch
    for i in 0..<cells { state[i] = u[i] }
  }

  /// Repeats the ends of a scratch field beyond the other ends.
  @inline(__always)
  private func wrap(_ field: UnsafeMutablePointer<Double>) {
    field[-1] = field[cells - 1]
    field[cells] = field[0]
  }

  /// One step of advection by the displacements at the right face of every cell, which `flux` holds in cells on entry.
  private func advect() {
    let n = cells
    let (u, slope, flux) = scratch
    wrap(u)
    for i in 0..<n { slope[i] = Self.limitedSlope(u[i] - u[i - 1], u[i + 1] - u[i]) }
    wrap(slope)
    for i in 0..<n {
      let courant = flux[i]
      let face =
        courant >= 0 ? u[i] + 0.5 * (1 - courant) * slope[i] : u[i + 1] - 0.5 * (1 + courant) * slope[i + 1]
      flux[i] = courant * face
    }
    wrap(flux)
    let share = slope
    for i in 0..<n {
      let outgoing = max(flux[i], 0) + max(-flux[i - 1], 0)
      let available = u[i] - floor
      share[i] = outgoing <= available ? 1 : max(available, 0) / outgoing
    }
    wrap(share)
    for i in 0..<n { flux[i] *= flux[i] >= 0 ? share[i] : share[i + 1] }
    exchange()
  }

  /// One explicit step of diffusion: `number` of each difference between neighbours changes cells, at most a quarter.
  private func diffuse(_ number: Double) {
    let (u, _, flux) = scratch
    wrap(u)
    for i in 0..<cells { flux[i] = number * (u[i] - u[i + 1]) }
    exchange()
  }

  /// Moves the fluxes at the right faces. The floor is there against rounding only: no flux crosses it. Not-a-numbers
  /// pass through, so that a broken state shows.
  private func exchange() {
    let (u, _, flux) = scratch
    flux[-1] = flux[cells - 1]
    for i in 0..<cells {
      let next = u[i] - (flux[i] - flux[i - 1])
      u[i] = next < floor ? floor : next
    }
  }

  /// The central slope, limited to twice either difference, and zero at extrema.
  @inline(__always)
  private static func limitedSlope(_ left: Double, _ right: Double) -> Double {
    guard left * right > 0 else { return 0 }
    let size = min(0.5 * abs(left + right), min(2 * abs(left), 2 * abs(right)))
    return left > 0 ? size : -size
  }
}

/// <(u - 1)^2> of a tracer of mean 1: how far it is from being mixed.
public struct TracerVariance: StateFunction {
  /// Name in configurations and files.
  public let name = "variance"

  /// The variance of any number of cells.
  public init() {}

  /// The variance of a state (`[cell]`).
  public func value(of state: Span<Double>) -> Double {
    var sum = 0.0
    for i in 0..<state.count { sum += (state[i] - 1) * (state[i] - 1) }
    return sum / Double(state.count)
  }

  /// Its derivatives by the state (`[cell]`).
  public func gradient(of state: Span<Double>, into gradient: inout MutableSpan<Double>) {
    for i in 0..<state.count { gradient[i] = 2 * (state[i] - 1) / Double(state.count) }
  }
}
