public import DaunceConstraints
public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// The constrained EnKF (2.6-2.8): for every member the minimiser of (2.8), with the localized forecast covariance and
/// the member's own perturbed observations, subject to the constraints.
///
/// Its unconstrained minimiser is the stochastic EnKF's analysis and its Hessian the inverse of the Kalman analysis
/// covariance, so it is that analysis projected in that metric.
public final class ConstrainedEnKF: InMemoryFilter {
  /// Of the analysed members onto the constraints.
  public let projection: ConstrainedProjection
  /// Of the last update, over the members held here.
  public private(set) var lastReport = ProjectionReport()
  /// Observations that the last update could not use; see ``InMemoryFilter``.
  public var leftOut: Int { filter.leftOut }

  private let filter: StochasticEnKF
  private let prior: EnsembleAnomalies
  private let covariance: KalmanCovariance
  private var forecast: [Double] = []
  private let exchange = EnsembleReducer()

  /// - Parameters:
  ///   - localization: the first kinds are those of the fields' direct observations, in the layout's order: their
  ///     reaches are also those of the covariance between fields.
  ///   - seed: of the perturbations.
  ///   - ridge: part of every forecast variance that is added to it in the metric of the projection, so that a few
  ///     members' covariance lets every element with spread move.
  /// - Throws: `AssimilationError` for a localization or constraints that don't fit the layout or the solver.
  public init(
    layout: StateLayout, localization: DistanceLocalization, inflation: Inflation = .none, constraints: ConstraintSet,
    solver: ConstraintSolver = .dual, seed: UInt64, ridge: Double = 1e-4
  ) throws(AssimilationError) {
    filter = try StochasticEnKF(layout: layout, localization: localization, inflation: inflation, seed: seed)
    do throws(ConstraintError) {
      projection = try ConstrainedProjection(constraints, order: layout.count, solver: solver)
    } catch {
      throw .constraints(error)
    }
    prior = EnsembleAnomalies(elements: layout.count)
    covariance = KalmanCovariance(
      forecast: LocalizedCovariance(
        of: prior, weights: try ElementWeights(localization, layout: layout), ridge: ridge),
      gain: filter.innovationCovariance)
  }

  /// The update of the members in `local`, then their projection (2.6-2.8); see ``InMemoryFilter``.
  public func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError) {
    forecast.keep(local, of: states.span, order: prior.stateCount)
    let reach = try filter.reaches.reach(of: observations.network)
    prior.split(states.span, members: members, reach.extended)
    prior.select(reach)
    prior.inflate(by: filter.inflation.factor)
    try filter.analyse(&states, members: members, local: local, observations: observations, cycle: cycle)
    let before = forecast
    lastReport = projection.project(&states, local: local, forecast: before.span, covariance: covariance)
  }

  /// Gathers all members and updates the local ones. Collective; throws `AssimilationError` and `MPIError`.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    try exchange.gather(&ensemble, with: self, observations: observations, cycle: cycle)
  }
}
