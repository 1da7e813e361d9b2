#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Displacement of a periodic field by any real number of cells: u(x) becomes u(x - s), exactly for every resolved
/// wave.
///
/// The shift multiplies Fourier mode k by exp(-2 pi i k s / n). It is applied as the circulant matrix
///
///     c_j = (1/n) [1 + 2 sum_{0 < k < n/2} cos(2 pi k (j - s) / n) + (-1)^j],     y_i = sum_j c_j u_{i-j},
///
/// the last term for even n only. The Nyquist mode has no phase on the grid, so it cannot travel; it stays, as under a
/// spectral derivative, which vanishes for it. Its real part, cos(pi s), would be the other choice, but then two shifts
/// would not add up to one, and many small ones would damp the mode at a rate that depends on the time step: a
/// first-order error and a leak of energy. Here every mode keeps its amplitude, and shifts form a group.
///
/// For even n the matrix splits into a circulant one of the sums u_i + u_{i+n/2} and a skew-circulant one of the
/// differences, which halves the work. The mean is taken out first and put back, so that it does not drift by rounding.
final class SpectralShift {
  /// Displacement, in cells, eastward positive.
  let displacement: Double
  /// Terms of one output: n/2 for even n, n for odd n.
  private let terms: Int
  private let isSplit: Bool
  /// `terms` rounded up to whole vectors.
  private let padded: Int
  /// Coefficients of the circulant half (`[terms]`), followed by those of the skew-circulant half.
  private let coefficients: UnsafeMutablePointer<Double>
  /// Periodically extended input, `terms` elements before the origin and `padded` after it.
  private let extended: UnsafeMutablePointer<Double>
  /// Both halves of the output, `padded` each.
  private let halves: UnsafeMutablePointer<Double>

  init(cells n: Int, displacement s: Double) {
    displacement = s
    isSplit = n % 2 == 0
    terms = isSplit ? n / 2 : n
    padded = (terms + Self.width - 1) / Self.width * Self.width
    let circulant = Self.circulant(n, s)
    coefficients = .allocate(capacity: 2 * terms)
    extended = .allocate(capacity: terms + padded)
    halves = .allocate(capacity: 2 * padded)
    coefficients.initialize(repeating: 0, count: 2 * terms)
    extended.initialize(repeating: 0, count: terms + padded)
    halves.initialize(repeating: 0, count: 2 * padded)
    for j in 0..<terms {
      if isSplit {
        coefficients[j] = (circulant[j] + circulant[j + terms]) / 2
        coefficients[terms + j] = (circulant[j] - circulant[j + terms]) / 2
      } else {
        coefficients[j] = circulant[j]
      }
    }
  }

  deinit {
    coefficients.deallocate()
    extended.deallocate()
    halves.deallocate()
  }

  /// Shifts `field` (`[cell]`) in place.
  func apply(_ field: UnsafeMutablePointer<Double>) {
    let origin = extended + terms
    guard isSplit else {
      let mean = sum(field, terms) / Double(terms)
      for i in 0..<terms { origin[i] = field[i] - mean }
      for i in 0..<terms { extended[i] = origin[i] }
      convolve(origin, coefficients, into: halves)
      for i in 0..<terms { field[i] = mean + halves[i] }
      return
    }
    // Both halves of the field side by side, the one left of the origin repeating a period of that on its right, with
    // the other sign for the differences. What lies right of the period only feeds padding.
    combine(field, field + terms, into: origin) { $0 + $1 }
    let mean = sum(origin, terms) / Double(2 * terms)
    combine(origin, origin, into: origin) { sums, _ in sums - 2 * mean }
    combine(origin, origin, into: extended) { sums, _ in sums }
    convolve(origin, coefficients, into: halves)
    combine(field, field + terms, into: origin) { $0 - $1 }
    combine(origin, origin, into: extended) { differences, _ in -differences }
    convolve(origin, coefficients + terms, into: halves + padded)
    combine(halves, halves + padded, into: field) { mean + ($0 + $1) }
    combine(halves, halves + padded, into: field + terms) { mean + ($0 - $1) }
  }

