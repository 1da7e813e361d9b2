import Ensemble
import MPI
import StateSpace

/// Runs methods over one truth and measures the parts of their cycles.
final class CycleTimer {
  private let setup: Setup
  private let truth: Twin
  private let output: OutputFolder
  private let clock = PhaseClock()
  /// Times of all ranks, `[rank][phase]`, and the numbers that each rank sends.
  private var all: [Double]
  private let counts: [Int]

  init(_ setup: Setup, truth: Twin, output: OutputFolder) {
    self.setup = setup
    self.truth = truth
    self.output = output
    let phases = PhaseClock.Phase.allCases.count
    counts = [Int](repeating: phases, count: setup.communicator.size)
    all = [Double](repeating: 0, count: setup.communicator.size * phases)
  }

  /// Wall seconds of every part of the cycles after the first `skipping`, `limit` of them at most, on the rank that was
  /// slowest in forecast and analysis: `[cycle][phase]`. Collective.
  ///
  /// The analyses go the way that `run` sends them, to a file that is begun in memory and never completed: what a disk
  /// does at the end of a run is no part of a cycle.
  ///
  /// - Returns: `nil` if the method fails within these cycles.
  func time(_ method: AssimilationMethod, skipping: Int, limit: Int = .max) throws -> [[Double]]? {
    let cycles = min(truth.cycles - skipping, limit)
    var ensemble = setup.makeInitialEnsemble(around: truth)
    ensemble.clock = clock
    let summary = AnalysisSummary(setup)
    let recorder = try setup.communicator.collectively {
      setup.communicator.isRoot
        ? try AnalysisRecorder(
          setup, path: output.path("benchmark-\(method.name).nc"), times: setup.times(cycles: skipping + cycles),
          seeds: nil, output: output, title: "analyses by \(method.name)") : nil
    }
    var times: [[Double]] = []
    setup.progress.begin(method.name, total: skipping + cycles)
    defer { setup.progress.end() }
    for cycle in 1...skipping + cycles {
      clock.reset()
      // All ranks start together, or a fast one would wait in its reduction for the cycle before.
      try setup.communicator.barrier()
      try method.cycle(&ensemble, observations: truth.observations[cycle - 1], number: cycle)
      clock.stop()
      if try setup.communicator.anyRank(!setup.isSound(ensemble)) { return nil }
      clock.enter(.output)
      try summary.summarise(ensemble)
      try recorder?.add(summary)
      clock.stop()
      try setup.communicator.allgatherv(clock.seconds, into: &all, counts: counts)
      if cycle > skipping { times.append(slowest()) }
      setup.progress.advance(to: cycle)
    }
    return times
  }

  /// The times of the rank that was slowest in forecast and analysis, with the longest output of any rank.
  private func slowest() -> [Double] {
    let phases = PhaseClock.Phase.allCases.count
    let output = PhaseClock.Phase.output.rawValue
    var (slowest, longest, longestOutput) = (0, -1.0, 0.0)
    for rank in counts.indices {
      let times = all[rank * phases..<(rank + 1) * phases]
      let step = times.reduce(0, +) - all[rank * phases + output]
      if step > longest { (slowest, longest) = (rank, step) }
      longestOutput = max(longestOutput, all[rank * phases + output])
    }
    var times = Array(all[slowest * phases..<(slowest + 1) * phases])
    times[output] = longestOutput
    return times
  }
}
