public import DaunceNumerics

/// Stochastic interpolants (Albergo, Boffi & Vanden-Eijnden 2023): members are carried from the prior to the posterior in a
/// unit of time along
///
///     I_s = (1 - s) h_0 + s h_1 + sqrt(2 s (1 - s)) a xi,   dx/ds = b(x, s) = E(dI/ds | I_s = x)
///
/// with h_0 from the prior's kernels, h_1 from the posterior's, and xi standard normal. Kernels are coupled by the transport that
/// moves them the least, in one dimension in their order; of a pair of normal kernels everything is normal, and b is a mean over
/// the pairs. Diffusion, bridge and transport are the same with other paths.
public final class Interpolants: ScalarUpdate {
  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// Steps in time.
    public var steps: Int
    /// a, in the members' standard deviation.
    public var noise: Double
    /// Kernels of the prior.
    public var kernels: KernelShape

    /// See the properties.
    public init(steps: Int = 40, noise: Double = 0.2, kernels: KernelShape = KernelShape()) {
      (self.steps, self.noise, self.kernels) = (steps, noise, kernels)
    }
  }

  private typealias Lanes = SIMD4<Double>

  private let settings: Settings
  private let members: Int
  private let kernels: KernelPosterior
  /// Kernels of either side in the order of their centres.
  private let before, after: MemberOrder
  /// Of every pair: weight, centres and standard deviations of both sides.
  private let weights, starts, ends, startWidths, endWidths: Workspace<Double>
  /// At a time, of every pair: mean and exponent of I_s, logarithm of its factor, mean and regression of dI/ds.
  private let means, exponents, factors, speeds, slopes: Workspace<Double>
  private let states, velocities, trials: Workspace<Double>
  private var pairs = 0

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    self.members = members
    kernels = KernelPosterior(members: members)
    func row(_ count: Int) -> Workspace<Double> { Workspace(repeating: 0, count: count) }
    (before, after) = (MemberOrder(members: members), MemberOrder(members: members))
    let most = 2 * members
    (weights, starts, ends, startWidths, endWidths) = (row(most), row(most), row(most), row(most), row(most))
    (means, exponents, factors, speeds, slopes) = (row(most), row(most), row(most), row(most), row(most))
    let stride = (members + 3) & ~3
    (states, velocities, trials) = (row(stride), row(stride), row(stride))
  }

  /// Carries the members; see `ScalarUpdate`.
  public func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
    noise: RandomStream
  ) {
    for m in 0..<members { states.start[m] = values[m] }
    let spread = kernels.take(values, shape: settings.kernels).squareRoot()
    kernels.observe(innovation, errorVariance: error.variance)
    couple()
    // Close together at both ends, where paths are steep: s = (1 - cos(pi u)) / 2 without a cosine.
    func time(_ u: Double) -> Double { u * u * (3 - 2 * u) }
    let amplitude = settings.noise * spread
    for step in 0..<settings.steps {
      let (s, next) = (time(Double(step) / Double(settings.steps)), time(Double(step + 1) / Double(settings.steps)))
      // Midpoint rule, which never asks for the ends, where the noise's slope is infinite.
      let (middle, length) = (0.5 * (s + next), next - s)
      velocity(states, s + 0.01 * length, amplitude)
      for m in 0..<states.count { trials.start[m] = states.start[m] + 0.5 * length * velocities.start[m] }
      velocity(trials, middle, amplitude)
      for m in 0..<states.count { states.start[m] += length * velocities.start[m] }
    }
    for m in 0..<members { moved[m] = states.start[m] }
  }

  /// The monotone coupling of both sides' kernels, at most 2 N - 1 pairs.
  private func couple() {
    let (prior, posterior) = (kernels.prior, kernels.posterior)
    before.sort(prior.centres.start)
    after.sort(posterior.centres.start)
    pairs = 0
    before.forEachPair(to: after, weights: posterior.weights.start) { share, new, old in
      guard share > 1e-10 else { return }
      weights.start[pairs] = share / Double(members)
      (starts.start[pairs], ends.start[pairs]) = (prior.centres.start[old], posterior.centres.start[new])
      startWidths.start[pairs] = prior.variances.start[old].squareRoot()
      endWidths.start[pairs] = posterior.variances.start[new].squareRoot()
      pairs += 1
    }
  }

  /// b(x, s) of every state. Within a pair both ends are moved alike: h_0 and h_1 of one standard normal number.
  private func velocity(_ x: Workspace<Double>, _ s: Double, _ amplitude: Double) {
    let gamma = (2 * s * (1 - s)).squareRoot() * amplitude
    // gamma times its derivative.
    let growth = (1 - 2 * s) * amplitude * amplitude
    for p in 0..<pairs {
      let width = (1 - s) * startWidths.start[p] + s * endWidths.start[p]
      let rate = endWidths.start[p] - startWidths.start[p]
      let variance = width * width + gamma * gamma
      means.start[p] = (1 - s) * starts.start[p] + s * ends.start[p]
      speeds.start[p] = ends.start[p] - starts.start[p]
      slopes.start[p] = (width * rate + growth) / variance
      exponents.start[p] = -0.5 / variance
      factors.start[p] = weights.start[p] / variance.squareRoot()
    }
    let source = UnsafeRawPointer(x.start)
    let target = UnsafeMutableRawPointer(velocities.start)
    for start in stride(from: 0, to: x.count &* 8, by: 32) {
      let place = source.loadUnaligned(fromByteOffset: start, as: Lanes.self)
      target.storeBytes(of: velocity(at: place), toByteOffset: start, as: Lanes.self)
    }
  }

  @inline(__always)
  private func velocity(at x: Lanes) -> Lanes {
    let (means, exponents, factors) = (means.start, exponents.start, factors.start)
    let (speeds, slopes) = (speeds.start, slopes.start)
    var most = Lanes(repeating: -.infinity)
    for p in 0..<pairs {
      let d = x - means[p]
      let exponent = exponents[p] * d * d
      most = most.replacing(with: exponent, where: exponent .> most)
    }
    var (sum, total) = (Lanes.zero, Lanes.zero)
    for p in 0..<pairs {
      let d = x - means[p]
      let weight = factors[p] * exponential(exponents[p] * d * d - most)
      total += weight
      sum += weight * (speeds[p] + slopes[p] * d)
    }
    return sum / total
  }
}
