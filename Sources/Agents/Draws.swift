package import Randomness

/// The uniform numbers that turn policies into actions: a member's place in the law of every cell.
///
/// Stratified draws give member i the part `[k, k + 1) / N` of the unit interval, with k the i-th entry of a random
/// permutation for each cell: every number is uniform by itself, while the N together fill the interval evenly (Latin
/// hypercube sampling, McKay, Beckman & Conover 1979). Any rank can work out any member's part, so this costs no
/// message.
///
/// With a memory of L observation times a cell's numbers, and the permutation behind them, stay for L cycles before they
/// are drawn anew; cells renew at different times. The errors of an analysis last for some cycles, and what integrates
/// them (K and R integrate a) has an honest spread only if the members' deviations last as long. What the numbers are is a
/// function of the cycle alone, whatever was drawn before.
package struct Draws {
  let members: Int
  let seed: UInt64
  /// Observation times that a number stays, L.
  let memory: Int
  private let kind: AgentSettings.Draws
  /// Random permutations of the members, `[table][member]`; a cell takes one of them, rotated.
  private let permutations: [Int32]
  /// When every action renews: at the cycles whose sum with its phase is a multiple of L.
  private let phases: [Int]
  private static let tables = 512

  /// - Parameter count: actions of one member.
  package init(members: Int, seed: UInt64, kind: AgentSettings.Draws, memory: Int = 1, count: Int) {
    self.members = members
    self.seed = seed
    self.kind = kind
    self.memory = memory
    // Cycles never reach these two numbers.
    let phaseStream = Stream(seed: seed, purpose: .policyStratum, cycle: 0xFFFF_FFFE)
    phases = (0..<count).map { phaseStream.integer(below: memory, at: $0) }
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

  /// One member's numbers in one sequence, kept between cycles so that only renewed ones have to be drawn.
  package struct Places {
    /// Uniform numbers in (0, 1), one for each action.
    package let uniforms: Workspace<Double>
    /// The cycles at which they are drawn anew.
    let renewals: Workspace<Int>
    /// What they were drawn for.
    let purpose: Workspace<UInt32>

    package init(count: Int) {
      uniforms = Workspace(repeating: 0.5, count: count)
      renewals = Workspace(repeating: .min, count: count)
      purpose = Workspace(repeating: 0, count: 1)
    }
  }

  /// Brings one member's numbers to `cycle`.
  ///
  /// - Parameters:
  ///   - sequence: number of the rollout, 0 in an assimilation.
  ///   - purpose: keeps training and assimilation apart.
  package func refresh(_ places: Places, purpose: Purpose, member: Int, cycle: Int, sequence: Int) {
    let isOther = places.purpose.start[0] != purpose.rawValue
    places.purpose.start[0] = purpose.rawValue
    for k in phases.indices {
      let renewal = places.renewals.start[k]
      if !isOther, cycle < renewal, cycle >= renewal - memory { continue }
      let last = cycle - (cycle + phases[k]) % memory
      places.renewals.start[k] = last + memory
      let index = sequence * phases.count + k
      places.uniforms.start[k] = uniform(at: index, purpose: purpose, member: member, cycle: max(0, last))
    }
  }

  private func uniform(at index: Int, purpose: Purpose, member: Int, cycle: Int) -> Double {
    let u = Stream(seed: seed, purpose: purpose, member: member, cycle: cycle).uniform(at: index)
    guard kind == .stratified else { return u }
    // The purpose's number goes into the member's word: strata belong to no member.
    let words = Stream(seed: seed, purpose: .policyStratum, member: Int(purpose.rawValue), cycle: cycle).words(at: index)
    let table = Int(words.x) % Self.tables
    let rotation = Int((UInt64(words.y) &* UInt64(members)) >> 32)
    var part = Int(permutations[table * members + member]) + rotation
    if part >= members { part -= members }
    // The sum may round up to the next part's start, and to 1 in the last part.
    return min((Double(part) + u) / Double(members), 1.0.nextDown)
  }
}