  /// out_i = f(x_i, y_i) for i < terms, eight at a time: no loop of single numbers, as the compiler makes it where it
  /// cannot know that memory does not overlap.
  @inline(__always)
  private func combine(
    _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, into out: UnsafeMutablePointer<Double>,
    _ f: (SIMD8<Double>, SIMD8<Double>) -> SIMD8<Double>
  ) {
    var i = 0
    while i + 8 <= terms {
      let value = f(
        UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self),
        UnsafeRawPointer(y + i).loadUnaligned(as: SIMD8<Double>.self))
      UnsafeMutableRawPointer(out + i).storeBytes(of: value, as: SIMD8<Double>.self)
      i += 8
    }
    while i < terms {
      out[i] = f(SIMD8(repeating: x[i]), SIMD8(repeating: y[i]))[0]
      i += 1
    }
  }

  private static let width = 16

  /// Sum in four lanes.
  private func sum(_ x: UnsafeMutablePointer<Double>, _ count: Int) -> Double {
    var lanes = SIMD4<Double>.zero
    var i = 0
    while i + 4 <= count {
      lanes += UnsafeRawPointer(x + i).loadUnaligned(as: SIMD4<Double>.self)
      i += 4
    }
    var total = (lanes.x + lanes.y) + (lanes.z + lanes.w)
    while i < count {
      total += x[i]
      i += 1
    }
    return total
  }

  /// out_i = sum_j c_j x_{i-j} for i < padded, j ascending: thirty-two outputs at a time, as many as hide an addition's
  /// latency, and sixteen where no more are left.
  @inline(__always)
  private func convolve(
    _ x: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>,
    into out: UnsafeMutablePointer<Double>
  ) {
    var i = 0
    while i + 2 * Self.width <= padded {
      var (s0, s1, s2, s3) = (SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero)
      for j in 0..<terms {
        let source = UnsafeRawPointer(x + (i - j))
        let weight = SIMD8<Double>(repeating: c[j])
        s0 += weight * source.loadUnaligned(as: SIMD8<Double>.self)
        s1 += weight * source.loadUnaligned(fromByteOffset: 64, as: SIMD8<Double>.self)
        s2 += weight * source.loadUnaligned(fromByteOffset: 128, as: SIMD8<Double>.self)
        s3 += weight * source.loadUnaligned(fromByteOffset: 192, as: SIMD8<Double>.self)
      }
      let target = UnsafeMutableRawPointer(out + i)
      target.storeBytes(of: s0, as: SIMD8<Double>.self)
      target.storeBytes(of: s1, toByteOffset: 64, as: SIMD8<Double>.self)
      target.storeBytes(of: s2, toByteOffset: 128, as: SIMD8<Double>.self)
      target.storeBytes(of: s3, toByteOffset: 192, as: SIMD8<Double>.self)
      i += 2 * Self.width
    }
    guard i < padded else { return }
    var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    for j in 0..<terms {
      let source = UnsafeRawPointer(x + (i - j))
      let weight = SIMD8<Double>(repeating: c[j])
      low += weight * source.loadUnaligned(as: SIMD8<Double>.self)
      high += weight * source.loadUnaligned(fromByteOffset: 64, as: SIMD8<Double>.self)
    }
    UnsafeMutableRawPointer(out + i).storeBytes(of: low, as: SIMD8<Double>.self)
    UnsafeMutableRawPointer(out + i).storeBytes(of: high, toByteOffset: 64, as: SIMD8<Double>.self)
  }

  private static func circulant(_ n: Int, _ s: Double) -> [Double] {
    let c = (0..<n).map { j in
      var sum = 1.0
      var k = 1
      while 2 * k < n {
        // Whole turns are taken out, for the sake of the angle's last digits.
        let turns = Double(k) * (Double(j) - s) / Double(n)
        sum += 2 * cos(2 * .pi * (turns - turns.rounded()))
        k += 1
      }
      if n % 2 == 0 { sum += j % 2 == 0 ? 1 : -1 }
      return sum / Double(n)
    }
    return c
  }
}
