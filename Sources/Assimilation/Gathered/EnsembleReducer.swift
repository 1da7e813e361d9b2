internal import DaunceEnsemble
internal import DaunceNumerics
internal import DaunceObservations
internal import DaunceState

/// What an in-memory filter needs around it to update a distributed ensemble: members or moments are brought together,
/// the filter runs on every rank, and the local members are written back. The only place here that communicates.
///
/// Workspaces stay from one cycle to the next.
final class EnsembleReducer {
  private var gathered: GatheredEnsemble?
  private var reductions = NetworkCache<Reduction>()
  /// That of all networks that carry nothing.
  private var plain: Reduction?
  private var statistics: EnsembleStatistics?
  private var distribution: Distribution?
  private var states: [Double] = []

  /// What the moments of an extended ensemble are reduced in.
  private final class Reduction {
    let covariance: EnsembleCovariance
    var moments = EnsembleMoments(mean: [], variance: [], covariance: [])
    /// Rows of the members held here (`[member][element]`).
    var rows: [[Double]] = []

    init(of ensemble: DistributedEnsemble, _ extended: StateExtension) {
      let (reference, units) = extended.magnitudes(ensemble.layout)
      covariance = EnsembleCovariance(
        width: extended.count, columns: extended.columns, distribution: ensemble.distribution,
        communicator: ensemble.communicator, reference: reference, units: units)
      if !extended.carried.isEmpty {
        rows = ensemble.states.map { _ in [Double](repeating: 0, count: extended.count) }
      }
    }

    /// Reduces the moments of states and what is carried of them. Collective.
    func reduce(_ states: [[Double]], _ extended: StateExtension) throws {
      covariance.select(columns: extended.columns)
      if extended.carried.isEmpty {
        try covariance.reduce(states)
      } else {
        for (held, state) in states.enumerated() {
          rows[held].withUnsafeMutableBufferPointer { row in
            for i in state.indices { row[i] = state[i] }
            extended.forEachCarried(of: state.span) { row[$0] = $1 }
          }
        }
        try covariance.reduce(rows)
      }
      copyMoments(extended)
    }

    private func copyMoments(_ extended: StateExtension) {
      let (n, p) = (extended.count, extended.elements.count)
      if moments.mean.count != n || moments.covariance.count != p * n {
        moments = EnsembleMoments(
          mean: [Double](repeating: 0, count: n), variance: [Double](repeating: 0, count: n),
          covariance: [Double](repeating: 0, count: p * n))
      }
      for i in 0..<n { moments.mean[i] = covariance.mean[i] }
      moments.covariance.withUnsafeMutableBufferPointer { target in
        covariance.covariance.withUnsafeBufferPointer { source in
          guard let to = target.baseAddress, let from = source.baseAddress else { return }
          for (k, column) in extended.columnOf.enumerated() { (to + k * n).update(from: from + column * n, count: n) }
        }
      }
    }
  }

  /// Gathers all members, whatever their number, and updates the local ones.
  func gather(
    _ ensemble: inout DistributedEnsemble, with filter: some InMemoryFilter, observations: ObservationSet, cycle: Int
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
    try observations.validate(members: members)
    // Without observations there is nothing to bring together.
    guard observations.count > 0 else { return }
    let extended = try filter.reaches.reach(of: observations.network).extended
    let plan =
      filter.plan
      ?? ReductionPlan.choose(
        members: members, stateElements: extended.stateCount, observations: extended.columns.count,
        carried: extended.carried.count)
    if plan == .gather || filter.needsWholeEnsemble {
      try gather(&ensemble, with: filter, observations: observations, cycle: cycle)
    } else {
      try reduce(&ensemble, with: filter, observations: observations, extended, cycle: cycle)
    }
  }

  private func reduce(
    _ ensemble: inout DistributedEnsemble, with filter: some MomentFilter, observations: ObservationSet,
    _ extended: StateExtension, cycle: Int
  ) throws {
    prepare(for: ensemble)
    let n = ensemble.layout.count
    let workspace = reduction(for: ensemble, extended)
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try workspace.reduce(ensemble.states, extended)
    ensemble.clock?.enter(.update)
    if filter.needsVariances {
      let spreads = statistics ?? EnsembleStatistics(of: ensemble)
      statistics = spreads
      try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
      try spreads.reduce(ensemble.states)
      ensemble.clock?.enter(.update)
      for i in 0..<n { workspace.moments.variance[i] = spreads.variance[i] }
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
        moments: &workspace.moments, observations: observations, cycle: cycle)
    }
    for held in ensemble.states.indices { Self.copy(states, from: held * n, to: &ensemble.states[held]) }
  }

  private func reduction(for ensemble: DistributedEnsemble, _ extended: StateExtension) -> Reduction {
    guard extended.carried.isEmpty else {
      return reductions.value(of: extended.network) { Reduction(of: ensemble, extended) }
    }
    let workspace = plain ?? Reduction(of: ensemble, extended)
    plain = workspace
    return workspace
  }

  private func prepare(for ensemble: DistributedEnsemble) {
    if distribution != ensemble.distribution {
      (gathered, plain, statistics) = (nil, nil, nil)
      reductions = NetworkCache()
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
