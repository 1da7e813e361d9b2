internal import Foundation
public import DaunceNumerics

/// The kernel particle flow (Liu & Wang 2016; Pulido & van Leeuwen 2019): in pseudo-time all members move together by
///
///     dx_i / ds = B / k_i sum_j [K(x_j, x_i) grad log p(x_j | y) + grad_j K(x_j, x_i)],   K = exp(-|x_j - x_i|^2 / (2 a B)),
///
/// towards the posterior, and apart from each other. k_i = sum_j K(x_j, x_i) in place of N lets pseudo-time run faster for
/// members that are alone; where the flow ends is the same. The posterior is that of a prior of kernels on the members, first seen
/// through much noise, when it has a single mode, then through less and less, so that members find their share of every
/// mode; B is its variance. Steps are as long as the furthest move of a member allows.
public final class ParticleFlow: ScalarUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// Steps in all.
    public var steps: Int
    /// a: the kernel's variance over that of the posterior.
    public var kernel: Double
    /// Kernels of the prior.
    public var kernels: KernelShape

    /// See the properties.
    public init(steps: Int = 120, kernel: Double = 0.1, kernels: KernelShape = KernelShape()) {
      (self.steps, self.kernel, self.kernels) = (steps, kernel, kernels)
    }
  }

  private let settings: Settings
  private let members: Int
  private let kernels: KernelPosterior
  private let mixture: NoisedMixture
  /// With room for whole vectors.
  private let states, slopes, drifts: Workspace<Double>
  private var state: UnsafeMutablePointer<Double> { states.start }
  private var gradients: UnsafeMutablePointer<Double> { slopes.start }
  private var drift: UnsafeMutablePointer<Double> { drifts.start }

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    self.members = members
    kernels = KernelPosterior(members: members)
    mixture = NoisedMixture(members: members)
    let stride = NoisedMixture.stride(of: members)
    states = Workspace(repeating: 0, count: stride)
    slopes = Workspace(repeating: 0, count: stride)
    drifts = Workspace(repeating: 0, count: stride)
  }

  /// Lets the members flow; see `ScalarUpdate`.
  public func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
    noise: RandomStream
  ) {
    for m in 0..<members { state[m] = values[m] }
    let spread = kernels.take(values, shape: settings.kernels).squareRoot()
    kernels.observe(innovation, errorVariance: error.variance)
    mixture.take(kernels.posterior)
    let target = mixture.moments
    let furthest = max(spread, abs(innovation), abs(target.mean))
    let least = 0.1 * kernels.leastDeviation
    let levels = max(1, settings.steps / Self.stepsOfLevel)
    for level in 0..<levels {
      // Geometric, from far to hardly any.
      let part = Double(level) / Double(max(1, levels - 1))
      let noise = 2 * furthest * pow(least / (2 * furthest), part)
      descend(noise: noise * noise, variance: target.variance + noise * noise)
    }
    for m in 0..<members { moved[m] = state[m] }
  }

  /// Steps between two levels of noise.
  private static let stepsOfLevel = 8

  /// A few steps towards the posterior seen through noise.
  private func descend(noise: Double, variance: Double) {
    let scale = settings.kernel * variance
    for _ in 0..<Self.stepsOfLevel {
      mixture.condition(state, noise: noise)
      for m in 0..<members { gradients[m] = (mixture.means.start[m] - state[m]) / noise }
      interact(scale)
      var fastest = 0.0
      for m in 0..<members { fastest = max(fastest, abs(drift[m])) }
      let step = min(1, 0.5 / max(variance.squareRoot() * fastest, .leastNormalMagnitude))
      for m in 0..<members { state[m] += step * variance * drift[m] }
    }
  }

  /// sum_j [K(x_j, x_i) grad_j + grad_j K(x_j, x_i)] / k_i, four members at a time.
  private func interact(_ scale: Double) {
    typealias Lanes = SIMD4<Double>
    let inverse = 1 / scale
    let (x, gradients, count) = (state, gradients, members)
    let (source, drift) = (UnsafeRawPointer(x), UnsafeMutableRawPointer(drift))
    for start in stride(from: 0, to: states.count &* 8, by: 32) {
      let place = source.loadUnaligned(fromByteOffset: start, as: Lanes.self)
      var (sum, total) = (Lanes.zero, Lanes.zero)
      for j in 0..<count {
        let d = x[j] - place
        let kernel = exponential(-0.5 * inverse * d * d)
        sum += kernel * (gradients[j] - inverse * d)
        total += kernel
      }
      // Lanes behind the last member may be far from all.
      drift.storeBytes(of: sum / total.replacing(with: 1, where: total .== 0), toByteOffset: start, as: Lanes.self)
    }
  }
}
