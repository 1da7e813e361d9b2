public import DaunceConstraints
public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// The constrained EAKF: the ensemble adjustment, then every member's projection onto the constraints in the metric of
/// the localized sample covariance of the analysis ensemble.
public final class ConstrainedEAKF: InMemoryFilter {
  /// Of the analysed members onto the constraints.
  public let projection: ConstrainedProjection
  /// Of the last update, over the members held here.
  public private(set) var lastReport = ProjectionReport()
  /// Observations that the last update could not use; see ``InMemoryFilter``.
  public var leftOut: Int { filter.leftOut }

  private let filter: EAKF
  private let covariance: LocalizedCovariance
  private var forecast: [Double] = []
  private let exchange = EnsembleReducer()

  /// - Parameters:
  ///   - localization: the first kinds are those of the fields' direct observations, in the layout's order: their
  ///     reaches are also those of the covariance between fields.
  ///   - ridge: part of every analysis variance that is added to it, so that a few members' covariance lets every
  ///     element with spread move. It makes such moves expensive, not free.
  /// - Throws: `AssimilationError` for a localization or constraints that don't fit the layout or the solver.
  public init(
    layout: StateLayout, localization: DistanceLocalization, inflation: Inflation = .none, constraints: ConstraintSet,
    solver: ConstraintSolver = .dual, ridge: Double = 1e-4
  ) throws(AssimilationError) {
    filter = try EAKF(layout: layout, localization: localization, inflation: inflation)
    do throws(ConstraintError) {
      projection = try ConstrainedProjection(constraints, order: layout.count, solver: solver)
    } catch {
      throw .constraints(error)
    }
    covariance = LocalizedCovariance(
      of: filter.ensemble, weights: try ElementWeights(localization, layout: layout), ridge: ridge)
  }

  /// The adjustment of the whole ensemble, then the projection of the members in `local`; see ``InMemoryFilter``.
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    forecast.keep(local, of: states.span, order: covariance.order)
    try filter.analyse(&states, members: members, local: local, observations: observations, cycle: cycle)
    let before = forecast
    lastReport = projection.project(&states, local: local, forecast: before.span, covariance: covariance)
  }

  /// Gathers all members and updates the local ones. Collective; throws `AssimilationError` and `MPIError`.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    try exchange.gather(&ensemble, with: self, observations: observations, cycle: cycle)
  }
}

extension [Double] {
  /// Copies the states of some members out of a whole ensemble, into memory that is used again.
  mutating func keep(_ members: Range<Int>, of states: Span<Double>, order: Int) {
    if count != members.count * order { self = [Double](repeating: 0, count: members.count * order) }
    for i in indices { self[i] = states[members.lowerBound * order + i] }
  }
}
