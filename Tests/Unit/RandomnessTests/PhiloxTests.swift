import DaunceNumerics
import Testing

/// Known answers published with Random123 (Salmon et al. 2011), file kat_vectors.
@Test(arguments: [
  (
    SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
    SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
  ),
  (
    SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
    SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
  ),
  (
    SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
    SIMD2<UInt32>(0xa409_3822, 0x299f_31d0),
    SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
  ),
])
func philoxKnownAnswers(
  counter: SIMD4<UInt32>, key: SIMD2<UInt32>, output: SIMD4<UInt32>
) {
  #expect(Philox.block(counter: counter, key: key) == output)
}

@Test func streamsOfDifferentAddressDiffer() {
  let base = RandomStream(seed: 7, purpose: .forecastNoise, member: 3, cycle: 11)
  let others = [
    RandomStream(seed: 8, purpose: .forecastNoise, member: 3, cycle: 11),
    RandomStream(seed: 7, purpose: .policyDraw, member: 3, cycle: 11),
    RandomStream(seed: 7, purpose: .forecastNoise, member: 4, cycle: 11),
    RandomStream(seed: 7, purpose: .forecastNoise, member: 3, cycle: 12),
    RandomStream(seed: 7 | 1 << 40, purpose: .forecastNoise, member: 3, cycle: 11),
  ]
  for other in others { #expect(other.words(at: 5) != base.words(at: 5)) }
  #expect(base.words(at: 5) != base.words(at: 6))
  #expect(base.words(at: 5) == RandomStream(seed: 7, purpose: .forecastNoise, member: 3, cycle: 11).words(at: 5))
}

@Test func uniformNumbersFillTheOpenInterval() {
  let stream = RandomStream(seed: 1, purpose: .test)
  let count = 100_000
  var (sum, squares, low, high) = (0.0, 0.0, 1.0, 0.0)
  for i in 0..<count {
    let (u, v) = stream.uniformPair(at: i)
    for x in [u, v] {
      sum += x
      squares += x * x
      low = min(low, x)
      high = max(high, x)
    }
  }
  let n = Double(2 * count)
  #expect(low > 0 && high < 1)
  // Five standard errors of the mean and of the mean square.
  #expect(abs(sum / n - 0.5) < 5 * (1 / 12 / n).squareRoot())
  #expect(abs(squares / n - 1 / 3) < 5 * (4 / 45 / n).squareRoot())
}

@Test func normalNumbersHaveTheMomentsOfTheNormal() {
  let stream = RandomStream(seed: 2, purpose: .test)
  let count = 200_000
  var moments = SIMD4<Double>.zero
  var crossed = 0.0
  for i in 0..<count {
    let (x, y) = stream.normalPair(at: i)
    moments += SIMD4(x, x * x, x * x * x, x * x * x * x)
    crossed += x * y
  }
  moments /= Double(count)
  let standardErrors = (SIMD4<Double>(1, 2, 15, 96) / Double(count)).squareRoot()
  let deviations = moments - SIMD4(0, 1, 0, 3)
  for k in 0..<4 { #expect(abs(deviations[k]) < 5 * standardErrors[k]) }
  #expect(abs(crossed / Double(count)) < 5 * (1 / Double(count)).squareRoot())
}

@Test func integersAreEvenlySpread() {
  let stream = RandomStream(seed: 3, purpose: .test)
  var counts = [Int](repeating: 0, count: 7)
  for i in 0..<70_000 { counts[stream.integer(below: 7, at: i)] += 1 }
  for c in counts { #expect(abs(Double(c) - 10_000) < 5 * 93) }
}
