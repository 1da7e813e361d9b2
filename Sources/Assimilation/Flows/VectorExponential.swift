/// e^x of four numbers between -700 and 700, within 1e-14 of the value.
///
/// With x = n ln 2 + r, |r| <= ln 2 / 2: the series of e^r ends below 1e-14, and n goes into the exponent.
@inline(__always)
func exponential(_ x: SIMD4<Double>) -> SIMD4<Double> {
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
  // Vectors have no bit pattern to ask for; both types have 256 bits.
  let bits = unsafeBitCast(series, to: SIMD4<UInt64>.self) &+ (unsafeBitCast(shifted, to: SIMD4<UInt64>.self) &<< 52)
  return unsafeBitCast(bits, to: SIMD4<Double>.self)
}
