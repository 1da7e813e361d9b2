import DaunceEnsemble
import DaunceNumerics
import Testing

/// Order-independent sums against exact integers and known rationals.
@Suite struct ExactSumTests {
  /// The exact sum of `values` as each is rounded to multiples of 2^-76, by 128-bit integers that cannot overflow here.
  private func reference(_ values: [Double]) -> Int128 {
    values.reduce(0) { $0 + integer($1) }
  }

  /// A double times 2^76, rounded to the nearest integer, ties to even.
  private func integer(_ x: Double) -> Int128 {
    if x == 0 { return 0 }
    let significand = Int128(x.significandBitPattern | 1 << 52)
    let shift = Int(x.exponent) - 52 + 76
    var magnitude: Int128
    if shift >= 0 {
      magnitude = significand << Int128(shift)
    } else if shift < -60 {
      magnitude = 0
    } else {
      magnitude = significand >> Int128(-shift)
      let rest = significand - magnitude << Int128(-shift)
      let half: Int128 = 1 << Int128(-shift - 1)
      if rest > half || (rest == half && magnitude & 1 == 1) { magnitude += 1 }
    }
    return x < 0 ? -magnitude : magnitude
  }

  /// 2^-76 `total`, rounded to the nearest double, ties to even.
  private func rounded(_ total: Int128) -> Double {
    let magnitude = total.magnitude
    let excess = 128 - magnitude.leadingZeroBitCount - 53
    if excess <= 0 { return Double(Int64(total)) * 0x1p-76 }
    var kept = UInt64(magnitude >> UInt128(excess))
    let rest = magnitude - UInt128(kept) << UInt128(excess)
    let half: UInt128 = 1 << UInt128(excess - 1)
    if rest > half || (rest == half && kept & 1 == 1) { kept += 1 }
    let value = Double(kept) * Double(sign: .plus, exponent: excess - 76, significand: 1)
    return total < 0 ? -value : value
  }

  private func sum(_ values: some Sequence<Double>, times factor: Double = 1) -> Double {
    var sum = ExactSum(count: 1)
    for value in values { sum.add([value], times: factor) }
    return sum[0]
  }

  /// Values of widely different magnitude and sign, below `range` and down to far below the resolution.
  private func wideValues(_ count: Int, sample: Int) -> [Double] {
    let stream = RandomStream(seed: 7, purpose: .test, member: sample)
    return (0..<count).map { i in
      let (u, v) = stream.uniformPair(at: i)
      return Double(sign: .plus, exponent: 19 - Int(v * 105), significand: 2 * (u - 0.5))
    }
  }

  @Test(arguments: 0..<20) func isTheRoundedExactSum(sample: Int) {
    let values = wideValues(500, sample: sample)
    #expect(sum(values) == rounded(reference(values)))
  }

  @Test func cancellationLeavesTheSmallTerms() {
    // 2^19 + 1/3 - 2^19 in ordinary arithmetic keeps 34 bits of 1/3.
    #expect(sum([0x1p19, 1.0 / 3, -0x1p19]) == 1.0 / 3)
    #expect(sum([0x1p19, 0x1p-76, -0x1p19]) == 0x1p-76)
    // Ten times the double nearest to 1/10 rounds to 1; rounding after each addition ends at 1 - 2^-53.
    #expect(sum([Double](repeating: 0.1, count: 10)) == 1)
    #expect([Double](repeating: 0.1, count: 10).reduce(0, +) != 1)
  }

  @Test func knownRationals() {
    // 1/2 + 1/4 + ... + 2^-40 and (1 + ... + 1000) / 1024.
    #expect(sum((1...40).map { Double(sign: .plus, exponent: -$0, significand: 1) }) == 1 - 0x1p-40)
    #expect(sum((1...1000).map { Double($0) / 1024 }) == 500_500.0 / 1024)
  }

  @Test func roundsOnceWhereTheHighLimbExceedsASignificand() {
    // Totals of 2^26 and more: ties that only the last unit of the low limb decides, for both signs.
    let base = [Double](repeating: 0x1p19, count: 1 << 8)
    for sign in [1.0, -1.0] {
      let half = 0x1p-26  // half of the last bit of 2^27
      for extra in [[half], [half, 0x1p-76], [half, -0x1p-76], [3 * half], [3 * half, -0x1p-76], [0x1p-76]] {
        let values = (base + extra).map { $0 * sign }
        #expect(sum(values) == rounded(reference(values)), "\(extra), \(sign)")
      }
    }
  }

  @Test func orderAndGroupingDoNotMatter() {
    let values = wideValues(300, sample: 99)
    let expected = sum(values).bitPattern
    for shuffle in 0..<10 {
      let stream = RandomStream(seed: 3, purpose: .test, member: shuffle)
      let order = values.indices.sorted { stream.words(at: $0).x < stream.words(at: $1).x }
      #expect(sum(order.map { values[$0] }).bitPattern == expected)
    }
    // Naive sums do depend on it.
    #expect(values.reduce(0, +) != values.sorted().reduce(0, +))
  }

  @Test func aFullHouseAtTheLimitDoesNotOverflow() {
    let largest = ExactSum.range.nextDown
    let values = [Double](repeating: largest, count: ExactSum.memberLimit)
    #expect(sum(values) == largest * 0x1p14)
    #expect(sum(values.map { -$0 }) == -largest * 0x1p14)
    // The largest remainders: half of the high unit.
    let remainders = [Double](repeating: 0x1p-28, count: ExactSum.memberLimit)
    #expect(sum(remainders) == 0x1p-14)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 0x1p20, -0x1p20, 1e300, .signalingNaN])
  func invalidValuesSpoilTheirOwnSumOnly(value: Double) {
    for place in 0..<7 {
      var sums = ExactSum(count: 7)
      var row = [Double](repeating: 0.25, count: 7)
      sums.add(row)
      row[place] = value
      sums.add(row)
      sums.add(row)
      for j in 0..<7 { #expect(j == place ? sums[j].isNaN : sums[j] == 0.75) }
      sums.reset(count: 7)
      #expect((0..<7).allSatisfy { sums[$0] == 0 })
    }
  }

  @Test func invalidValuesInAllMembersAreStillSeen() {
    #expect(sum([Double](repeating: .nan, count: ExactSum.memberLimit)).isNaN)
  }

  @Test func factorsScale() {
    let values = wideValues(50, sample: 5).map { $0 * 0x1p40 }
    #expect(sum(values).isNaN)
    #expect(sum(values, times: 0x1p-40) == rounded(reference(values.map { $0 * 0x1p-40 })))
  }

  @Test func partialRowsGoWhereTheyShould() {
    var sums = ExactSum(count: 6)
    sums.add([1, 2, 3], at: 3)
    sums.add([10, 20, 30], from: 1, times: 0.5, at: 0)
    #expect((0..<6).map { sums[$0] } == [10, 15, 0, 1, 2, 3])
    #expect(ExactSum.bytes(count: 6) == 8 * (12 + 2))
  }
}
