import DaunceCoupling
import Testing

@Suite struct FiniteNumbersTests {
  @Test(arguments: [0, 1, 15, 16, 17, 32, 41])
  func everyPlaceCounts(count: Int) {
    for place in 0..<count {
      for bad in [Double.nan, .infinity, -.infinity] {
        var numbers = (0..<count).map { Double($0) * -1e300 / 100 }
        #expect(FiniteNumbers.areAll(numbers, count: count))
        numbers[place] = bad
        #expect(!FiniteNumbers.areAll(numbers, count: count))
      }
    }
  }
}
