import DaunceMPI
import DaunceObservations
import DaunceState

/// A truth of any length and its observations, of which a window is in memory at a time: windows follow each other by
/// going on with the simulation, and beginning again simulates the first one again.
final class TrajectoryStream {
  /// Times after the first in a window; shorter truths are in memory as a whole.
  static let windowCycles = 4096

  let seed: UInt64
  let cycles: Int
  private let context: ExperimentContext
  /// Rank that simulates.
  private let owner: Int
  /// Time number of the window's first state.
  private var start = 0
  private var window: Trajectory
  private let first: Trajectory

  /// - Parameters:
  ///   - first: the first window.
  ///   - cycles: of the whole series.
  fileprivate init(_ context: ExperimentContext, first: Trajectory, cycles: Int, owner: Int) {
    self.context = context
    self.first = first
    window = first
    seed = first.seed
    self.cycles = cycles
    self.owner = owner
  }

  /// Whether all of it is in memory.
  var isWhole: Bool { first.cycles == cycles }

  /// Whether the time that a cycle takes is measured: that of all cycles of a short truth, of every eighth of others.
  func isTimed(_ cycle: Int) -> Bool { cycles <= 128 || cycle % 8 == 0 }

  /// The state at time 0.
  var initial: [Double] { first.initial(context.layout) }

  /// Makes sure that the time of `cycle` and its observations are in memory. Collective where a window ends; cycles are
  /// asked for in order, or from the beginning.
  func reach(_ cycle: Int) throws {
    if cycle <= start { (start, window) = (0, first) }
    while cycle > start + window.cycles {
      let count = context.layout.count
      let next = start + window.cycles
      let length = min(Self.windowCycles, cycles - next)
      var (states, memory) = try context.communicator.collectively {
        context.communicator.rank == owner
          ? try context.carry(
            (Array(window.states.suffix(count)), window.memory), seed: seed, cycles: next..<next + length)
          : ([Double](repeating: 0, count: (length + 1) * count), [])
      }
      try context.communicator.broadcast(&states, root: owner)
      window = Trajectory(
        seed: seed, states: states, observations: context.observe(states, from: next, seed: seed), memory: memory)
      start = next
    }
  }

  /// Observations of a cycle that was reached.
  func observations(of cycle: Int) -> ObservationSet { window.observations[cycle - start - 1] }

  /// State at the time of a cycle that was reached (`[variable][cell]`).
  func state(of cycle: Int) -> [Double] {
    let count = context.layout.count
    return Array(window.states[(cycle - start) * count..<(cycle - start + 1) * count])
  }

  /// The initial time and every `step`-th after it, with their observations. Collective.
  func thinned(by step: Int) throws -> Trajectory {
    if isWhole, step == 1 { return first }
    var thin = Trajectory(seed: seed, states: initial, observations: [])
    for cycle in stride(from: step, through: cycles, by: step) {
      try reach(cycle)
      thin.states += state(of: cycle)
      thin.observations.append(observations(of: cycle))
    }
    return thin
  }
}

extension ExperimentContext {
  /// The truths with the given seeds, with their first windows. Collective.
  func simulateSeries(_ seeds: [UInt64], cycles: Int) throws -> [TrajectoryStream] {
    let first = try simulateTruths(seeds, cycles: min(cycles, TrajectoryStream.windowCycles))
    return first.enumerated().map { k, twin in
      TrajectoryStream(self, first: twin, cycles: cycles, owner: k % communicator.size)
    }
  }

  /// Times of the cycles that are written: every `output.every`-th.
  func recordedTimes(cycles: Int) -> [Double] {
    let step = configuration.output.every
    return times(cycles: cycles / step, of: step)
  }

  /// Whether a cycle is written.
  func isRecorded(_ cycle: Int) -> Bool { cycle % configuration.output.every == 0 }
}
