internal import DaunceNumerics
internal import Foundation

/// How wide the kernels are of which a prior is made; see `KernelPosterior`.
public struct KernelShape: Sendable, Hashable {
  /// b, in [0, 1]: 0 for the members themselves, 1 for the normal law that they look like around each.
  public var bandwidth: Double
  /// Standard deviation of the window in which kernels look at their neighbours, in that of the members; infinite: everything.
  public var window: Double

  /// See the properties.
  public init(bandwidth: Double = 0.9, window: Double = 0.3) { (self.bandwidth, self.window) = (bandwidth, window) }
}

/// A prior of one quantity as a mixture of normal kernels on the members, and its posterior, which is another one.
///
/// Kernel n stands at mu_n + sqrt(1 - b^2) (h_n - mu_n) and has the variance b^2 s_n^2, with mean and variance of the members in
/// a window around it: the mixture has their mean and variance there whatever the bandwidth b (West 1993). With b = 0
/// it is the members themselves, with 1 the normal law that they look like.
final class KernelPosterior {
  /// Normal kernels.
  struct Kernels {
    /// Of sum one, means and variances (`[members]`).
    let weights, centres, variances: Workspace<Double>

    init(members: Int) {
      weights = Workspace(repeating: 1 / Double(members), count: members)
      centres = Workspace(repeating: 0, count: members)
      variances = Workspace(repeating: 0, count: members)
    }
  }

  /// Kernels of the prior, of equal weights, and of the posterior.
  let prior, posterior: Kernels
  private let members: Int
  private let neighbourhoods: Neighbourhoods
  private let logarithms: Workspace<Double>
  private let places, inverseWidths: Workspace<Float>
  private var spread = 0.0

  init(members: Int) {
    self.members = members
    prior = Kernels(members: members)
    posterior = Kernels(members: members)
    neighbourhoods = Neighbourhoods(members: members, least: Neighbourhoods.forMoments)
    logarithms = Workspace(repeating: 0, count: members)
    places = Workspace(repeating: 0, count: members)
    inverseWidths = Workspace(repeating: 0, count: members)
  }

  /// Takes the members.
  ///
  /// - Parameter values: about their mean (`[PartialEnsemble.stride]`, zero behind the members).
  /// - Returns: the members' variance, in the square of the quantity's unit.
  func take(_ values: UnsafePointer<Double>, shape: KernelShape) -> Double {
    var squares = 0.0
    for m in 0..<members { squares += values[m] * values[m] }
    let variance = squares / Double(members - 1)
    spread = variance.squareRoot()
    neighbourhoods.take(values, width: shape.window * spread)
    let b = shape.bandwidth
    let a = (1 - b * b).squareRoot()
    for n in 0..<members {
      let mean = neighbourhoods.means.start[n]
      prior.centres.start[n] = mean + a * (values[n] - mean)
      prior.variances.start[n] = b * b * neighbourhoods.variances.start[n]
    }
    return variance
  }

  /// Finds the posterior.
  func observe(_ y: Double, errorVariance r: Double) {
    var most = -Double.infinity
    for n in 0..<members {
      let (v, c) = (prior.variances.start[n], prior.centres.start[n])
      let d = y - c
      logarithms.start[n] = -0.5 * (d * d / (v + r) + log(v + r))
      most = max(most, logarithms.start[n])
      posterior.centres.start[n] = c + v / (v + r) * d
      posterior.variances.start[n] = v * r / (v + r)
    }
    var sum = 0.0
    for n in 0..<members {
      posterior.weights.start[n] = exp(logarithms.start[n] - most)
      sum += posterior.weights.start[n]
    }
    for n in 0..<members { posterior.weights.start[n] /= sum }
  }

  /// Normal scores Phi^-1(F(h)) of members in the prior (`[members]`, rounded up to whole vectors).
  ///
  /// - Parameter scores: zero behind the members.
  func takeScores(of values: UnsafePointer<Double>, into scores: UnsafeMutablePointer<Double>) {
    for n in 0..<members {
      let deviation = prior.variances.start[n].squareRoot()
      // A kernel without a width is a step.
      inverseWidths.start[n] = Float(1 / max(deviation, 1e-6 * spread))
      places.start[n] = Float(prior.centres.start[n])
    }
    let share = 1 / Float(members)
    for start in stride(from: 0, to: members, by: FloatLanes.scalarCount) {
      var x = FloatLanes.zero
      let count = min(FloatLanes.scalarCount, members - start)
      for lane in 0..<count { x[lane] = Float(values[start + lane]) }
      // Both tails, each with its own digits.
      var (below, above) = (FloatLanes.zero, FloatLanes.zero)
      for n in 0..<members {
        let z = (x - places.start[n]) * inverseWidths.start[n]
        let isAbove = z .> 0
        let tail = StandardNormal.upperTail(z.replacing(with: -z, where: .!isAbove))
        below += tail.replacing(with: 1 - tail, where: isAbove)
        above += (1 - tail).replacing(with: tail, where: isAbove)
      }
      let isUpper = above .< below
      let smaller = below.replacing(with: above, where: isUpper) * share
      let z = StandardNormal.upperQuantile(atMost(0.5, atLeast(1e-36, smaller)))
      let signed = (-z).replacing(with: z, where: isUpper)
      for lane in 0..<count { scores[start + lane] = Double(signed[lane]) }
    }
  }

  /// The least standard deviation of a kernel of the posterior that counts.
  var leastDeviation: Double {
    var least = Double.infinity
    for n in 0..<members where posterior.weights.start[n] > 1e-6 { least = min(least, posterior.variances.start[n]) }
    return least.squareRoot()
  }
}
