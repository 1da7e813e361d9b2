import DaunceAgents
import DaunceNumerics
import Testing

private let count = 9

private func draws(
  _ members: Int, seed: UInt64, _ kind: AgentSettings.Draws, rankPersistence: Double = 0
) -> StratifiedSampler {
  StratifiedSampler(members: members, seed: seed, kind: kind, rankPersistence: rankPersistence)
}

/// Every member's numbers at `cycle`, following these forecasts (`[member][action]`) if there are any.
private func uniforms(
  _ draws: StratifiedSampler, members: Int, cycle: Int, sequence: Int = 0, purpose: Purpose = .policyDraw,
  forecasts: [Double] = []
) -> [[Double]] {
  (0..<members).map { member in
    var values = [Double](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer { values in
      (forecasts + [Double](repeating: 0, count: forecasts.isEmpty ? 0 : 8)).withUnsafeBufferPointer { forecasts in
        draws.fill(
          values, purpose: purpose, member: member, cycle: cycle, sequence: sequence,
          forecasts: forecasts.isEmpty ? nil : forecasts.baseAddress.map { StratifiedSampler.Forecasts(first: $0, stride: count) })
      }
    }
    return values
  }
}

@Test(arguments: [2, 7, 10])
func stratifiedDrawsTakeOneFromEachPart(members: Int) {
  let draws = draws(members, seed: 3, .stratified)
  for cycle in 0..<50 {
    let all = uniforms(draws, members: members, cycle: cycle)
    for action in 0..<9 {
      let parts = Set(all.map { Int($0[action] * Double(members)) })
      #expect(parts == Set(0..<members))
    }
  }
}

@Test(arguments: [AgentSettings.Draws.stratified, .independent])
func everyMembersDrawsAreUniform(kind: AgentSettings.Draws) {
  let members = 5
  let draws = draws(members, seed: 4, kind)
  var sums = [[Double]](repeating: [0, 0, 0], count: members)
  let cycles = 4000
  for cycle in 0..<cycles {
    for (m, values) in uniforms(draws, members: members, cycle: cycle).enumerated() {
      // Neighbouring actions of one member are independent.
      sums[m][0] += values[0] - 0.5
      sums[m][1] += (values[0] - 0.5) * (values[0] - 0.5) - 1.0 / 12
      sums[m][2] += (values[0] - 0.5) * (values[1] - 0.5)
    }
  }
  let n = Double(cycles).squareRoot()
  for sum in sums {
    #expect(abs(sum[0]) < 5 * n * 0.289)
    #expect(abs(sum[1]) < 5 * n * 0.0746)
    #expect(abs(sum[2]) < 5 * n * 0.0834)
  }
}

@Test func drawsAreKeyedBySeedCycleAndSequence() {
  let five = draws(4, seed: 5, .stratified)
  let first = uniforms(five, members: 4, cycle: 7)
  #expect(first == uniforms(draws(4, seed: 5, .stratified), members: 4, cycle: 7))
  #expect(first != uniforms(five, members: 4, cycle: 8))
  #expect(first != uniforms(five, members: 4, cycle: 7, sequence: 1))
  #expect(first != uniforms(draws(4, seed: 6, .stratified), members: 4, cycle: 7))
}

@Test func drawsForAnotherPurposeAreOthers() {
  let stratified = draws(3, seed: 7, .stratified)
  let first = uniforms(stratified, members: 3, cycle: 9, purpose: .rolloutNoise)
  let second = uniforms(stratified, members: 3, cycle: 9, purpose: .rolloutTwin)
  for (a, b) in zip(first, second) { #expect(zip(a, b).allSatisfy { $0 != $1 }) }
}

/// Forecasts in which member m is the (3 m + action) modulo 7-th.
private let ordered = (0..<7).flatMap { member in (0..<count).map { Double((3 * member + $0) % 7) } }

@Test func keptOrderIsThatOfTheForecasts() {
  let all = uniforms(draws(7, seed: 8, .stratified, rankPersistence: 1), members: 7, cycle: 3, forecasts: ordered)
  for member in 0..<7 {
    for action in 0..<count {
      #expect(Int(all[member][action] * 7) == Int(ordered[member * count + action]))
    }
  }
}

@Test(arguments: [0, 0.25, 0.8])
func orderIsKeptInThatShareOfTheCells(share: Double) {
  let half = draws(7, seed: 8, .stratified, rankPersistence: share)
  var kept = 0
  let cycles = 2000
  for cycle in 0..<cycles {
    let all = uniforms(half, members: 7, cycle: cycle, forecasts: ordered)
    for action in 0..<count {
      let parts = all.map { Int($0[action] * 7) }
      #expect(Set(parts) == Set(0..<7))
      if parts == (0..<7).map({ Int(ordered[$0 * count + action]) }) { kept += 1 }
    }
  }
  let expected = share * Double(cycles * count)
  // A random order is the forecasts' in one of 5040 cases; tables repeat, so a few more are allowed.
  #expect(abs(Double(kept) - expected) < 5 * (Double(cycles * count) * 0.25).squareRoot() + 20)
}

@Test func equalForecastsAreInRandomOrder() {
  let kept = draws(7, seed: 8, .stratified, rankPersistence: 1)
  let equal = [Double](repeating: 1e-4, count: 7 * count)
  var sums = [Double](repeating: 0, count: 7)
  let cycles = 1000
  for cycle in 0..<cycles {
    let all = uniforms(kept, members: 7, cycle: cycle, forecasts: equal)
    #expect(Set(all.map { Int($0[0] * 7) }) == Set(0..<7))
    for member in 0..<7 { sums[member] += all[member].reduce(0, +) / Double(count) - 0.5 }
  }
  for sum in sums { #expect(abs(sum) < 5 * (Double(cycles) / Double(12 * count)).squareRoot()) }
}
