/// Blocks that the batch generators handle side by side.
typealias Lanes = SIMD4<Double>
typealias Bits = SIMD4<UInt64>

extension RandomStream {
  /// Fills `output` with independent standard normal numbers: element `i` is the number that `normal(at: 2 * first +
  /// i)` addresses.
  ///
  /// The same random bits and the same transform (Box & Muller 1958) as `normalPair(at:)`, four blocks at a time, with
  /// polynomials in place of the C library's logarithm, cosine and sine. So the numbers agree with `normal(at:)` to
  /// about 1e-15 of their radius, not to the last bit; in return they are the same bits whatever the C library.
  /// Allocates nothing.
  ///
  /// - Parameters:
  ///   - output: `[count]`, any count; an odd count leaves half of the last pair unused.
  ///   - first: address of the first block of two numbers.
  public func normals(into output: inout MutableSpan<Double>, at first: Int = 0) {
    let count = output.count
    output.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      var done = 0
      while done + 8 <= count {
        let (even, odd) = fourPairs(at: first &+ (done >> 1))
        UnsafeMutableRawPointer(target + done).storeBytes(of: interleave(even, odd), as: SIMD8<Double>.self)
        done += 8
      }
      if done < count {
        let (even, odd) = fourPairs(at: first &+ (done >> 1))
        let rest = interleave(even, odd)
        for i in done..<count { target[i] = rest[i - done] }
      }
    }
  }

  /// The normal pairs at `index`, `index + 1`, `index + 2`, `index + 3`.
  @inline(__always)
  private func fourPairs(at index: Int) -> (Lanes, Lanes) {
    let (w0, w1, w2, w3) = fourBlocks(at: index)
    let radius = (-2 * logarithm(unitInterval(w0, w1))).squareRoot()
    let (cosine, sine) = circle(unitInterval(w2, w3))
    return (radius * cosine, radius * sine)
  }
}

/// Natural logarithm of normal positive numbers, within 2e-16 of the value or so.
///
/// With u = 2^e m, m in [sqrt(1/2), sqrt(2)): ln u = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.1716, and the
/// odd series of artanh, whose first term left out is below 1e-17 of the sum.
@inline(__always)
private func logarithm(_ u: Lanes) -> Lanes {
  // Subtracting the bits of sqrt(1/2) makes the exponent field change where the fraction passes sqrt(2).
  let offset = Bits(repeating: 0x3FE6_A09E_667F_3BCD)
  // The exponent field is biased by 2048 first, so that it stays positive and a logical shift will do.
  let shifted = (bits(u) &- offset) &+ Bits(repeating: 0x8000_0000_0000_0000)
  let exponentField = shifted &>> 52
  // Integer to floating point by placing it in the fraction of 2^52.
  let exponent = double(exponentField | Bits(repeating: 0x4330_0000_0000_0000)) - (0x1p52 + 2048)
  let mantissa = double((shifted & Bits(repeating: 0x000F_FFFF_FFFF_FFFF)) &+ offset)
  let s = (mantissa - 1) / (mantissa + 1)
  let t = s * s
  var series = Lanes(repeating: 2.0 / 21)
  series = series * t + 2.0 / 19
  series = series * t + 2.0 / 17
  series = series * t + 2.0 / 15
  series = series * t + 2.0 / 13
  series = series * t + 2.0 / 11
  series = series * t + 2.0 / 9
  series = series * t + 2.0 / 7
  series = series * t + 2.0 / 5
  series = series * t + 2.0 / 3
  let artanh = 2 * s + s * (t * series)
  return exponent * 0.693147180559945309417 + artanh
}

/// Cosine and sine of 2 pi v for v in (0, 1), with absolute error of about 2e-16.
///
/// v is reduced exactly to the nearest quarter, r in [-1/8, 1/8]; both Taylor series of 2 pi r end below 1e-16; the
/// quarter then swaps them and sets signs.
@inline(__always)
private func circle(_ v: Lanes) -> (cosine: Lanes, sine: Lanes) {
  // Adding 1.5 * 2^52 rounds to an integer, which appears in the low bits.
  let magic = 0x1.8p52
  let rounded = 4 * v + magic
  let quarter = bits(rounded)
  let angle = (v - 0.25 * (rounded - magic)) * (2 * Double.pi)
  let t = angle * angle
  var s = Lanes(repeating: -1.0 / 1_307_674_368_000)
  s = s * t + 1.0 / 6_227_020_800
  s = s * t - 1.0 / 39_916_800
  s = s * t + 1.0 / 362_880
  s = s * t - 1.0 / 5_040
  s = s * t + 1.0 / 120
  s = s * t - 1.0 / 6
  let sine = angle + angle * (t * s)
  var c = Lanes(repeating: 1.0 / 20_922_789_888_000)
  c = c * t - 1.0 / 87_178_291_200
  c = c * t + 1.0 / 479_001_600
  c = c * t - 1.0 / 3_628_800
  c = c * t + 1.0 / 40_320
  c = c * t - 1.0 / 720
  c = c * t + 1.0 / 24
  let cosine = 1 - (0.5 * t - t * t * c)
  // Quarter 1 and 3 swap the two; 1 and 2 make the cosine negative, 2 and 3 the sine.
  let swap = Bits.zero &- (quarter & 1)
  let first = (bits(cosine) & ~swap) | (bits(sine) & swap)
  let second = (bits(sine) & ~swap) | (bits(cosine) & swap)
  return (
    double(first ^ (((quarter &+ 1) & 2) &<< 62)),
    double(second ^ ((quarter & 2) &<< 62))
  )
}
