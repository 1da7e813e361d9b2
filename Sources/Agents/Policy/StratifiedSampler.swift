package import DaunceNumerics

/// The uniform numbers that turn policies into actions: a member's place in the law of every cell.
///
/// Stratified draws give member i the part `[k, k + 1) / N` of the unit interval, with k the i-th entry of a random
/// permutation for each cell: every number is uniform by itself, while the N together fill the interval evenly (Latin
/// hypercube sampling, McKay, Beckman & Conover 1979). Any rank can work out any member's part, so this costs no
/// message.
///
/// In a share of the cells, `rankPersistence`, the parts are not permuted but follow the order of the members' forecasts:
/// who was highest is highest again. What an analysis gets wrong it gets wrong for several cycles, and what integrates
/// it (K and R integrate a) has an honest spread only if the members' deviations live as long, and act back on them.
package struct StratifiedSampler {
  let members: Int
  let seed: UInt64
  private let kind: AgentSettings.Draws
  /// Cells keep their order where 16 random bits are below this number.
  private let keptBelow: UInt32
  /// Random permutations of the members, `[table][member]`; a cell takes one of them, rotated.
  private let permutations: [Int32]
  private static let tables = 512

  /// Base forecasts of all members that their draws may follow.
  package struct Forecasts {
    /// The first member's value of every action (`[action]`). Values up to the next multiple of eight actions are read
    /// and not used.
    let first: UnsafePointer<Double>
    /// Distance from one member to the next.
    let stride: Int

    package init(first: UnsafePointer<Double>, stride: Int) {
      self.first = first
      self.stride = stride
    }
  }

  /// - Parameter rankPersistence: share of cells and cycles in which the order of the members' forecasts is kept.
  package init(members: Int, seed: UInt64, kind: AgentSettings.Draws, rankPersistence: Double = 0) {
    self.members = members
    self.seed = seed
    self.kind = kind
    keptBelow = UInt32(min(max(rankPersistence, 0), 1) * 65_536)
    guard kind == .stratified else {
      permutations = []
      return
    }
    var tables = [Int32]()
    tables.reserveCapacity(Self.tables * members)
    for table in 0..<Self.tables {
      let stream = RandomStream(seed: seed, purpose: .policyStratum, member: table, cycle: 0xFFFF_FFFF)
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
  ///   - forecasts: whose order is kept in a share of the actions; `nil`: in none.
  package func fill(
    _ uniforms: UnsafeMutableBufferPointer<Double>, purpose: Purpose, member: Int, cycle: Int, sequence: Int,
    forecasts: Forecasts? = nil
  ) {
    let count = uniforms.count
    let stream = RandomStream(seed: seed, purpose: purpose, member: member, cycle: cycle)
    var span = uniforms.mutableSpan
    stream.uniforms(into: &span, at: sequence * ((count + 1) / 2))
    guard kind == .stratified else { return }
    // The purpose's number goes into the member's word: strata belong to no member.
    let strata = RandomStream(seed: seed, purpose: .policyStratum, member: Int(purpose.rawValue), cycle: cycle)
    let offset = sequence * ((count + 1) / 2)
    let parts = UInt64(members)
    let share = Double(members)
    permutations.withUnsafeBufferPointer { permutations in
      guard let tables = permutations.baseAddress else { return }
      for block in stride(from: 0, to: count, by: 8) {
        let words = strata.fourWords(at: offset + block / 2)
        let ranks = forecasts.map { rank(of: member, among: $0, block: block) }
        for k in block..<min(block + 8, count) {
          let lane = (k - block) / 2
          let (choice, turn) = k % 2 == 0 ? (words.0[lane], words.1[lane]) : (words.2[lane], words.3[lane])
          let order = tables + Int(choice >> 16) % Self.tables * members
          let rotation = Int((turn &* parts) >> 32)
          var part: Int
          if let forecasts, let ranks, choice & 0xFFFF < keptBelow {
            part = Int(ranks.below[k - block])
            if ranks.equal[k - block] > 1 {
              part += place(of: member, among: forecasts, action: k, order: order, rotation: rotation)
            }
          } else {
            part = rotated(order[member], by: rotation)
          }
          // The sum may round up to the next part's start, and to 1 in the last part.
          uniforms[k] = min((Double(part) + uniforms[k]) / share, 1.0.nextDown)
        }
      }
    }
  }

  /// How many members' forecasts of eight actions are below this member's, and how many are equal, its own included.
  private func rank(
    of member: Int, among forecasts: Forecasts, block: Int
  ) -> (below: SIMD8<Double>, equal: SIMD8<Double>) {
    func values(_ m: Int) -> SIMD8<Double> {
      UnsafeRawPointer(forecasts.first + m * forecasts.stride + block).loadUnaligned(as: SIMD8<Double>.self)
    }
    let own = values(member)
    let one = SIMD8<Double>(repeating: 1)
    var (below, equal) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    for m in 0..<members {
      let other = values(m)
      below += SIMD8<Double>.zero.replacing(with: one, where: other .< own)
      equal += SIMD8<Double>.zero.replacing(with: one, where: other .== own)
    }
    return (below, equal)
  }

  /// A member's place among those with the same forecast, in a random order.
  private func place(
    of member: Int, among forecasts: Forecasts, action: Int, order: UnsafePointer<Int32>, rotation: Int
  ) -> Int {
    let first = forecasts.first + action
    let own = (forecast: first[member * forecasts.stride], place: rotated(order[member], by: rotation))
    var before = 0
    for m in 0..<members where first[m * forecasts.stride] == own.forecast {
      if rotated(order[m], by: rotation) < own.place { before += 1 }
    }
    return before
  }

  private func rotated(_ place: Int32, by rotation: Int) -> Int {
    let sum = Int(place) + rotation
    return sum < members ? sum : sum - members
  }
}
