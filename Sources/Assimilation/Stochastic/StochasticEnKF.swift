public import DaunceEnsemble
internal import DaunceNumerics
public import DaunceObservations
public import DaunceState

/// The ensemble Kalman filter with perturbed observations (2.1-2.5; Burgers, van Leeuwen & Evensen 1998):
/// x_i + P H^T (H P H^T + R)^-1 (y + e_i - H x_i) with the sample covariance P localized element by element.
///
/// The perturbations e_i have zero ensemble mean. They are drawn from streams keyed by member and cycle, and every rank
/// can draw all of them.
public final class StochasticEnKF: InMemoryFilter, MomentFilter {
  /// Factor on the forecast's anomalies, and relaxation.
  public let inflation: Inflation
  /// Of the perturbations' random streams.
  public let seed: UInt64

  let reaches: Reaches
  let ensemble: EnsembleAnomalies
  let innovationCovariance = InnovationCovariance()
  private var perturbations: [Double] = []
  private var innovation: [Double] = []
  private var spread: [Double]
  private let exchange = EnsembleReducer()
  /// How the ensemble is brought together; `nil`: by size, as it should be but for measurements.
  public var plan: ReductionPlan?
  /// Observations of the last analysis whose h(x) was not a number in every member.
  public var leftOut: Int { ensemble.leftOut }

  /// - Throws: `AssimilationError` for a localization that doesn't fit the layout.
  public init(
    layout: StateLayout, localization: DistanceLocalization, inflation: Inflation = .none, seed: UInt64
  ) throws(AssimilationError) {
    reaches = try Reaches(localization, layout: layout)
    self.inflation = inflation
    self.seed = seed
    ensemble = EnsembleAnomalies(elements: layout.count)
    spread = [Double](repeating: 0, count: layout.count)
  }

  /// Perturbations of all observations (`[member][observation]`, in the observations' unit), with zero ensemble mean.
  ///
  /// A perturbation's address is the first element that is observed, so that a missing observation doesn't change those
  /// of others.
  public func perturbations(
    members: Int, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) -> [Double] {
    drawPerturbations(
      members: members, observations, try reaches.reach(of: observations.network), cycle: cycle)
    return Array(perturbations[..<(members * observations.count)])
  }

  /// Draws every member's perturbations and updates the members in `local`; see ``InMemoryFilter``.
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    drawPerturbations(
      members: members, observations, try reaches.reach(of: observations.network), cycle: cycle)
    let drawn = perturbations
    try analyse(
      &states, members: members, local: local, observations: observations, perturbations: drawn.span, cycle: cycle)
  }

  /// The same with given perturbations (`[member][observation]`).
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet,
    perturbations: Span<Double>, cycle: Int = 0
  ) throws(AssimilationError) {
    try observations.validate(members: members)
    let reach = try reaches.reach(of: observations.network)
    ensemble.split(states.span, members: members, reach.extended)
    ensemble.select(reach)
    guard observations.count > 0 else { return }
    ensemble.inflate(by: inflation.factor)
    ensemble.keep(for: inflation)
    do throws(NotPositiveDefinite) {
      try innovationCovariance.estimate(from: ensemble, observations: observations, reach: reach)
    } catch {
      throw .innovationCovariance(cycle: cycle, order: error.order, pivot: error.pivot)
    }
    for m in inflation.relaxes ? 0..<members : local {
      correct(held: m, member: m, observations, reach, perturbations: perturbations)
    }
    if inflation.relaxes { ensemble.recentre() }
    ensemble.relax(inflation, spread: &spread)
    ensemble.merge(into: &states)
  }

  /// Relaxation needs the mean and the spread of the analysis, and those all members.
  var needsWholeEnsemble: Bool { inflation.relaxes }
  var needsVariances: Bool { false }

  func analyse(
    _ states: inout MutableSpan<Double>, first: Int, members: Int, moments: inout EnsembleMoments,
    observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(members: members)
    let reach = try reaches.reach(of: observations.network)
    let held = states.count / ensemble.stateCount
    ensemble.split(states.span, members: held, mean: moments.mean, reach.extended)
    ensemble.select(reach, moments)
    guard observations.count > 0 else { return }
    ensemble.inflate(by: inflation.factor)
    if inflation.factor != 1 {
      for i in moments.covariance.indices { moments.covariance[i] *= inflation.factor * inflation.factor }
    }
    do throws(NotPositiveDefinite) {
      try innovationCovariance.estimate(from: moments, ensemble, observations: observations, reach: reach)
    } catch {
      throw .innovationCovariance(cycle: cycle, order: error.order, pivot: error.pivot)
    }
    drawPerturbations(members: members, observations, reach, cycle: cycle)
    let drawn = perturbations
    for m in 0..<held { correct(held: m, member: first + m, observations, reach, perturbations: drawn.span) }
    ensemble.merge(into: &states)
  }

  /// Brings together members or moments and updates the local members. Collective.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    try exchange.update(&ensemble, with: self, observations: observations, cycle: cycle)
  }

  /// Adds P H^T S^-1 (y + e - H x) to a member. The members are corrected one by one, so that a member's bits don't
  /// depend on which others are in the same place.
  private func correct(
    held m: Int, member: Int, _ observations: ObservationSet, _ reach: ObservationReach, perturbations: Span<Double>
  ) {
    let (n, p) = (ensemble.elements, observations.count)
    if innovation.count != p { reserveInnovation(p) }
    for k in 0..<p {
      let j = reach.extended.elements[k]
      let observed = ensemble.mean[j] + ensemble.anomalies[m * n + j]
      innovation[k] = observations.values[k] + perturbations[member * p + k] - observed
    }
    innovation.withMutableSpan { innovationCovariance.solve(&$0) }
    ensemble.anomalies.withUnsafeMutableBufferPointer { anomalies in
      guard let base = anomalies.baseAddress else { return }
      innovation.withSpan { innovationCovariance.addColumns($0, to: base + m * n) }
    }
  }

  private func reserveInnovation(_ p: Int) {
    innovation.removeAll(keepingCapacity: true)
    innovation.append(contentsOf: repeatElement(0, count: p))
  }

  private func drawPerturbations(
    members: Int, _ observations: ObservationSet, _ reach: ObservationReach, cycle: Int
  ) {
    let p = observations.count
    if perturbations.count < members * p { perturbations = [Double](repeating: 0, count: members * p) }
    for m in 0..<members {
      let stream = RandomStream(seed: seed, purpose: .observationPerturbation, member: m, cycle: cycle)
      for k in 0..<p { perturbations[m * p + k] = stream.normal(at: reach.addresses[k]) }
    }
    for k in 0..<p {
      var sum = 0.0
      for m in 0..<members { sum += perturbations[m * p + k] }
      let mean = sum / Double(members)
      let deviation = max(0, observations.errorVariances[k]).squareRoot()
      for m in 0..<members { perturbations[m * p + k] = deviation * (perturbations[m * p + k] - mean) }
    }
  }
}
