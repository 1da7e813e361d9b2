import Agents
import Randomness
import Testing

private let count = 9

private func draws(_ members: Int, seed: UInt64, _ kind: AgentSettings.Draws, memory: Int = 1) -> Draws {
  Draws(members: members, seed: seed, kind: kind, memory: memory, count: count)
}

/// Every member's numbers at `cycle`, drawn for that cycle alone.
private func uniforms(_ draws: Draws, members: Int, cycle: Int, sequence: Int = 0) -> [[Double]] {
  (0..<members).map { member in
    let places = Draws.Places(count: count)
    draws.refresh(places, purpose: .policyDraw, member: member, cycle: cycle, sequence: sequence)
    return values(places)
  }
}

private func values(_ places: Draws.Places) -> [Double] { (0..<count).map { places.uniforms.start[$0] } }

@Test(arguments: [2, 7, 10])
func stratifiedDrawsTakeOneFromEachPart(members: Int) {
  let draws = draws(members, seed: 3, .stratified, memory: 3)
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

@Test(arguments: [AgentSettings.Draws.stratified, .independent])
func drawsWithAMemoryStayForThatManyCycles(kind: AgentSettings.Draws) {
  let memory = 5
  let slow = draws(3, seed: 7, kind, memory: memory)
  let places = Draws.Places(count: count)
  var ages = [Int](repeating: 0, count: count)
  var before = [Double](repeating: -1, count: count)
  var renewals = [Set<Int>](repeating: [], count: count)
  for cycle in 1...60 {
    slow.refresh(places, purpose: .policyDraw, member: 1, cycle: cycle, sequence: 0)
    let now = values(places)
    for k in 0..<count {
      if now[k] != before[k] {
        // Between renewals lies the memory, but for the first, which all share.
        if ages[k] > 0, cycle > memory { #expect(ages[k] == memory) }
        renewals[k].insert(cycle % memory)
        ages[k] = 0
      }
      ages[k] += 1
    }
    before = now
    // What was drawn before makes no difference.
    #expect(now == uniforms(slow, members: 3, cycle: cycle)[1])
  }
  #expect(Set(renewals.map { $0.subtracting([1 % memory]) }).count > 1, "all cells renew at the same time")
}

@Test func drawsForAnotherPurposeAreOthers() {
  let slow = draws(3, seed: 7, .stratified, memory: 5)
  let places = Draws.Places(count: count)
  slow.refresh(places, purpose: .rolloutNoise, member: 1, cycle: 9, sequence: 0)
  let first = values(places)
  slow.refresh(places, purpose: .rolloutTwin, member: 1, cycle: 9, sequence: 0)
  #expect(zip(first, values(places)).allSatisfy { $0 != $1 })
}

@Test func memoryMatchesTheIntegratedCorrelationTime() {
  #expect(AgentTrainer.memory(correlation: -0.3) == 1)
  #expect(AgentTrainer.memory(correlation: 0) == 1)
  #expect(AgentTrainer.memory(correlation: 0.8) == 9)
  #expect(AgentTrainer.memory(correlation: 1) == 1000)
}
