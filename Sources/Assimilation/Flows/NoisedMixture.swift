internal import DaunceNumerics

/// A mixture of normal kernels seen through noise.
final class NoisedMixture {
  private typealias Lanes = SIMD4<Double>

  /// Moments of h given x = h + sigma xi (`[members]` in whole vectors), as `condition` left them.
  let means, variances: Workspace<Double>
  private let weights, centres, widths: Workspace<Double>
  /// Of the present noise, by kernel: -1 / (2 v), weight / sqrt(v), gain, and what is left of the kernel's variance.
  private let exponents, factors, gains, rests: Workspace<Double>
  /// Kernels that count.
  private var count = 0

  init(members: Int) {
    func row(_ count: Int) -> Workspace<Double> { Workspace(repeating: 0, count: count) }
    let stride = (members + 3) & ~3
    (means, variances) = (row(stride), row(stride))
    (weights, centres, widths) = (row(members), row(members), row(members))
    (exponents, factors, gains, rests) = (row(members), row(members), row(members), row(members))
  }

  /// Takes a mixture's kernels; those of hardly any weight are left out.
  func take(_ kernels: KernelPosterior.Kernels) {
    count = 0
    for n in 0..<kernels.weights.count where kernels.weights.start[n] > 1e-12 {
      weights.start[count] = kernels.weights.start[n]
      centres.start[count] = kernels.centres.start[n]
      widths.start[count] = kernels.variances.start[n]
      count += 1
    }
  }

  /// Mean and variance of the mixture.
  var moments: (mean: Double, variance: Double) {
    var (total, mean, square) = (0.0, 0.0, 0.0)
    for n in 0..<count {
      let (w, c) = (weights.start[n], centres.start[n])
      total += w
      mean += w * c
      square += w * (widths.start[n] + c * c)
    }
    mean /= total
    return (mean, square / total - mean * mean)
  }

  /// Works out the moments of h given every x.
  ///
  /// - Parameters:
  ///   - x: `[members]` in whole vectors.
  ///   - noise: sigma^2, positive.
  func condition(_ x: UnsafePointer<Double>, noise: Double) {
    let (w, s) = (weights.start, widths.start)
    let (exponents, factors, gains, rests) = (exponents.start, factors.start, gains.start, rests.start)
    for n in 0..<count {
      let v = s[n] + noise
      exponents[n] = -0.5 / v
      factors[n] = w[n] / v.squareRoot()
      gains[n] = s[n] / v
      rests[n] = s[n] * noise / v
    }
    let source = UnsafeRawPointer(x)
    let (means, variances) = (UnsafeMutableRawPointer(means.start), UnsafeMutableRawPointer(variances.start))
    for start in stride(from: 0, to: self.means.count &* 8, by: 32) {
      let (mean, variance) = moments(given: source.loadUnaligned(fromByteOffset: start, as: Lanes.self))
      means.storeBytes(of: mean, toByteOffset: start, as: Lanes.self)
      variances.storeBytes(of: variance, toByteOffset: start, as: Lanes.self)
    }
  }

  @inline(__always)
  private func moments(given x: Lanes) -> (mean: Lanes, variance: Lanes) {
    let (centres, exponents, factors) = (centres.start, exponents.start, factors.start)
    let (gains, rests) = (gains.start, rests.start)
    // The largest exponent first, so that not all vanish.
    var most = Lanes(repeating: -.infinity)
    for n in 0..<count {
      let d = x - centres[n]
      let e = d * d * exponents[n]
      most.replace(with: e, where: e .> most)
    }
    var (total, mean, square) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for n in 0..<count {
      let d = x - centres[n]
      let w = factors[n] * exponential(d * d * exponents[n] - most)
      let m = centres[n] + gains[n] * d
      total += w
      mean += w * m
      square += w * (rests[n] + m * m)
    }
    mean /= total
    let variance = square / total - mean * mean
    return (mean, variance.replacing(with: 0, where: variance .< 0))
  }
}
