import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceState

/// Rewards members for what they are worth to their ensemble (see ``MemberWorth``) in all fields of the state, set by agents
/// or not, each over its scale. What an action does travels from its cell: rewards are averaged over a window around
/// it.
final class EnsembleReward {
  private let runner: PolicyRunner
  private let window: Neighbourhood
  /// New states of all members (`[member][sequence][layout.count]`).
  private var states: [Double]
  private let counts: [Int]
  private let worth: MemberWorth
  /// Rewards before they are averaged (`[local member][cell]`).
  private let own: Workspace<Float>
  /// Minus each local member's part of the score, summed over cells, over the fields' scales (`[local member][sequence]`).
  let levels: Workspace<Double>

  /// - Parameter window: cells along each dimension over which rewards are averaged, odd.
  init(_ runner: PolicyRunner, window: Int) {
    self.runner = runner
    let (layout, grid, distribution) = (runner.layout, runner.grid, runner.distribution)
    self.window = Neighbourhood(layout.grids[grid.number], geometry: layout.geometry, width: window)
    let width = runner.sequences * layout.count
    states = [Double](repeating: 0, count: distribution.members * width)
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * width }
    worth = MemberWorth(members: distribution.members, cells: grid.cells)
    own = Workspace(repeating: 0, count: distribution.local.count * grid.cells)
    levels = Workspace(repeating: 0, count: distribution.local.count * runner.sequences)
  }

  /// Works out the rewards of a step that all members have taken. Collective.
  ///
  /// - Parameter rewards: of the local members, `[local member][sequence][lanes]`; padding is left alone.
  func assess(_ rollout: Rollout, into rewards: UnsafeMutablePointer<Float>, lanes: Int) throws {
    let (distribution, sequences, count) = (runner.distribution, runner.sequences, runner.layout.count)
    let first = distribution.local.lowerBound
    states.withUnsafeMutableBufferPointer { states in
      guard let start = states.baseAddress else { return }
      for m in distribution.local {
        (start + m * sequences * count).update(from: rollout.state(of: m - first), count: sequences * count)
      }
    }
    try runner.communicator.allgatherv(inPlace: &states, counts: counts)
    for s in 0..<sequences {
      rollout.withTarget(sequence: s) { judge(sequence: s, target: $0) }
      for m in 0..<distribution.local.count {
        average(own.start + m * runner.cells, into: rewards + (m * sequences + s) * lanes)
      }
    }
  }

  /// Puts the rewards of all local members into `own`, and their levels where they belong.
  private func judge(sequence s: Int, target: UnsafePointer<Double>) {
    let (layout, local, grid) = (runner.layout, runner.distribution.local, runner.grid)
    let stride = runner.sequences * layout.count
    own.start.update(repeating: 0, count: own.count)
    for i in local.indices { levels.start[(i - local.lowerBound) * runner.sequences + s] = 0 }
    states.withUnsafeBufferPointer { states in
      guard let start = states.baseAddress.map({ $0 + s * layout.count }) else { return }
      for (v, field) in layout.fields.enumerated() {
        worth.measure({ m, slot in grid.values(v, of: start + m * stride, slot: slot) }, truth: grid.values(v, of: target, slot: 2))
        for (i, m) in local.enumerated() {
          worth.addWorth(of: m, unit: 1 / field.scale, to: own.start + i * runner.cells)
          levels.start[i * runner.sequences + s] -= worth.part(of: m) / field.scale
        }
      }
    }
  }

  private func average(_ own: UnsafePointer<Float>, into rewards: UnsafeMutablePointer<Float>) {
    let n = runner.cells
    guard window.size > 1 else { return rewards.update(from: own, count: n) }
    rewards.update(repeating: 0, count: n)
    let share = 1 / Float(window.size)
    for place in 0..<window.size {
      for run in window.runs(of: place) where run.source >= 0 {
        for i in 0..<run.count { rewards[run.target + i] += share * own[run.source + i] }
      }
    }
  }
}
