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
package final class StratifiedSampler {
  let members: Int
  let seed: UInt64
  private let kind: AgentSettings.Draws
  /// Cells keep their order where 16 random bits are below this number.
  private let keptBelow: UInt32
  /// Random permutations of the members, `[table][member]`; a cell takes one of them, rotated.
  private let permutations: [Int32]
  private static let tables = 512
  /// Those drawn last: all members of an ensemble share them.
  private let strata = Strata()

  /// What strata are drawn for.
  private struct Draw: Equatable {
    let purpose: Purpose
    let cycle, sequence: Int
  }

  /// Of every action (`[action]`, up to whole vectors of eight): first entry of its permutation, its rotation, and 1
  /// where parts follow the order of the forecasts.
  private final class Strata {
    private(set) var draw: Draw?
    private(set) var count = 0
    private(set) var orders = Workspace<Int32>(repeating: 0, count: 0)
    private(set) var rotations = Workspace<Int32>(repeating: 0, count: 0)
    private(set) var isKept = Workspace<Double>(repeating: 0, count: 0)

    /// Makes room; allocates only for more actions than ever before.
    func prepare(_ count: Int, _ draw: Draw) {
      (self.count, self.draw) = (count, draw)
      let padded = (count + 7) / 8 * 8
      guard padded > orders.count else { return }
      (orders, rotations) = (Workspace(repeating: 0, count: padded), Workspace(repeating: 0, count: padded))
      isKept = Workspace(repeating: 0, count: padded)
    }
  }

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
    guard kind == .stratified, let target = uniforms.baseAddress else { return }
    shuffle(count, Draw(purpose: purpose, cycle: cycle, sequence: sequence))
    let share = SIMD8<Double>(repeating: Double(members))
    let last = SIMD8<Double>(repeating: 1.0.nextDown)
    for block in stride(from: 0, to: count, by: 8) {
      let part = part(of: member, block: block, count: count, among: forecasts)
      let own = UnsafeMutableRawPointer(target + block)
      guard block + 8 <= count else {
        for k in block..<count { target[k] = min((part[k - block] + target[k]) / share[0], last[0]) }
        continue
      }
      // The sum may round up to the next part's start, and to 1 in the last part.
      let drawn = (part + own.loadUnaligned(as: SIMD8<Double>.self)) / share
      own.storeBytes(of: drawn.replacing(with: last, where: drawn .> last), as: SIMD8<Double>.self)
    }
  }

  /// Makes up the strata of all actions, which belong to no member, unless they are those of the last call.
  private func shuffle(_ count: Int, _ draw: Draw) {
    guard strata.draw != draw || strata.count != count else { return }
    strata.prepare(count, draw)
    // The purpose's number goes into the member's word.
    let stream = RandomStream(
      seed: seed, purpose: .policyStratum, member: Int(draw.purpose.rawValue), cycle: draw.cycle)
    let offset = draw.sequence * ((count + 1) / 2)
    let parts = UInt64(members)
    for block in stride(from: 0, to: count, by: 8) {
      let words = stream.fourWords(at: offset + block / 2)
      for lane in 0..<4 {
        put(words.0[lane], words.1[lane], parts, at: block + 2 * lane)
        put(words.2[lane], words.3[lane], parts, at: block + 2 * lane + 1)
      }
    }
  }

  /// One action's permutation and rotation, and whether its strata follow the forecasts' order.
  @inline(__always)
  private func put(_ choice: UInt64, _ turn: UInt64, _ parts: UInt64, at k: Int) {
    strata.orders.start[k] = Int32(truncatingIfNeeded: Int(choice >> 16) % Self.tables * members)
    strata.rotations.start[k] = Int32(truncatingIfNeeded: Int((turn &* parts) >> 32))
    strata.isKept.start[k] = choice & 0xFFFF < UInt64(keptBelow) ? 1 : 0
  }

  /// Which parts of the unit interval eight actions of a member fall into.
  @inline(__always)
  private func part(of member: Int, block: Int, count: Int, among forecasts: Forecasts?) -> SIMD8<Double> {
    var places = SIMD8<Int32>.zero
    permutations.withUnsafeBufferPointer { permutations in
      guard let own = permutations.baseAddress.map({ $0 + member }) else { return }
      for lane in 0..<8 { places[lane] = own[Int(strata.orders.start[block + lane])] }
    }
    let sum = places &+ UnsafeRawPointer(strata.rotations.start + block).loadUnaligned(as: SIMD8<Int32>.self)
    let all = SIMD8<Int32>(repeating: Int32(members))
    let shuffled = SIMD8<Double>(sum.replacing(with: sum &- all, where: sum .>= all))
    guard let forecasts else { return shuffled }
    let isKept = UnsafeRawPointer(strata.isKept.start + block).loadUnaligned(as: SIMD8<Double>.self) .> 0
    let ranks = rank(of: member, among: forecasts, block: block)
    var part = shuffled.replacing(with: ranks.below, where: isKept)
    let isTied = isKept .& (ranks.equal .> 1)
    guard any(isTied) else { return part }
    for lane in 0..<min(8, count - block) where isTied[lane] {
      part[lane] += Double(place(of: member, among: forecasts, action: block + lane))
    }
    return part
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
  private func place(of member: Int, among forecasts: Forecasts, action: Int) -> Int {
    let first = forecasts.first + action
    let own = (forecast: first[member * forecasts.stride], place: shuffledPlace(of: member, action: action))
    var before = 0
    for m in 0..<members where first[m * forecasts.stride] == own.forecast {
      if shuffledPlace(of: m, action: action) < own.place { before += 1 }
    }
    return before
  }

  private func shuffledPlace(of member: Int, action: Int) -> Int {
    let sum = Int(permutations[Int(strata.orders.start[action]) + member]) + Int(strata.rotations.start[action])
    return sum < members ? sum : sum - members
  }
}
