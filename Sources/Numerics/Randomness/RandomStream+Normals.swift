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
