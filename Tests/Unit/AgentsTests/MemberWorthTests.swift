import DaunceAgents
import DaunceNumerics
import Testing

@Suite struct MemberWorthTests {
  /// Members (`[member][cell]`) and a truth, measured.
  private func measured(_ members: [[Double]], truth: [Double]) -> MemberWorth {
    let worth = MemberWorth(members: members.count, cells: truth.count)
    let rows = members.map { row in
      let memory = Workspace(repeating: 0.0, count: row.count)
      memory.copy(from: row)
      return memory
    }
    truth.withUnsafeBufferPointer { truth in
      if let truth = truth.baseAddress { worth.measure({ m, _ in UnsafePointer(rows[m].start) }, truth: truth) }
    }
    return worth
  }

  private func worths(_ members: [[Double]], truth: [Double], unit: Double = 1) -> [[Float]] {
    let worth = measured(members, truth: truth)
    return members.indices.map { m in
      var row = [Float](repeating: 0, count: truth.count)
      row.withUnsafeMutableBufferPointer { if let start = $0.baseAddress { worth.addWorth(of: m, unit: unit, to: start) } }
      return row
    }
  }

  /// Written out: (1 / N) sum |x_m - y| - (1 / (2 N^2)) sum |x_i - x_j|.
  private func score(_ x: [Double], _ y: Double) -> Double {
    let n = Double(x.count)
    let error = x.reduce(0) { $0 + abs($1 - y) } / n
    let distance = x.reduce(0) { sum, a in x.reduce(sum) { $0 + abs(a - $1) } }
    return error - distance / (2 * n * n)
  }

  @Test func threeMembersByHand() {
    // Errors 1, 2, 5; distances 5, 4, 7 to the others; s = 1 - 5/3, 2 - 4/3, 5 - 7/3 with mean 8/9.
    let found = worths([[1], [2], [5]], truth: [0]).map { $0[0] }
    for (value, expected) in zip(found, [8.0 / 9 + 2.0 / 3, 8.0 / 9 - 2.0 / 3, 8.0 / 9 - 8.0 / 3]) {
      #expect(abs(Double(value) - expected) < 1e-6)
    }
    // A unit is a factor, up to the limit.
    #expect(worths([[1], [2], [5]], truth: [0], unit: 100)[2][0] == -10)
  }

  @Test func worthsOfAllMembersAreNothing() {
    let stream = RandomStream(seed: 5, purpose: .test)
    let members = (0..<7).map { m in (0..<9).map { stream.normal(at: 9 * m + $0) } }
    let found = worths(members, truth: (0..<9).map { stream.normal(at: 100 + $0) })
    for c in 0..<9 { #expect(abs(found.reduce(0) { $0 + $1[c] }) < 1e-5) }
  }

  @Test func partsAddUpToTheScore() {
    let stream = RandomStream(seed: 6, purpose: .test)
    let members = (0..<6).map { m in (0..<4).map { stream.normal(at: 4 * m + $0) } }
    let truth = (0..<4).map { stream.normal(at: 50 + $0) }
    let worth = measured(members, truth: truth)
    let sum = (0..<6).reduce(0) { $0 + worth.part(of: $1) }
    let expected = (0..<4).reduce(0) { sum, c in sum + 6 * score(members.map { $0[c] }, truth[c]) }
    #expect(abs(sum - expected) < 1e-12)
  }

  /// Moving a member changes its own part as N times the score: what it is paid for is what the ensemble gains.
  @Test func aMemberIsPaidForWhatTheEnsembleGains() {
    let truth = 0.3
    var x = [-1.2, -0.4, 0.1, 0.9, 2.0]
    let before = worths(x.map { [$0] }, truth: [truth]).map { Double($0[0]) }
    let scoreBefore = score(x, truth)
    let step = 1e-3
    x[3] += step
    let after = worths(x.map { [$0] }, truth: [truth]).map { Double($0[0]) }
    // r_m is s_m taken from the mean of all s: the mean moves by (1/N) (ds_m + the others' changes).
    let gain = -(score(x, truth) - scoreBefore) * 5
    let others = [0, 1, 2, 4].map { after[$0] - before[$0] }
    #expect(abs((after[3] - before[3]) - others.reduce(0, +) / 4 - gain - pairGain(x, step) / 4) < 1e-5)
  }

  /// By how much the others' parts fall because member 3 has moved away from three of them and towards one.
  private func pairGain(_ x: [Double], _ step: Double) -> Double { -(3 - 1) * step / 5 }
}
