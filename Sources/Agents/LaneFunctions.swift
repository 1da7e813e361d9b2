// Elementary functions of eight numbers side by side, from additions, multiplications and divisions alone: the same
// bits on every machine.

/// Hyperbolic tangent: `x P(x^2) / Q(x^2)` with polynomials of degree 4, fitted to the smallest largest error on [-8, 8];
/// absolute error below 3.2e-7, never beyond 1.
@inline(__always)
func tanh(_ x: Lanes) -> Lanes {
  // Beyond 8 the result is 1 less 2e-7.
  let x = limit(limit(x, below: -8), above: 8)
  let u = x * x
  var p: Lanes = 2.177_317_5e-5 + u * 1.506_171_2e-8
  p = 3.564_151_8e-3 + u * p
  p = 0.134_381_87 + u * p
  p = 0.999_999_97 + u * p
  var q: Lanes = 3.399_172_3e-4 + u * 8.453_621_8e-7
  q = 2.613_6e-2 + u * q
  q = 0.467_715_08 + u * q
  q = 1 + u * q
  return x * p / q
}

/// `exp(x)` for `-87 < x < 88`: `2^k` times the Taylor polynomial of the remainder, at most `log(2)/2`.
@inline(__always)
func exponential(_ x: Lanes) -> Lanes {
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
  let shifted = x * 1.442_695_04 + 12_582_912
  let k = shifted - 12_582_912
  let r = x - k * 0.693_359_375 + k * 2.121_944_4e-4
  var p: Lanes = 1 / 5040 + r * (1 / 40320)
  p = 1 / 720 + r * p
  p = 1 / 120 + r * p
  p = 1 / 24 + r * p
  p = 1 / 6 + r * p
  p = 0.5 + r * p
  p = 1 + r * p
  p = 1 + r * p
  // Vectors of numbers have no bitPattern; both sides are eight lanes of 32 bits.
  let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self)
  let scale = unsafeBitCast((bits &+ 127) &<< 23, to: Lanes.self)
  return p * scale
}

/// `log(x)` for normal positive `x`: the exponent, and the series of `atanh` for the mantissa between `sqrt(1/2)` and
/// `sqrt(2)`.
@inline(__always)
func logarithm(_ x: Lanes) -> Lanes {
  let bits = unsafeBitCast(x, to: SIMD8<UInt32>.self)
  // The bits of sqrt(1/2): what is left of the exponent after taking them away counts halves from there.
  let root = SIMD8<UInt32>(repeating: 0x3F35_04F3)
  let exponent = unsafeBitCast(bits &- root, to: SIMD8<Int32>.self) &>> 23
  let mantissa = unsafeBitCast(
    bits &- unsafeBitCast(exponent &<< 23, to: SIMD8<UInt32>.self), to: Lanes.self)
  let k = Lanes(exponent)
  let s = (mantissa - 1) / (mantissa + 1)
  let q = s * s
  var p: Lanes = 1 / 7 + q * (1 / 9)
  p = 1 / 5 + q * p
  p = 1 / 3 + q * p
  let tail = 2 * s * q * p
  // The large part of log 2 has few bits, so that its product with an exponent is exact.
  return k * 0.693_359_375 + (2 * s + (tail - k * 2.121_944_4e-4))
}

/// Mills' ratio `Q(t) / phi(t)` of the standard normal law for `t >= 0`, relative error below 4e-7: a polynomial in
/// `1 / (1 + 0.3 t)`, fitted to the smallest largest relative error.
@inline(__always)
func millsRatio(_ t: Lanes) -> Lanes {
  let u = 1 / (1 + 0.3 * t)
  var p: Lanes = 0.182_916_62 + u * -0.031_170_369
  p = -0.369_239_13 + u * p
  p = 0.249_785_93 + u * p
  p = -0.039_043_052 + u * p
  p = 0.171_457_15 + u * p
  p = 0.215_361_35 + u * p
  p = 0.273_252_42 + u * p
  p = 0.299_993_31 + u * p
  p = 0.300_000_03 + u * p
  return u * p
}

/// `min(x, most)`, not-a-number stays.
@inline(__always)
func limit(_ x: Lanes, above most: Float) -> Lanes { x.replacing(with: Lanes(repeating: most), where: x .> most) }

/// `max(x, least)`, not-a-number stays.
@inline(__always)
func limit(_ x: Lanes, below least: Float) -> Lanes { x.replacing(with: Lanes(repeating: least), where: x .< least) }
