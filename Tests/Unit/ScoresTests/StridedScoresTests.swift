import DaunceNumerics
import Testing

/// Members in one buffer against members in arrays of their own: the same bits.
@Suite struct StridedScoresTests {
  /// 300 members are more than are sorted eight points at a time; 13 points are no multiple of eight.
  @Test(arguments: [1, 2, 5, 20, 300], [3, 8, 13, 40])
  func sameBitsAsSeparateMembers(members: Int, points: Int) {
    let (stride, cycles) = (points + 7, 3)
    var field = CRPSField(members: members)
    var (strided, separate) = (RankHistogram(members: members, skipping: 1), RankHistogram(members: members, skipping: 1))
    for cycle in 0..<cycles {
      // Few distinct values, so that some are equal.
      func value(_ m: Int, _ c: Int) -> Double {
        let mixed: Int = m * 7919 + c * 104_729 + cycle * 31 + m * m * c
        return Double(mixed % 23) / 3 - 4
      }
      var buffer = [Double](repeating: .nan, count: (members - 1) * stride + points)
      for m in 0..<members {
        for c in 0..<points { buffer[m * stride + c] = value(m, c) }
      }
      let ensemble = (0..<members).map { m in (0..<points).map { value(m, $0) } }
      let truth = (0..<points).map { value(3, 5 * $0 + 1) }
      var sum = 0.0
      for c in 0..<points { sum += crps(ensemble.map { $0[c] }, truth: truth[c]) }
      #expect(field.sum(buffer.span, stride: stride, truth: truth.span) == sum)
      strided.add(buffer.span, stride: stride, truth: truth.span)
      separate.add(ensemble, truth: truth)
    }
    #expect(strided == separate && strided.total == (cycles - 1) * points)
  }
}
