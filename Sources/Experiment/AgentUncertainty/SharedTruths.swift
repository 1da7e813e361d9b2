import DaunceState
import DaunceMPI

/// Simulated truths one after the other, which ranks simulate side by side.
final class SharedTruths {
  let seeds: [UInt64]
  private let cycles: Int
  private let context: ExperimentContext
  private let communicator: Communicator
  /// Truths of one round, one a rank; this rank's.
  private var round = -1
  private var own: Trajectory?

  /// - Parameter context: of this rank alone.
  init(_ context: ExperimentContext, seeds: [UInt64], cycles: Int, communicator: Communicator) {
    (self.context, self.seeds, self.cycles, self.communicator) = (context, seeds, cycles, communicator)
  }

  /// A truth, on every rank. Collective.
  func truth(_ k: Int) throws -> Trajectory {
    let size = communicator.size
    if k / size != round {
      round = k / size
      let mine = round * size + communicator.rank
      own = try communicator.collectively {
        mine < seeds.count ? try context.simulateTruths([seeds[mine]], cycles: cycles)[0] : nil
      }
    }
    let isMine = k % size == communicator.rank
    var states = isMine ? own?.states ?? [] : [Double](repeating: 0, count: (cycles + 1) * context.layout.count)
    try communicator.broadcast(&states, root: k % size)
    if isMine, let own { return own }
    return Trajectory(seed: seeds[k], states: states, observations: context.observe(states, from: 0, seed: seeds[k]))
  }
}
