internal import Foundation
public import DaunceNumerics

/// The diffusion with the analytic score (Bao et al. 2024; van Leeuwen's lecture): members are noised until nothing is
/// left of their law, and taken back under the posterior's.
///
/// The noised members x = h + sigma xi follow the flow of their densities (Song et al. 2021; Karras et al. 2022),
///
///     dx / dsigma = (x - D(x; sigma)) / sigma,   D(x; sigma) = E(h | x) = x + sigma^2 grad log p_sigma(x),
///
/// forwards with D of the prior, a mixture of kernels on the members, and backwards with D of the posterior. Nothing is drawn and every
/// member keeps its quantile: so the way forwards needs no steps, for it is known where the quantile of the prior is in the normal law at
/// its end. The lecture's alpha = 1 - t,
/// sigma^2 = t is the same process in other units: x / alpha, sqrt(t) / (1 - t).
public final class Diffusion: ScalarUpdate {
  /// How the likelihood enters the score: what is added to D of the prior.
  public enum Likelihood: String, Sendable, Hashable, CaseIterable {
    /// Exact for every kernel of the prior: D of the posterior, which is a mixture of kernels again.
    case kernelMixture = "kernel-mixture"
    /// p(y | x) = N(y; m, S + r) with the moments of h given x under the kernels: D + S / (S + r) (y - m), m = D.
    case localMoments = "local-moments"
    /// h and x jointly Gaussian, as in the lecture: D + sum_i w_i h_i - E(h | x) with w_i ~ p(y | h_i).
    case jointGaussian = "joint-gaussian"
    /// (1 - t) grad log p(y | x) with the likelihood of what is not noised: wrong, for contrast.
    case adHoc = "ad-hoc"
  }

  /// Settings.
  public struct Settings: Sendable, Hashable {
    /// How the likelihood enters.
    public var likelihood: Likelihood
    /// Steps on the way back.
    public var steps: Int
    /// Kernels of the prior.
    public var kernels: KernelShape

    /// See the properties.
    public init(likelihood: Likelihood = .kernelMixture, steps: Int = 10, kernels: KernelShape = KernelShape()) {
      (self.likelihood, self.steps, self.kernels) = (likelihood, steps, kernels)
    }
  }

  private let settings: Settings
  private let members: Int
  private let kernels: KernelPosterior
  private let mixture: NoisedMixture
  private let levels: Workspace<Double>
  /// States on the way, with room for whole vectors, and their derivatives.
  private let states, derivatives, conditionalVariances: Workspace<Double>
  private var state: UnsafeMutablePointer<Double> { states.start }
  private var slopes: UnsafeMutablePointer<Double> { derivatives.start }
  private var spreads: UnsafeMutablePointer<Double> { conditionalVariances.start }

  /// An update of so many members.
  public init(members: Int, settings: Settings) {
    self.settings = settings
    self.members = members
    kernels = KernelPosterior(members: members)
    mixture = NoisedMixture(members: members)
    levels = Workspace(repeating: 0, count: settings.steps + 1)
    let stride = NoisedMixture.stride(of: members)
    states = Workspace(repeating: 0, count: stride)
    derivatives = Workspace(repeating: 0, count: stride)
    conditionalVariances = Workspace(repeating: 0, count: stride)
  }

  /// Takes the members up and down through the noise; see `ScalarUpdate`.
  public func update(
    _ values: UnsafePointer<Double>, into moved: UnsafeMutablePointer<Double>, innovation: Double, error: ObservationError,
    noise: RandomStream
  ) {
    let variance = kernels.take(values, shape: settings.kernels)
    let spread = variance.squareRoot()
    kernels.observe(innovation, errorVariance: error.variance)
    setLevels(spread, error.variance)
    mixture.take(kernels.prior)
    kernels.takeScores(of: values, into: state)
    if settings.likelihood == .kernelMixture { mixture.take(kernels.posterior) }
    disperse(to: levels.start[settings.steps])
    switch settings.likelihood {
    case .kernelMixture: goBack(.prior)
    case .localMoments: goBack(.moments(y: innovation, r: error.variance))
    case .jointGaussian:
      goBack(.joint(weighted: weightedMean(values, innovation, error), variance: variance))
    case .adHoc: goBackAdHoc(innovation, error.variance, variance)
    }
    for m in 0..<members { moved[m] = state[m] }
  }

  /// What becomes of E(h | x) of the mixture.
  private enum Guidance {
    /// Nothing.
    case prior
    /// m + S / (S + r) (y - m)
    case moments(y: Double, r: Double)
    /// m + sum_i w_i h_i - E(h | x) of the jointly Gaussian.
    case joint(weighted: Double, variance: Double)
  }

