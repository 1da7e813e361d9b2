package import Randomness

/// The uniform numbers that turn policies into actions.
///
/// Stratified draws give member i the part `[k, k + 1) / N` of the unit interval, with k the i-th entry of a random
/// permutation for each cell: every number is uniform by itself, while the N together fill the interval evenly (Latin
/// hypercube sampling, McKay, Beckman & Conover 1979). Any rank can work out any member's part, so this costs no
/// message.
package struct Draws {
  let members: Int
  let seed: UInt64
  private let kind: AgentSettings.Draws
  /// Random permutations of the members, `[table][member]`; a cell takes one of them, rotated.
  private let permutations: [Int32]
  private static let tables = 512

  package init(members: Int, seed: UInt64, kind: AgentSettings.Draws) {
    self.members = members
    self.seed = seed
    self.kind = kind
    guard kind == .stratified else {
      permutations = []
      return
    }
    var tables = [Int32]()
    tables.reserveCapacity(Self.tables * members)
    for table in 0..<Self.tables {
      let stream = Stream(seed: seed, purpose: .policyStratum, member: table, cycle: 0xFFFF_FFFF)
      var order = (0..<Int32(members)).map { $0 }
      for i in stride(from: members - 1, to: 0, by: -1) {
        order.swapAt(i, stream.integer(below: i + 1, at: i))
      }
      tables += order
    }
    permutations = tables
  }

  /// Uniform numbers in (0, 1) for `count` actions of one member.
  ///
  /// - Parameters:
  ///   - sequence: number of the rollout, 0 in an assimilation.
  ///   - purpose: keeps training and assimilation apart.
  package func fill(
    _ uniforms: UnsafeMutableBufferPointer<Double>, purpose: Purpose, member: Int, cycle: Int, sequence: Int
  ) {
    let count = uniforms.count
    let stream = Stream(seed: seed, purpose: purpose, member: member, cycle: cycle)
    var span = uniforms.mutableSpan
    stream.uniforms(into: &span, at: sequence * ((count + 1) / 2))
    guard kind == .stratified else { return }
    // The purpose's number goes into the member's word: strata belong to no member.
    let strata = Stream(seed: seed, purpose: .policyStratum, member: Int(purpose.rawValue), cycle: cycle)
    let offset = sequence * ((count + 1) / 2)
    let parts = UInt64(members)
    let share = Double(members)
    permutations.withUnsafeBufferPointer { permutations in
      for block in stride(from: 0, to: count, by: 8) {
        let words = strata.fourWords(at: offset + block / 2)
        for k in block..<min(block + 8, count) {
          let lane = (k - block) / 2
          let (choice, turn) = k % 2 == 0 ? (words.0[lane], words.1[lane]) : (words.2[lane], words.3[lane])
          let table = Int(choice >> 16) % Self.tables
          var part = Int(permutations[table * members + member]) + Int((turn &* parts) >> 32)
          if part >= members { part -= members }
          // The sum may round up to the next part's start, and to 1 in the last part.
          uniforms[k] = min((Double(part) + uniforms[k]) / share, 1.0.nextDown)
        }
      }
    }
  }
}
