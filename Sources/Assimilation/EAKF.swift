public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// The ensemble adjustment Kalman filter (Anderson 2001): deterministic, serial over observations in ascending order,
/// localized and inflated.
///
/// Knows nothing of bounds unless `floor` is set: an analysis may leave a variable's range, and nothing here fails
/// then.
public final class EAKF: InMemoryFilter, MomentFilter {
  public let table: LocalizationTable
  public let inflation: Inflation
  /// Whether values below a variable's lower bound are set to it after the update.
  public let floor: Bool

  let needsWholeEnsemble = false
  var needsVariances: Bool { inflation.relaxation > 0 }
  let ensemble: EnsembleAnomalies
  private var serial: SerialRecursion
  private var recursion: MomentRecursion
  private var spread: [Double]
  private let exchange = MemberExchange()
  /// How the ensemble is brought together; `nil`: by size, as it should be but for measurements.
  public var plan: ReductionPlan?

  /// - Throws: `AssimilationError` for a localization that doesn't fit the layout.
  public init(
    layout: StateLayout, localization: Localization, inflation: Inflation = .none, floor: Bool = false
  ) throws(AssimilationError) {
    table = try LocalizationTable(localization, layout: layout)
    self.inflation = inflation
    self.floor = floor
    ensemble = EnsembleAnomalies(elements: layout.count)
    serial = SerialRecursion(table: table)
    recursion = MomentRecursion(table: table)
    spread = [Double](repeating: 0, count: layout.count)
  }

  /// The gather form: updates a whole ensemble in memory, all of its members.
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: Observations, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(elements: ensemble.elements, members: members)
    ensemble.split(states.span, members: members)
    guard observations.count > 0 else { return }
    table.markReached(by: observations.elements, in: &ensemble.reached)
    ensemble.inflate(by: inflation.factor)
    if inflation.relaxation > 0 { ensemble.spread(into: &ensemble.priorSpread) }
    serial.update(ensemble, observations: observations)
    if inflation.relaxation > 0 {
      ensemble.spread(into: &spread)
      ensemble.relax(inflation, analysis: spread)
    }
    finish(&states)
  }

  /// The covariance form: updates some members of an ensemble of which the moments are known. Equal to the gather form
  /// up to rounding.
  ///
  /// - Parameters:
  ///   - states: `[member][element]` of the members held here.
  ///   - first: number of the first of them.
  ///   - members: size of the whole ensemble.
  ///   - moments: of the whole forecast ensemble; its covariances are used up.
  public func analyse(
    _ states: inout MutableSpan<Double>, first: Int, members: Int, moments: inout EnsembleMoments,
    observations: Observations, cycle: Int
  ) throws(AssimilationError) {
    try observations.validate(elements: ensemble.elements, members: members)
    ensemble.split(states.span, members: states.count / ensemble.elements, mean: moments.mean)
    guard observations.count > 0 else { return }
    table.markReached(by: observations.elements, in: &ensemble.reached)
    if inflation.factor != 1 {
      ensemble.inflate(by: inflation.factor)
      inflate(&moments, observations: observations)
    }
    if inflation.relaxation > 0 {
      for i in spread.indices { ensemble.priorSpread[i] = moments.variance[i].squareRoot() }
    }
    recursion.update(ensemble, moments: &moments, observations: observations)
    if inflation.relaxation > 0 {
      for i in spread.indices { spread[i] = max(0, moments.variance[i]).squareRoot() }
      ensemble.relax(inflation, analysis: spread)
    }
    finish(&states)
  }

  public func update(
    _ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int
  ) throws {
    try exchange.update(&ensemble, with: self, observations: observations, cycle: cycle)
  }

  /// Elements that one observation acts on: what the work of an analysis is proportional to.
  public var elementsInReach: Int {
    let variables = table.layout.fields.indices
    return table.width * (variables.map { v in variables.count { table.couples(v, $0) } }.max() ?? 0)
  }

  private func inflate(_ moments: inout EnsembleMoments, observations: Observations) {
    let n = moments.mean.count
    let factor = inflation.factor
    for i in 0..<n where ensemble.reached[i] { moments.variance[i] *= factor * factor }
    for k in 0..<observations.count {
      for i in 0..<n { moments.covariance[k * n + i] *= ensemble.reached[i] ? factor * factor : factor }
    }
  }

  private func finish(_ states: inout MutableSpan<Double>) {
    ensemble.merge(into: &states)
    if floor { table.layout.raiseToBounds(&states) }
  }
}

extension Observations {
  /// - Throws: `AssimilationError` for an element outside the state, an error variance that is not positive, or fewer
  ///   than two members.
  func validate(elements n: Int, members: Int) throws(AssimilationError) {
    guard members >= 2 else { throw .members(found: members) }
    for k in 0..<count {
      guard elements[k] >= 0, elements[k] < n else { throw .observedElement(found: elements[k], elements: n) }
      guard errorVariances[k] > 0 else { throw .errorVariance(observation: k, found: errorVariances[k]) }
    }
  }
}

extension StateLayout {
  /// Sets values below their variable's lower bound to it, in any number of states (`[member][variable][cell]`).
  func raiseToBounds(_ states: inout MutableSpan<Double>) {
    for (v, field) in fields.enumerated() {
      guard let bound = field.lowerBound else { continue }
      for start in stride(from: offsets[v], to: states.count, by: count) {
        for i in start..<start + range(v).count where states[i] < bound { states[i] = bound }
      }
    }
  }
}
