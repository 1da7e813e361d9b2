internal import Foundation
public import DaunceNumerics

/// A Langevin process that leaves a density alone (Ma, Chen & Fox 2015): of a quantity h and a momentum v beside it,
///
///     dz = (D + Q) grad log p(z) dt + sqrt(2 D) dW,   p(z) = p(h) N(v; 0, 1),
///     D = diag(d, e),   Q = ((0, q), (-q, 0)),
///
/// for any d, e >= 0 and any q: d alone is the overdamped process, q and e without d the underdamped one. In steps of Euler's
/// method, not adjusted.
public struct LangevinProcess: Sendable, Hashable {
  /// D of the quantity, d.
  public var diffusivity: Double
  /// D of the momentum, e.
  public var friction: Double
  /// Q between them, q; 0: no momentum.
  public var rotation: Double

  /// See the properties.
  public init(diffusivity: Double = 1, friction: Double = 1, rotation: Double = 0) {
    (self.diffusivity, self.friction, self.rotation) = (diffusivity, friction, rotation)
  }

  /// One step.
  ///
  /// - Parameters:
  ///   - h: in units of a length that time is the square of.
  ///   - gradient: of log p at h, in the inverse of that unit.
  ///   - draws: two standard normal numbers.
  @inline(__always)
  public func step(
    _ h: inout Double, _ v: inout Double, gradient: Double, time: Double, draws: (Double, Double)
  ) {
    let (old, momentum) = (h, v)
    h = old + time * (diffusivity * gradient - rotation * momentum) + (2 * diffusivity * time).squareRoot() * draws.0
    guard rotation != 0 else { return }
    v = momentum - time * (rotation * gradient + friction * momentum) + (2 * friction * time).squareRoot() * draws.1
  }
}

/// Unadjusted Langevin steps of each member by itself, in the posterior of a prior of kernels on the members. By itself a process
/// of that kind stays in its mode; so the posterior is first seen through much noise, when it has a single one, then through
/// less and less (Song & Ermon 2019), and what noise is left is taken off.
public final class Langevin: ScalarUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// Steps in all.
    public var steps: Int
    /// D and Q.
    public var process: LangevinProcess
    /// Kernels of the prior.
    public var kernels: KernelShape

    /// See the properties.
    public init(
      steps: Int = 240, process: LangevinProcess = LangevinProcess(), kernels: KernelShape = KernelShape()
    ) {
      (self.steps, self.process, self.kernels) = (steps, process, kernels)
    }
  }

  private let settings: Settings
  private let members: Int
  private let kernels: KernelPosterior
  private let mixture: NoisedMixture
  /// With room for whole vectors.
  private let states, momenta: Workspace<Double>

  /// Steps between two levels of noise, and of a step the share of the time in which the process forgets.
  private static let stepsOfLevel = 12
  private static let share = 0.15

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    self.members = members
    kernels = KernelPosterior(members: members)
    mixture = NoisedMixture(members: members)
    let stride = NoisedMixture.stride(of: members)
    states = Workspace(repeating: 0, count: stride)
    momenta = Workspace(repeating: 0, count: stride)
  }

  /// Lets the members wander; see `ScalarUpdate`.
  public func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
    noise: RandomStream
  ) {
    for m in 0..<members { (states.start[m], momenta.start[m]) = (values[m], 0) }
    let spread = kernels.take(values, shape: settings.kernels).squareRoot()
    kernels.observe(innovation, errorVariance: error.variance)
    mixture.take(kernels.posterior)
    let target = mixture.moments
    let furthest = 2 * max(spread, abs(innovation), abs(target.mean))
    let least = 0.1 * kernels.leastDeviation
    let levels = max(2, settings.steps / Self.stepsOfLevel)
    for level in 0..<levels {
      let sigma = furthest * pow(least / furthest, Double(level) / Double(levels - 1))
      wander(noise: sigma * sigma, least: least * least * 100, noise, first: level * Self.stepsOfLevel)
    }
    // What noise is left is taken off.
    mixture.condition(states.start, noise: least * least)
    for m in 0..<members { moved[m] = mixture.means.start[m] }
  }

  /// A few steps in the posterior seen through noise, in time in units of its narrowest part's variance.
  private func wander(noise: Double, least: Double, _ stream: RandomStream, first: Int) {
    let unit = noise + least
    let length = unit.squareRoot()
    for step in 0..<Self.stepsOfLevel {
      mixture.condition(states.start, noise: noise)
      for m in 0..<members {
        let gradient = (mixture.means.start[m] - states.start[m]) / noise * length
        var h = states.start[m] / length
        settings.process.step(
          &h, &momenta.start[m], gradient: gradient, time: Self.share,
          draws: stream.normalPair(at: (first + step) * members + m))
        states.start[m] = length * h
      }
    }
  }
}
