// Elementary functions of four Doubles at once, with a fixed order of operations in place of the C library's functions:
// the same bits on every machine, and no call for each number.

/// The bits of four Doubles. The standard library has `bitPattern` for single numbers only; both types are 32 plain bytes.
@inlinable @inline(__always)
package func bits(_ x: SIMD4<Double>) -> SIMD4<UInt64> { unsafeBitCast(x, to: SIMD4<UInt64>.self) }

/// The four Doubles with these bits.
@inlinable @inline(__always)
package func double(_ bits: SIMD4<UInt64>) -> SIMD4<Double> { unsafeBitCast(bits, to: SIMD4<Double>.self) }

/// e^x of four numbers between -700 and 700, within 1e-14 of the value.
///
/// With x = n ln 2 + r, |r| <= ln 2 / 2: the series of e^r ends below 1e-14, and n goes into the exponent.
@inlinable @inline(__always)
package func exponential(_ x: SIMD4<Double>) -> SIMD4<Double> {
  let limited = x.replacing(with: -700, where: x .< -700)
  // Adding and subtracting 1.5 * 2^52 rounds to the nearest integer, whose bits are then at the low end.
  let magic = 0x1.8p52
  let shifted = limited * 1.442_695_040_888_963_4 + magic
  let n = shifted - magic
  let r = (limited - n * 0.693_147_180_369_123_8) - n * 1.908_214_929_270_587_7e-10
  let square = r * r
  let fourth = square * square
  // In pairs, for a chain of products is what takes the time.
  let pairs = (
    1 + r, 0.5 + r * (1.0 / 6), 1.0 / 24 + r * (1.0 / 120), 1.0 / 720 + r * (1.0 / 5040),
    1.0 / 40_320 + r * (1.0 / 362_880), 1.0 / 3_628_800 + r * (1.0 / 39_916_800)
  )
  let low = pairs.0 + square * pairs.1
  let middle = pairs.2 + square * pairs.3
  let high = pairs.4 + square * pairs.5
  let series = low + fourth * (middle + fourth * high)
  return double(bits(series) &+ (bits(shifted) &<< 52))
}

/// Natural logarithm of four normal positive numbers, within 2e-16 of the value or so; exactly 0 at 1.
///
/// With x = 2^e m, m in [sqrt(1/2), sqrt(2)): ln x = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.1716, and the
/// odd series of artanh, whose first term left out is below 1e-17 of the sum.
@inlinable @inline(__always)
package func logarithm(_ x: SIMD4<Double>) -> SIMD4<Double> {
  // Subtracting the bits of sqrt(1/2) makes the exponent field change where the fraction passes sqrt(2).
  let offset = SIMD4<UInt64>(repeating: 0x3FE6_A09E_667F_3BCD)
  // The exponent field is biased by 2048 first, so that it stays positive and a logical shift will do.
  let shifted = (bits(x) &- offset) &+ SIMD4<UInt64>(repeating: 0x8000_0000_0000_0000)
  let exponentField = shifted &>> 52
  // Integer to floating point by placing it in the fraction of 2^52.
  let placed = exponentField | SIMD4<UInt64>(repeating: 0x4330_0000_0000_0000)
  let exponent = double(placed) - (0x1p52 + 2048)
  let fraction = (shifted & SIMD4<UInt64>(repeating: 0x000F_FFFF_FFFF_FFFF)) &+ offset
  let mantissa = double(fraction)
  let s = (mantissa - 1) / (mantissa + 1)
  let t = s * s
  var series = SIMD4<Double>(repeating: 2.0 / 21)
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

/// x^a of four normal positive numbers, by their logarithms. Not-a-numbers pass through.
@inlinable @inline(__always)
package func power(_ x: SIMD4<Double>, _ a: Double) -> SIMD4<Double> {
  exponential(a * logarithm(x)).replacing(with: x, where: x .!= x)
}

/// e^x of one number between -700 and 700, the same bits as in a vector.
@inlinable
package func exponential(_ x: Double) -> Double { exponential(SIMD4(repeating: x)).x }

/// x^a of one positive number, the same bits as in a vector; 0 at 0.
@inlinable
package func power(_ x: Double, _ a: Double) -> Double { x > 0 ? power(SIMD4(repeating: x), a).x : 0 }
