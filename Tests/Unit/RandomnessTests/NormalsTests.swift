import DaunceNumerics
import Testing

private func filled(_ count: Int, _ stream: RandomStream, at first: Int = 0) -> [Double] {
  var values = [Double](repeating: .nan, count: count)
  var span = values.mutableSpan
  stream.normals(into: &span, at: first)
  return values
}

@Test func batchNormalsAreTheAddressedNormals() {
  let stream = RandomStream(seed: 0x1234_5678_9ABC, purpose: .test, member: 5, cycle: 9)
  let first = 1_000
  let batch = filled(200_000, stream, at: first)
  var worst = 0.0
  for i in stride(from: 0, to: batch.count, by: 2) {
    let (x, y) = stream.normalPair(at: first + i / 2)
    let radius = (x * x + y * y).squareRoot()
    worst = max(worst, abs(batch[i] - x) / radius, abs(batch[i + 1] - y) / radius)
  }
  #expect(worst < 1e-15)
}

@Test(arguments: [0, 1, 2, 7, 8, 9, 63, 64, 65])
func batchNormalsDoNotDependOnTheCount(count: Int) {
  let stream = RandomStream(seed: 3, purpose: .test)
  let long = filled(80, stream, at: 17)
  #expect(filled(count, stream, at: 17) == Array(long[..<count]))
  if count >= 2 { #expect(filled(count - 2, stream, at: 18) == Array(long[2..<count])) }
}

@Test func batchNormalsWrapLikeSingleAddresses() {
  let stream = RandomStream(seed: 4, purpose: .test)
  let first = Int(UInt32.max) - 1
  let batch = filled(8, stream, at: first)
  for i in 0..<8 { #expect(abs(batch[i] - stream.normal(at: 2 * (first + i / 2) + i % 2)) < 1e-14) }
}

/// Batches are the numbers that their addresses name, to the last bit, whatever their length.
@Test(arguments: [1, 2, 7, 8, 9, 64, 65])
func batchesOfUniformsAreTheAddressedNumbers(count: Int) {
  let stream = RandomStream(seed: 0x1_2345_6789, purpose: .test, member: 3, cycle: 9)
  // Near the end of a 32-bit counter too.
  for first in [0, 5, 0xFFFF_FF00] {
    var values = [Double](repeating: -1, count: count)
    var span = values.mutableSpan
    stream.uniforms(into: &span, at: first)
    let expected = (0..<count).map { i in
      let pair = stream.uniformPair(at: first + i / 2)
      return i % 2 == 0 ? pair.0 : pair.1
    }
    #expect(values == expected)
    let words = stream.fourWords(at: first)
    for lane in 0..<4 {
      let one = stream.words(at: first + lane)
      #expect([words.0[lane], words.1[lane], words.2[lane], words.3[lane]] == (0..<4).map { UInt64(one[$0]) })
    }
  }
}