  /// Geometric levels of noise between far less than the kernels and far more than the members.
  private func setLevels(_ spread: Double, _ errorVariance: Double) {
    let least = 0.02 * min(spread, errorVariance.squareRoot())
    let most = 10 * spread
    let ratio = pow(most / least, 1 / Double(settings.steps))
    for s in 0..<levels.count { levels.start[s] = least * pow(ratio, Double(s)) }
  }

  /// From normal scores to where so much noise leaves of a mixture no more than mean and variance.
  private func disperse(to sigma: Double) {
    let moments = mixture.moments
    let spread = (moments.variance + sigma * sigma).squareRoot()
    for m in 0..<states.count { state[m] = moments.mean + spread * state[m] }
  }

  private func goBack(_ guidance: Guidance) {
    for s in (0..<settings.steps).reversed() { step(from: levels.start[s + 1], to: levels.start[s], guidance) }
    // What noise is left is taken off.
    denoise(levels.start[0], guidance)
    for m in 0..<members { state[m] -= slopes[m] }
  }

  /// One step of the flow, exact for a normal law: with v the variance of h that D and Var(h | x) belong to,
  ///
  ///     x - m = (x - D) (v + sigma^2) / sigma^2   grows as   sqrt(v + sigma^2)
  private func step(from start: Double, to end: Double, _ guidance: Guidance) {
    denoise(start, guidance)
    let (old, new) = (start * start, end * end)
    typealias Lanes = SIMD4<Double>
    let noise = Lanes(repeating: old)
    @inline(__always) func lanes(_ row: UnsafePointer<Double>, _ m: Int) -> Lanes {
      UnsafeRawPointer(row + m).loadUnaligned(as: Lanes.self)
    }
    for m in Swift.stride(from: 0, to: states.count, by: 4) {
      let spread = lanes(spreads, m)
      let left = noise - spread
      // Between modes no normal law has so much variance; there it is a step in sigma^2.
      let v = (spread * noise / left).replacing(with: .infinity, where: left .<= 0)
      let ratio = (v + new) / (v + noise)
      let curved = (v + noise) / noise * (ratio.squareRoot() - 1)
      let growth = Lanes(repeating: 0.5 * (new - old) / old).replacing(with: curved, where: v .< Self.largest * noise)
      let moved = lanes(state, m) + growth * lanes(slopes, m)
      UnsafeMutableRawPointer(state + m).storeBytes(of: moved, as: Lanes.self)
    }
  }

  /// A variance over that of the noise beyond which differences of roots lose their digits.
  private static let largest = 1e6

  /// x - D of every state, and the variance of h given x that it goes with.
  private func denoise(_ sigma: Double, _ guidance: Guidance) {
    mixture.condition(state, noise: sigma * sigma)
    switch guidance {
    case .prior:
      for m in 0..<states.count { (slopes[m], spreads[m]) = (state[m] - mixture.means.start[m], mixture.variances.start[m]) }
    case .moments(let y, let r):
      for m in 0..<states.count {
        let (mean, spread) = (mixture.means.start[m], mixture.variances.start[m])
        slopes[m] = state[m] - mean - spread / (spread + r) * (y - mean)
        spreads[m] = spread * r / (spread + r)
      }
    case .joint(let weighted, let variance):
      let gain = variance / (variance + sigma * sigma)
      for m in 0..<states.count {
        slopes[m] = state[m] - mixture.means.start[m] - weighted + gain * state[m]
        spreads[m] = mixture.variances.start[m]
      }
    }
  }

  /// sum_i w_i h_i with w_i ~ p(y | h_i).
  private func weightedMean(_ values: UnsafePointer<Double>, _ y: Double, _ error: ObservationError) -> Double {
    let most = (0..<members).reduce(-Double.infinity) { max($0, error.logLikelihood(departure: y - values[$1])) }
    var (sum, total) = (0.0, 0.0)
    for n in 0..<members {
      let w = exp(error.logLikelihood(departure: y - values[n]) - most)
      total += w
      sum += w * values[n]
    }
    return sum / total
  }

  private func goBackAdHoc(_ y: Double, _ r: Double, _ variance: Double) {
    for s in (0..<settings.steps).reversed() {
      let (start, end) = (levels.start[s + 1], levels.start[s])
      let length = log(start / end)
      // 1 - t of the lecture's time.
      let alpha = 1 / (1 + start / variance.squareRoot())
      let pull = start * start * alpha / r
      denoise(start, .prior)
      // Implicit in the pull, which is stiff.
      for m in 0..<states.count { state[m] = (state[m] + length * (pull * y - slopes[m])) / (1 + length * pull) }
    }
  }
}
