internal import DaunceNumerics

/// A mixture of normal kernels seen through noise. Sums over kernels are in Float, eight states at once, in units of the mixture's
/// standard deviation.
final class NoisedMixture {
  /// Moments of h given x = h + sigma xi (`[stride]`), as `condition` left them.
  let means, variances: Workspace<Double>
  /// Weights, centres and variances of the kernels that count.
  private let weights, centres, widths: Workspace<Double>
  /// The same in units of `unit`, rounded up to whole groups; weights behind the kernels are zero.
  private let shares, places, squares: Workspace<Float>
  /// What follows of the present noise: -1 / (2 v), weight / sqrt(v), gain, and what is left of the kernel's variance.
  private let exponents, factors, gains, rests: Workspace<Float>
  /// Kernels that count.
  private var count = 0
  private var unit = 1.0

  /// States are worked on in groups of so many.
  private static let group = FloatLanes.scalarCount

  /// Members, rounded up to whole groups.
  static func stride(of members: Int) -> Int { (members + group - 1) / group * group }

  init(members: Int) {
    func row(_ count: Int) -> Workspace<Double> { Workspace(repeating: 0, count: count) }
    func floats(_ count: Int) -> Workspace<Float> { Workspace(repeating: 0, count: count) }
    let stride = Self.stride(of: members)
    (means, variances) = (row(stride), row(stride))
    (weights, centres, widths) = (row(members), row(members), row(members))
    (shares, places, squares) = (floats(stride), floats(stride), floats(stride))
    (exponents, factors, gains, rests) = (floats(stride), floats(stride), floats(stride), floats(stride))
  }

  /// Takes a mixture's kernels; those of hardly any weight are left out.
  func take(_ kernels: KernelPosterior.Kernels) {
    count = 0
    for n in 0..<kernels.weights.count where kernels.weights.start[n] > 1e-7 {
      weights.start[count] = kernels.weights.start[n]
      centres.start[count] = kernels.centres.start[n]
      widths.start[count] = kernels.variances.start[n]
      count += 1
    }
    let spread = moments.variance.squareRoot()
    unit = spread > 0 ? spread : 1
    for n in 0..<shares.count { (shares.start[n], places.start[n], squares.start[n]) = (0, 0, 1) }
    for n in 0..<count {
      shares.start[n] = Float(weights.start[n])
      places.start[n] = Float(centres.start[n] / unit)
      squares.start[n] = Float(widths.start[n] / (unit * unit))
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
    return (mean, max(0, square / total - mean * mean))
  }

  /// Works out the moments of h given every x.
  ///
  /// - Parameters:
  ///   - x: `[stride]`.
  ///   - noise: sigma^2, positive.
  func condition(_ x: UnsafePointer<Double>, noise: Double) {
    let (scale, inverse) = (unit, 1 / unit)
    take(noise: Float(noise * inverse * inverse))
    let source = UnsafeRawPointer(x)
    let (means, variances) = (UnsafeMutableRawPointer(means.start), UnsafeMutableRawPointer(variances.start))
    func put(_ found: Moments, at start: Int) {
      means.storeBytes(of: scale * SIMD8<Double>(found.mean), toByteOffset: start, as: SIMD8<Double>.self)
      variances.storeBytes(of: scale * scale * SIMD8<Double>(found.variance), toByteOffset: start, as: SIMD8<Double>.self)
    }
    func states(_ start: Int) -> FloatLanes {
      FloatLanes(source.loadUnaligned(fromByteOffset: start, as: SIMD8<Double>.self) * inverse)
    }
    let (bytes, step) = (self.means.count &* 8, 8 * Self.group)
    var start = 0
    while start + step < bytes {
      // Two groups share what is loaded of the kernels.
      let found = moments(given: states(start), states(start + step))
      put(found.0, at: start)
      put(found.1, at: start + step)
      start += 2 * step
    }
    if start < bytes { put(moments(given: states(start)), at: start) }
  }

  /// Works out what depends on the noise alone.
  private func take(noise: Float) {
    func load(_ row: Workspace<Float>, _ n: Int) -> FloatLanes {
      UnsafeRawPointer(row.start + n).loadUnaligned(as: FloatLanes.self)
    }
    func store(_ values: FloatLanes, _ row: Workspace<Float>, _ n: Int) {
      UnsafeMutableRawPointer(row.start + n).storeBytes(of: values, as: FloatLanes.self)
    }
    for n in Swift.stride(from: 0, to: count, by: Self.group) {
      let s = load(squares, n)
      let v = s + noise
      let gain = s / v
      store(-0.5 / v, exponents, n)
      store(load(shares, n) / v.squareRoot(), factors, n)
      store(gain, gains, n)
      store(gain * noise, rests, n)
    }
  }

  private typealias Moments = (mean: FloatLanes, variance: FloatLanes)
  private typealias Sums = (total: FloatLanes, mean: FloatLanes, square: FloatLanes)

  @inline(__always)
  private func moments(given x: FloatLanes, _ y: FloatLanes) -> (Moments, Moments) {
    var found = sums(given: x, y, above: .zero, .zero)
    // So far from all kernels that none is left: relative to the nearest one.
    if any((found.0.total .< 1e-30) .| (found.1.total .< 1e-30)) {
      found = sums(given: x, y, above: largestExponent(at: x), largestExponent(at: y))
    }
    return (moments(found.0), moments(found.1))
  }

  @inline(__always)
  private func moments(given x: FloatLanes) -> Moments {
    var found = sums(given: x, above: .zero)
    if any(found.total .< 1e-30) { found = sums(given: x, above: largestExponent(at: x)) }
    return moments(found)
  }

  @inline(__always)
  private func moments(_ sums: Sums) -> Moments {
    let mean = sums.mean / sums.total
    let variance = sums.square / sums.total - mean * mean
    return (mean, variance.replacing(with: 0, where: variance .< 0))
  }

  @inline(__always)
  private func sums(
    given x: FloatLanes, _ y: FloatLanes, above xMost: FloatLanes, _ yMost: FloatLanes
  ) -> (Sums, Sums) {
    let zero = FloatLanes.zero
    var (first, second): (Sums, Sums) = ((zero, zero, zero), (zero, zero, zero))
    for n in 0..<count {
      add(n, x, xMost, to: &first)
      add(n, y, yMost, to: &second)
    }
    return (first, second)
  }

  @inline(__always)
  private func sums(given x: FloatLanes, above most: FloatLanes) -> Sums {
    let zero = FloatLanes.zero
    var found: Sums = (zero, zero, zero)
    for n in 0..<count { add(n, x, most, to: &found) }
    return found
  }

  /// Adds one kernel.
  @inline(__always)
  private func add(_ n: Int, _ x: FloatLanes, _ most: FloatLanes, to sums: inout Sums) {
    let place = places.start[n]
    let d = x - place
    let exponent = d * d * exponents.start[n] - most
    let w = factors.start[n] * exponential(atLeast(-87, exponent))
    let m = place + gains.start[n] * d
    sums.total += w
    sums.mean += w * m
    sums.square += w * (rests.start[n] + m * m)
  }

  private func largestExponent(at x: FloatLanes) -> FloatLanes {
    var most = FloatLanes(repeating: -.infinity)
    for n in 0..<count {
      let d = x - places.start[n]
      let exponent = d * d * exponents.start[n]
      most = most.replacing(with: exponent, where: exponent .> most)
    }
    return most
  }
}
