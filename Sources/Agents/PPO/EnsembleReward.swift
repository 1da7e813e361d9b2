import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceState

/// Rewards members of an ensemble together, in all fields of the state, set by agents or not: a member's reward is its
/// part of the ensemble's continuous ranked probability score,
///
///     r_m = - sum_v [ |x_m - x*| - (1 / N) sum_j |x_m - x_j| ] / scale_v,
///
/// in every cell. How r_m changes with x_m is how minus N times the score of the ensemble,
/// (1 / N) sum |x_m - x*| - (1 / (2 N^2)) sum |x_i - x_j|, does: what is good for a member is good for all. (The fair
/// score, with N - 1 in the place of one N, is for independent members. Stratified draws keep others out of a member's own
/// part of the law, and members that were paid for distance by that score drew apart.)
///
/// What an action does travels from its cell: rewards are averaged over a window around it.
final class EnsembleReward {
  private let runner: PolicyRunner
  private let window: Neighbourhood
  /// New states of all members (`[member][sequence][layout.count]`).
  private var states: [Double]
  private let counts: [Int]
  /// Of one field and of all, `[cell]`.
  private let distance: Workspace<Double>
  private let own: Workspace<Float>

  /// - Parameter window: cells along each dimension over which rewards are averaged, odd.
  init(_ runner: PolicyRunner, window: Int) {
    self.runner = runner
    let (layout, grid, distribution) = (runner.layout, runner.grid, runner.distribution)
    self.window = Neighbourhood(layout.grids[grid.number], geometry: layout.geometry, width: window)
    let width = runner.sequences * layout.count
    states = [Double](repeating: 0, count: distribution.members * width)
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * width }
    distance = Workspace(repeating: 0, count: grid.cells)
    own = Workspace(repeating: 0, count: grid.cells)
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
      rollout.withTarget(sequence: s) { target in
        for m in distribution.local {
          reward(m, target: target, sequence: s)
          average(into: rewards + ((m - first) * sequences + s) * lanes)
        }
      }
    }
  }

  /// Puts the rewards of one member's cells into `own`.
  private func reward(_ m: Int, target: UnsafePointer<Double>, sequence s: Int) {
    let (n, count, members) = (runner.cells, runner.layout.count, runner.distribution.members)
    let grid = runner.grid
    for c in 0..<n { own.start[c] = 0 }
    states.withUnsafeBufferPointer { states in
      guard let start = states.baseAddress else { return }
      let stride = runner.sequences * count
      for (v, field) in runner.layout.fields.enumerated() {
        let x = grid.values(v, of: start + m * stride + s * count)
        let exact = grid.values(v, of: target, slot: 1)
        let share = 1 / Double(members)
        for c in 0..<n { distance.start[c] = abs(x[c] - exact[c]) }
        for j in 0..<members where j != m {
          let other = grid.values(v, of: start + j * stride + s * count, slot: 2)
          for c in 0..<n { distance.start[c] -= share * abs(x[c] - other[c]) }
        }
        // Limited, so that a sequence that has gone astray does not drown the others.
        for c in 0..<n { own.start[c] -= Float(min(max(distance.start[c] / field.scale, -10), 10)) }
      }
    }
  }

  private func average(into rewards: UnsafeMutablePointer<Float>) {
    let n = runner.cells
    guard window.size > 1 else { return rewards.update(from: own.start, count: n) }
    rewards.update(repeating: 0, count: n)
    let share = 1 / Float(window.size)
    for place in 0..<window.size {
      for run in window.runs(of: place) where run.source >= 0 {
        for i in 0..<run.count { rewards[run.target + i] += share * own.start[run.source + i] }
      }
    }
  }
}
