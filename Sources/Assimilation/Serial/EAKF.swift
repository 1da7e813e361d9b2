public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// The ensemble adjustment Kalman filter (Anderson 2001): deterministic, serial over observations in their order,
/// localized and inflated.
///
/// Works on any layout and with any operator: h(x) of an observation that is no element of the state is carried along
/// as an element of its own. Knows nothing of bounds unless `floor` is set: an analysis may leave a field's range, and
/// nothing here fails then.
public final class EAKF: InMemoryFilter, MomentFilter {
  /// Factor on the forecast's anomalies, and relaxation.
  public let inflation: Inflation
  /// Whether values outside a field's bounds are set to them after the update.
  public let floor: Bool

  let reaches: Reaches
  let ensemble: EnsembleAnomalies
  private var serial = SerialUpdate()
  private var recursion = SerialMomentUpdate()
  private var spread: [Double]
  private let exchange = EnsembleReducer()
  /// How the ensemble is brought together; `nil`: by size, as it should be but for measurements.
  public var plan: ReductionPlan?
  /// Observations of the last analysis whose h(x) was not a number in every member.
  public var leftOut: Int { ensemble.leftOut }

  /// The spread after a relaxation of the perturbations is not one of moments.
  var needsWholeEnsemble: Bool { inflation.relaxation > 0 && inflation.perturbationRelaxation > 0 }
  var needsVariances: Bool { inflation.relaxation > 0 }

  /// - Throws: `AssimilationError` for a localization that doesn't fit the layout.
  public init(
    layout: StateLayout, localization: DistanceLocalization, inflation: Inflation = .none, floor: Bool = false
  ) throws(AssimilationError) {
    reaches = try Reaches(localization, layout: layout)
    self.inflation = inflation
    self.floor = floor
    ensemble = EnsembleAnomalies(elements: layout.count)
    spread = [Double](repeating: 0, count: layout.count)
  }

  /// The gather form: updates a whole ensemble in memory, all of its members.
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(members: members)
    let reach = try reaches.reach(of: observations.network)
    ensemble.split(states.span, members: members, reach.extended)
    ensemble.select(reach)
    guard observations.count > 0 else { return }
    ensemble.inflate(by: inflation.factor)
    ensemble.keep(for: inflation)
    serial.update(ensemble, observations: observations, reach: reach)
    ensemble.relax(inflation, spread: &spread)
    finish(&states)
  }

  /// The covariance form: updates some members of an ensemble of which the moments are known. Equal to the gather form
  /// up to rounding.
  ///
  /// - Parameters:
  ///   - states: `[member][element]` of the members held here.
  ///   - first: number of the first of them.
  ///   - members: size of the whole ensemble.
  ///   - moments: of the whole forecast ensemble, extended by what the observations see; its covariances are used up.
  public func analyse(
    _ states: inout MutableSpan<Double>, first: Int, members: Int, moments: inout EnsembleMoments,
    observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(members: members)
    let reach = try reaches.reach(of: observations.network)
    ensemble.split(
      states.span, members: states.count / ensemble.stateCount, mean: moments.mean, reach.extended)
    ensemble.select(reach, moments)
    guard observations.count > 0 else { return }
    if inflation.factor != 1 {
      ensemble.inflate(by: inflation.factor)
      inflate(&moments, observations: observations.count)
    }
    if inflation.perturbationRelaxation > 0 { ensemble.keepPerturbations() }
    if inflation.relaxation > 0 {
      for i in spread.indices { ensemble.priorSpread[i] = moments.variance[i].squareRoot() }
    }
    recursion.update(ensemble, moments: &moments, observations: observations, reach: reach)
    if inflation.perturbationRelaxation > 0 { ensemble.relaxPerturbations(inflation.perturbationRelaxation) }
    if inflation.relaxation > 0 {
      for i in spread.indices { spread[i] = max(0, moments.variance[i]).squareRoot() }
      ensemble.relaxSpread(inflation, analysis: spread)
    }
    finish(&states)
  }

  /// Brings together members or moments and updates the local members. Collective.
  public func update(
    _ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int
  ) throws {
    try exchange.update(&ensemble, with: self, observations: observations, cycle: cycle)
  }

  /// Elements that the observations of a network act on, each as often as one does: what the work of an analysis is
  /// proportional to.
  public func elementsInReach(of network: ObservationNetwork) throws(AssimilationError) -> Int {
    try reaches.reach(of: network).places.last ?? 0
  }

  private func inflate(_ moments: inout EnsembleMoments, observations: Int) {
    let n = ensemble.elements
    let factor = inflation.factor
    for i in 0..<n where ensemble.reached[i] { moments.variance[i] *= factor * factor }
    for k in 0..<observations {
      for i in 0..<n { moments.covariance[k * n + i] *= ensemble.reached[i] ? factor * factor : factor }
    }
  }

  private func finish(_ states: inout MutableSpan<Double>) {
    ensemble.merge(into: &states)
    if floor { reaches.layout.clipToBounds(&states) }
  }
}

extension ObservationSet {
  /// - Throws: `AssimilationError` for an error variance that is not positive, or fewer than two members.
  func validate(members: Int) throws(AssimilationError) {
    guard members >= 2 else { throw .members(found: members) }
    for k in 0..<count where !(errorVariances[k] > 0) {
      throw .errorVariance(observation: k, found: errorVariances[k])
    }
  }
}

extension StateLayout {
  /// Sets values outside their field's bounds to them, in any number of states (`[member][element]`).
  func clipToBounds(_ states: inout MutableSpan<Double>) {
    for (v, field) in fields.enumerated() {
      for start in stride(from: offsets[v], to: states.count, by: count) {
        if let bound = field.lowerBound {
          for i in start..<start + range(v).count where states[i] < bound { states[i] = bound }
        }
        if let bound = field.upperBound {
          for i in start..<start + range(v).count where states[i] > bound { states[i] = bound }
        }
      }
    }
  }
}
