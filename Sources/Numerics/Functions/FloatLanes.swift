// Elementary functions of eight Floats at once. Polynomials with a fixed order of operations in place of the C
// library's functions: the same bits whatever the library, and no call for each number. Not-a-numbers pass through.

/// Eight Floats, the unit of these functions.
@usableFromInline package typealias FloatLanes = SIMD8<Float>

/// Bits of eight Floats.
@usableFromInline package typealias LaneBits = SIMD8<UInt32>

/// The bits of eight Floats. The standard library has `bitPattern` for single numbers only; both types are 32 plain
/// bytes.
@inlinable @inline(__always)
package func bits(_ x: FloatLanes) -> LaneBits { unsafeBitCast(x, to: LaneBits.self) }

/// The eight Floats with these bits.
@inlinable @inline(__always)
package func lanes(_ bits: LaneBits) -> FloatLanes { unsafeBitCast(bits, to: FloatLanes.self) }

/// The smaller of `x` and `limit`; a not-a-number in `x` stays.
@inlinable @inline(__always)
package func atMost(_ limit: Float, _ x: FloatLanes) -> FloatLanes {
  let bound = FloatLanes(repeating: limit)
  return x.replacing(with: bound, where: bound .< x)
}

/// The larger of `x` and `limit`; a not-a-number in `x` stays.
@inlinable @inline(__always)
package func atLeast(_ limit: Float, _ x: FloatLanes) -> FloatLanes {
  let bound = FloatLanes(repeating: limit)
  return x.replacing(with: bound, where: bound .> x)
}

/// `2^t` for `|t| < 126`: a power of two times a polynomial for `2^f`, `|f| <= 1/2`, fitted for least relative error;
/// relative error below 2.5e-7.
@inlinable @inline(__always)
package func powerOfTwo(_ t: FloatLanes) -> FloatLanes {
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
  let shifted = t + 12_582_912
  let f = t - (shifted - 12_582_912)
  var p: FloatLanes = 0.00967151296 + f * 0.00132647266
  p = 0.0555073375 + f * p
  p = 0.240222421 + f * p
  p = 0.693146978 + f * p
  p = 1 + f * p
  // The integer is added to the exponent.
  return lanes(bits(p) &+ (bits(shifted) &<< 23))
}

/// `exp(x)` for `|x| < 87`; relative error below 2.5e-7 + 1e-7 `|x|`.
@inlinable @inline(__always)
package func exponential(_ x: FloatLanes) -> FloatLanes { powerOfTwo(x * 1.442_695_04) }

/// Natural logarithm of normal positive numbers; absolute error below 1.5e-7 times the larger of 1 and its value.
///
/// With x = 2^e m, m in [sqrt(1/2), sqrt(2)): ln x = e ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.1716.
@inlinable @inline(__always)
package func logarithm(_ x: FloatLanes) -> FloatLanes {
  // Subtracting the bits of sqrt(1/2) makes the exponent field change where the fraction passes sqrt(2); the field is
  // biased by 256 so that it stays positive.
  let offset = LaneBits(repeating: 0x3F35_04F3)
  let shifted = bits(x) &- offset &+ 0x4000_0000
  // Integer to floating point by placing it in the fraction of 2^23.
  let exponent = lanes((shifted &>> 23) | 0x4B00_0000) - (8_388_608 + 128)
  let m = lanes((shifted & 0x007F_FFFF) &+ offset)
  let s = (m - 1) / (m + 1)
  let t = s * s
  var series: FloatLanes = 2 / 7 + t * (2 / 9)
  series = 2 / 5 + t * series
  series = 2 / 3 + t * series
  return exponent * 0.693_147_2 + (2 * s + s * (t * series))
}

/// Hyperbolic tangent: `x P(x^2) / Q(x^2)` with polynomials of degree 4, fitted for least absolute error on [-8, 8], in
/// pairs of terms; absolute error below 3.5e-7, never beyond 1.
@inlinable @inline(__always)
package func tanh(_ x: FloatLanes) -> FloatLanes {
  // Beyond 8 the result is 1 less 2e-7.
  let x = atMost(8, atLeast(-8, x))
  let u = x * x
  let w = u * u
  let p =
    (0.999_999_97 + u * 0.134_381_87) + w * ((3.564_151_8e-3 + u * 2.177_317_5e-5) + w * 1.506_171_2e-8)
  let q = (1 + u * 0.467_715_08) + w * ((2.613_6e-2 + u * 3.399_172_3e-4) + w * 8.453_621_8e-7)
  return x * p / q
}
