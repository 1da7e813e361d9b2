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
  public let table: LocalizationTable
  public let inflation: Inflation
  /// Of the perturbations' random streams.
  public let seed: UInt64

  let ensemble: EnsembleAnomalies
  let innovationCovariance: InnovationCovariance
  private var perturbations: [Double] = []
  private var innovation: [Double] = []
  private var spread: [Double]
  private let exchange = MemberExchange()
  /// How the ensemble is brought together; `nil`: by size, as it should be but for measurements.
  public var plan: ReductionPlan?

  /// - Throws: `AssimilationError` for a localization that doesn't fit the layout.
  public init(
    layout: StateLayout, localization: Localization, inflation: Inflation = .none, seed: UInt64
  ) throws(AssimilationError) {
    table = try LocalizationTable(localization, layout: layout)
    self.inflation = inflation
    self.seed = seed
    ensemble = EnsembleAnomalies(elements: layout.count)
    innovationCovariance = InnovationCovariance(table: table)
    spread = [Double](repeating: 0, count: layout.count)
  }

  /// Perturbations of all observations (`[member][observation]`, in the observations' unit), with zero ensemble mean.
  ///
  /// A perturbation's address is the observed element, so that a missing observation doesn't change those of others.
  public func perturbations(members: Int, observations: Observations, cycle: Int) -> [Double] {
    drawPerturbations(members: members, observations: observations, cycle: cycle)
    return Array(perturbations[..<(members * observations.count)])
  }

  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: Observations, cycle: Int
  ) throws(AssimilationError) {
    drawPerturbations(members: members, observations: observations, cycle: cycle)
    let drawn = perturbations
    try analyse(
      &states, members: members, local: local, observations: observations, perturbations: drawn.span, cycle: cycle)
  }

  /// The same with given perturbations (`[member][observation]`).
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: Observations,
    perturbations: Span<Double>, cycle: Int = 0
  ) throws(AssimilationError) {
    try observations.validate(elements: ensemble.elements, members: members)
    ensemble.split(states.span, members: members)
    guard observations.count > 0 else { return }
    table.markReached(by: observations.elements, in: &ensemble.reached)
    ensemble.inflate(by: inflation.factor)
    let relaxes = inflation.relaxation > 0
    if relaxes { ensemble.spread(into: &ensemble.priorSpread) }
    do throws(NotPositiveDefinite) {
      try innovationCovariance.estimate(from: ensemble, observations: observations)
    } catch {
      throw .innovationCovariance(cycle: cycle, order: error.order, pivot: error.pivot)
    }
    for m in relaxes ? 0..<members : local {
      correct(held: m, member: m, observations: observations, perturbations: perturbations)
    }
    if relaxes {
      ensemble.recentre()
      ensemble.spread(into: &spread)
      ensemble.relax(inflation, analysis: spread)
    }
    ensemble.merge(into: &states)
  }

  /// Relaxation needs the spread of the analysis, and that all members.
  var needsWholeEnsemble: Bool { inflation.relaxation > 0 }
  var needsVariances: Bool { false }

  func analyse(
    _ states: inout MutableSpan<Double>, first: Int, members: Int, moments: inout EnsembleMoments,
    observations: Observations, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(elements: ensemble.elements, members: members)
    let held = states.count / ensemble.elements
    ensemble.split(states.span, members: held, mean: moments.mean)
    guard observations.count > 0 else { return }
    table.markReached(by: observations.elements, in: &ensemble.reached)
    ensemble.inflate(by: inflation.factor)
    if inflation.factor != 1 {
      for i in moments.covariance.indices { moments.covariance[i] *= inflation.factor * inflation.factor }
    }
    do throws(NotPositiveDefinite) {
      try innovationCovariance.estimate(from: moments, observations: observations)
    } catch {
      throw .innovationCovariance(cycle: cycle, order: error.order, pivot: error.pivot)
    }
    drawPerturbations(members: members, observations: observations, cycle: cycle)
    let drawn = perturbations
    for m in 0..<held {
      correct(held: m, member: first + m, observations: observations, perturbations: drawn.span)
    }
    ensemble.merge(into: &states)
  }

  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    try exchange.update(&ensemble, with: self, observations: observations, cycle: cycle)
  }

  /// Adds P H^T S^-1 (y + e - H x) to a member. The members are corrected one by one, so that a member's bits don't
  /// depend on which others are in the same place.
  private func correct(held m: Int, member: Int, observations: Observations, perturbations: Span<Double>) {
    let (n, p) = (ensemble.elements, observations.count)
    if innovation.count != p { innovation = [Double](repeating: 0, count: p) }
    for k in 0..<p {
      let j = observations.elements[k]
      let state = ensemble.mean[j] + ensemble.anomalies[m * n + j]
      innovation[k] = observations.values[k] + perturbations[member * p + k] - state
    }
    innovation.withMutableSpan { innovationCovariance.solve(&$0) }
    ensemble.anomalies.withUnsafeMutableBufferPointer { anomalies in
      guard let base = anomalies.baseAddress else { return }
      innovation.withSpan { innovationCovariance.addColumns($0, to: base + m * n) }
    }
  }

  private func drawPerturbations(members: Int, observations: Observations, cycle: Int) {
    let p = observations.count
    if perturbations.count < members * p { perturbations = [Double](repeating: 0, count: members * p) }
    for m in 0..<members {
      let stream = RandomStream(seed: seed, purpose: .observationPerturbation, member: m, cycle: cycle)
      var repeats = 0
      for k in 0..<p {
        let element = observations.elements[k]
        repeats = k > 0 && observations.elements[k - 1] == element ? repeats + 1 : 0
        perturbations[m * p + k] = stream.normal(at: repeats * ensemble.elements + element)
      }
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
