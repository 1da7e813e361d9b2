import DaunceAssimilation
import DaunceEnsemble
import DaunceExperiment
import Foundation
import DaunceMPI
import DaunceObservations
import DaunceState

/// How long an EAKF's analysis takes both ways: with all members gathered, and with their moments reduced.
struct ReductionTimer {
  /// One ensemble size.
  struct Point {
    let members: Int
    let gatherBytes: Int
    let covarianceBytes: Int
    /// Wall seconds of one analysis on the slowest rank, the fastest of several.
    let gather: Double
    let covariance: Double
    let plan: ReductionPlan

    var json: JSON {
      .object([
        "members": .integer(members), "gather_bytes": .integer(gatherBytes),
        "covariance_bytes": .integer(covarianceBytes), "gather_seconds": .number(gather),
        "covariance_seconds": .number(covariance), "plan": .text(plan.rawValue),
      ])
    }

    var row: [String] {
      let times = [gather, covariance].map { String(format: "%.1e", $0) }
      return ["\(members)", "\(gatherBytes)", "\(covarianceBytes)"] + times
        + [plan.rawValue, gather <= covariance ? "gather" : "covariance"]
    }
  }

  static let header = [
    "members", "bytes gathered", "bytes of moments", "gather s", "covariance s", "chosen", "faster here",
  ]

  /// Times analyses of the truth's first observations by ensembles of several sizes on these ranks. Collective.
  static func measure(_ context: ExperimentContext, truth: Trajectory, sizes: [Int]) throws -> [Point] {
    try sizes.filter { $0 >= context.communicator.size }.map { members in
      var configuration = context.configuration
      configuration.members = members
      let sized = try ExperimentContext(
        configuration: configuration, communicator: context.communicator, progress: context.progress)
      sized.climatology = context.climatology
      let start = try sized.makeInitialEnsemble(around: truth.initial(context.layout), seed: truth.seed)
      let observations = truth.observations[0]
      let (n, p) = (context.layout.count, observations.count)
      return Point(
        members: members, gatherBytes: ReductionPlan.gatherBytes(members: members, stateElements: n),
        covarianceBytes: ReductionPlan.covarianceBytes(stateElements: n, observations: p),
        gather: try time(sized, start, observations, .gather),
        covariance: try time(sized, start, observations, .covariance),
        plan: ReductionPlan.choose(members: members, stateElements: n, observations: p))
    }
  }

  private static func time(
    _ context: ExperimentContext, _ start: DistributedEnsemble, _ observations: ObservationSet, _ plan: ReductionPlan
  ) throws -> Double {
    let filter = context.configuration.filter
    let eakf = try EAKF(
      layout: context.layout, localization: context.localization,
      inflation: try Inflation(factor: filter.inflation, relaxation: filter.rtps))
    eakf.plan = plan
    var least = Double.infinity
    for _ in 0..<12 {
      var ensemble = start
      for m in ensemble.states.indices { ensemble.states[m][0] += 0 }
      try context.communicator.barrier(isCounted: false)
      let before = Usage.now.wall
      try eakf.update(&ensemble, observations: observations, cycle: 1)
      least = min(least, try context.communicator.allreduce(Usage.now.wall - before, .max))
    }
    return least
  }
}
