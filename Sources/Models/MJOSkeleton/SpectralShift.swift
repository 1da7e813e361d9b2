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
      extendPeriodically(origin, sign: 1)
      convolve(origin, coefficients, into: halves)
      for i in 0..<terms { field[i] = mean + halves[i] }
      return
    }
    for i in 0..<terms { origin[i] = field[i] + field[i + terms] }
    let mean = sum(origin, terms) / Double(2 * terms)
    for i in 0..<terms { origin[i] -= 2 * mean }
    extendPeriodically(origin, sign: 1)
    convolve(origin, coefficients, into: halves)
    for i in 0..<terms { origin[i] = field[i] - field[i + terms] }
    extendPeriodically(origin, sign: -1)
    convolve(origin, coefficients + terms, into: halves + padded)
    for i in 0..<terms {
      field[i] = mean + (halves[i] + halves[padded + i])
      field[i + terms] = mean + (halves[i] - halves[padded + i])
    }
  }

  /// Elements left of the origin repeat those of one period, times `sign`.
  ///
  /// What lies right of the period only feeds padding lanes.
  private func extendPeriodically(_ origin: UnsafeMutablePointer<Double>, sign: Double) {
    for i in 0..<terms { origin[i - terms] = sign * origin[i] }
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

  /// out_i = sum_j c_j x_{i-j} for i < padded, sixteen outputs at a time, j ascending.
  @inline(__always)
  private func convolve(
    _ x: UnsafeMutablePointer<Double>, _ c: UnsafeMutablePointer<Double>,
    into out: UnsafeMutablePointer<Double>
  ) {
    for i in stride(from: 0, to: padded, by: Self.width) {
      var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
      for j in 0..<terms {
        let source = UnsafeRawPointer(x + (i - j))
        let weight = SIMD8<Double>(repeating: c[j])
        low += weight * source.loadUnaligned(as: SIMD8<Double>.self)
        high += weight * source.loadUnaligned(fromByteOffset: 64, as: SIMD8<Double>.self)
      }
      UnsafeMutableRawPointer(out + i).storeBytes(of: low, as: SIMD8<Double>.self)
      UnsafeMutableRawPointer(out + i + 8).storeBytes(of: high, as: SIMD8<Double>.self)
    }
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
