import DaunceMPI
package import DaunceNumerics
import DaunceState

/// Nature runs that are no truths: what is known of the model's states at the age of the truths before anything is
/// observed. Kept for the job, for every method starts from the same members.
package final class Climatology {
  /// A member's nature run.
  private struct Run: Hashable {
    let seed: UInt64
    let member: Int
  }

  /// Elements of the states that are kept; more are simulated again.
  private static let capacity = 16 << 20

  private var states: [Run: [Double]] = [:]
  private var elements = 0
  /// What perturbations are made of; `nil` until it is asked for.
  fileprivate var perturbations: (any ClimatologicalPerturbations)?

  /// The state of member `member` at the start of the truth with seed `seed`, simulated by `simulate` where it is not
  /// known.
  func state(seed: UInt64, member: Int, simulate: () throws -> [Double]) rethrows -> [Double] {
    let run = Run(seed: seed, member: member)
    if let state = states[run] { return state }
    let state = try simulate()
    if elements + state.count <= Self.capacity {
      states[run] = state
      elements += state.count
    }
    return state
  }
}

/// Random perturbations with the second moments of the climate.
package protocol ClimatologicalPerturbations {
  /// Adds `factor` times a state of the climate to `state` (`[count]`), less the climate's mean.
  func perturb(_ state: inout [Double], by factor: Double, _ stream: RandomStream)
  /// States whose sums with independent standard normal weights are such perturbations (`[direction][count]`).
  func directions(factor: Double) -> [[Double]]
}

/// Random sums of the deviations of some nature runs from their mean, on any grid: the covariance is that of the runs.
package struct ClimatologicalAnomalies: ClimatologicalPerturbations {
  /// `[run][element]`
  private var anomalies: [Double]
  private let runs: Int

  /// - Parameter states: of the runs, one after the other (`[run][element]`), at least two.
  package init(_ states: [Double], count: Int) {
    runs = states.count / count
    anomalies = states
    for i in 0..<count {
      let mean = (0..<runs).reduce(0) { $0 + (states[$1 * count + i] - states[i]) } / Double(runs) + states[i]
      for r in 0..<runs { anomalies[r * count + i] -= mean }
    }
  }

  package func perturb(_ state: inout [Double], by factor: Double, _ stream: RandomStream) {
    for r in 0..<runs {
      let weight = factor / Double(runs - 1).squareRoot() * stream.normal(at: r)
      for i in state.indices { state[i] += weight * anomalies[r * state.count + i] }
    }
  }

  package func directions(factor: Double) -> [[Double]] {
    let count = anomalies.count / runs
    let share = factor / Double(runs - 1).squareRoot()
    return (0..<runs).map { r in anomalies[r * count..<(r + 1) * count].map { share * $0 } }
  }
}

extension ExperimentContext {
  /// Seed of the nature runs that perturbations are made of; no truth's.
  private var climatologySeed: UInt64 { configuration.seed &* 100_000 &+ 70_000 }

  /// What `initial.climatology_runs` nature runs as old as the truths, simulated once a job, tell of the climate: waves
  /// on a ring of moderate size, which looks the same from every cell in the mean, or the runs themselves. Collective.
  func climatologicalPerturbations() throws -> any ClimatologicalPerturbations {
    if let known = climatology.perturbations { return known }
    let runs = configuration.initial.climatologyRuns
    var states: [Double] = []
    let known = try communicator.collectively {
      let own = (0..<runs).filter { $0 % communicator.size == communicator.rank }
      return Dictionary(uniqueKeysWithValues: try own.map { ($0, try spunUp(seed: climatologySeed, member: $0)) })
    }
    for r in 0..<runs {
      var state = known[r] ?? [Double](repeating: 0, count: layout.count)
      try communicator.broadcast(&state, root: r % communicator.size)
      states += state
    }
    let made: any ClimatologicalPerturbations =
      layout.isRing && layout.cells <= ClimatologicalWaves.mostCells
      ? ClimatologicalWaves(states, layout: layout) : ClimatologicalAnomalies(states, count: layout.count)
    climatology.perturbations = made
    return made
  }
}
