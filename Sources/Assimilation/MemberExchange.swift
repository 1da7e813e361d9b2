internal import DaunceEnsemble
internal import DaunceObservations
internal import DaunceState

/// What an in-memory filter needs around it to update a distributed ensemble: members or moments are brought together,
/// the filter runs on every rank, and the local members are written back. The only place here that communicates.
///
/// Workspaces stay from one cycle to the next.
final class MemberExchange {
  private var gathered: GatheredEnsemble?
  private var covariance: EnsembleCovariance?
  private var statistics: EnsembleStatistics?
  private var distribution: Distribution?
  private var states: [Double] = []
  private var moments = EnsembleMoments(mean: [], variance: [], covariance: [])
  private var columns: [Int] = []
  /// Observations by element, of the network that they were last seen of.
  private var direct = Observations(elements: [], values: [], errorVariances: [])
  private var network: ObservationNetwork?

  private func elementwise(_ observations: ObservationSet) throws(AssimilationError) -> Observations {
    if network !== observations.network {
      guard let found = observations.direct else { throw .indirectObservation }
      (direct, network) = (found, observations.network)
    }
    (direct.values, direct.errorVariances) = (observations.values, observations.errorVariances)
    return direct
  }

  /// Gathers all members, whatever their number, and updates the local ones.
  func gather(
    _ ensemble: inout DistributedEnsemble, with filter: some InMemoryFilter, observations: ObservationSet, cycle: Int
  ) throws {
    try gather(&ensemble, with: filter, observations: try elementwise(observations), cycle: cycle)
  }

  private func gather(
    _ ensemble: inout DistributedEnsemble, with filter: some InMemoryFilter, observations: Observations, cycle: Int
  ) throws {
    prepare(for: ensemble)
    let n = ensemble.layout.count
    let workspace =
      gathered
      ?? GatheredEnsemble(width: n, distribution: ensemble.distribution, communicator: ensemble.communicator)
    gathered = workspace
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try workspace.gather(ensemble.states)
    ensemble.clock?.enter(.update)
    copy(workspace.members)
    try states.withMutableSpan { (span) throws(AssimilationError) in
      try filter.analyse(
        &span, members: ensemble.distribution.members, local: ensemble.distribution.local, observations: observations,
        cycle: cycle)
    }
    let first = ensemble.distribution.local.lowerBound
    for held in ensemble.states.indices { Self.copy(states, from: (first + held) * n, to: &ensemble.states[held]) }
  }

  /// Gathers members or reduces moments, whichever moves fewer bytes, and updates the local members.
  func update(
    _ ensemble: inout DistributedEnsemble, with filter: some MomentFilter, observations: ObservationSet, cycle: Int
  ) throws {
    let members = ensemble.distribution.members
    let observations = try elementwise(observations)
    try observations.validate(elements: ensemble.layout.count, members: members)
    // Without observations there is nothing to bring together.
    guard observations.count > 0 else { return }
    columns.removeAll(keepingCapacity: true)
    for element in observations.elements where columns.last != element { columns.append(element) }
    let plan =
      filter.plan
      ?? ReductionPlan.choose(members: members, stateElements: ensemble.layout.count, observations: columns.count)
    if plan == .gather || filter.needsWholeEnsemble {
      try gather(&ensemble, with: filter, observations: observations, cycle: cycle)
    } else {
      try reduce(&ensemble, with: filter, observations: observations, cycle: cycle)
    }
  }

  private func reduce(
    _ ensemble: inout DistributedEnsemble, with filter: some MomentFilter, observations: Observations, cycle: Int
  ) throws {
    prepare(for: ensemble)
    let n = ensemble.layout.count
    let workspace = covariance ?? EnsembleCovariance(of: ensemble, columns: columns)
    covariance = workspace
    workspace.select(columns: columns)
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try workspace.reduce(ensemble.states)
    ensemble.clock?.enter(.update)
    if moments.mean.count != n || moments.covariance.count != observations.count * n {
      moments = EnsembleMoments(
        mean: [Double](repeating: 0, count: n), variance: [Double](repeating: 0, count: n),
        covariance: [Double](repeating: 0, count: observations.count * n))
    }
    var column = -1
    for k in 0..<observations.count {
      if k == 0 || observations.elements[k] != observations.elements[k - 1] { column += 1 }
      moments.covariance.withUnsafeMutableBufferPointer { target in
        workspace.covariance.withUnsafeBufferPointer { source in
          if let to = target.baseAddress, let from = source.baseAddress {
            (to + k * n).update(from: from + column * n, count: n)
          }
        }
      }
    }
    for i in 0..<n { moments.mean[i] = workspace.mean[i] }
    if filter.needsVariances {
      let spreads = statistics ?? EnsembleStatistics(of: ensemble)
      statistics = spreads
      try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
      try spreads.reduce(ensemble.states)
      ensemble.clock?.enter(.update)
      for i in 0..<n { moments.variance[i] = spreads.variance[i] }
    }
    if states.count != ensemble.states.count * n {
      states = [Double](repeating: 0, count: ensemble.states.count * n)
    }
    for held in ensemble.states.indices {
      states.withUnsafeMutableBufferPointer { states in
        for i in 0..<n { states[held &* n &+ i] = ensemble.states[held][i] }
      }
    }
    try states.withMutableSpan { (span) throws(AssimilationError) in
      try filter.analyse(
        &span, first: ensemble.distribution.local.lowerBound, members: ensemble.distribution.members,
        moments: &moments, observations: observations, cycle: cycle)
    }
    for held in ensemble.states.indices { Self.copy(states, from: held * n, to: &ensemble.states[held]) }
  }

  private func prepare(for ensemble: DistributedEnsemble) {
    if distribution != ensemble.distribution {
      (gathered, covariance, statistics) = (nil, nil, nil)
      distribution = ensemble.distribution
    }
  }

  private func copy(_ members: [Double]) {
    if states.count != members.count { states = [Double](repeating: 0, count: members.count) }
    Self.copy(members, from: 0, to: &states)
  }

  /// Fills `target` with the elements of `source` from `start` on, in place.
  private static func copy(_ source: [Double], from start: Int, to target: inout [Double]) {
    precondition(start >= 0 && start + target.count <= source.count)
    target.withUnsafeMutableBufferPointer { target in
      source.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        to.update(from: from + start, count: target.count)
      }
    }
  }
}
