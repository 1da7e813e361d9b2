import Agents
import Randomness
import Testing

private func uniforms(_ draws: Draws, members: Int, cycle: Int, sequence: Int = 0, count: Int = 9) -> [[Double]] {
  (0..<members).map { member in
    var values = [Double](repeating: 0, count: count)
    values.withUnsafeMutableBufferPointer {
      draws.fill($0, purpose: .policyDraw, member: member, cycle: cycle, sequence: sequence)
    }
    return values
  }
}

@Test(arguments: [2, 7, 10])
func stratifiedDrawsTakeOneFromEachPart(members: Int) {
  let draws = Draws(members: members, seed: 3, kind: .stratified)
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
  let draws = Draws(members: members, seed: 4, kind: kind)
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
  let draws = Draws(members: 4, seed: 5, kind: .stratified)
  let first = uniforms(draws, members: 4, cycle: 7)
  #expect(first == uniforms(Draws(members: 4, seed: 5, kind: .stratified), members: 4, cycle: 7))
  #expect(first != uniforms(draws, members: 4, cycle: 8))
  #expect(first != uniforms(draws, members: 4, cycle: 7, sequence: 1))
  #expect(first != uniforms(Draws(members: 4, seed: 6, kind: .stratified), members: 4, cycle: 7))
}
