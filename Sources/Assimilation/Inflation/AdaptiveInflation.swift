public import DaunceEnsemble
internal import DaunceMPI
public import DaunceObservations
public import DaunceState

/// Inflation that learns from the innovations where and how much an ensemble's spread is too small (Anderson 2009),
/// around any update.
///
/// Every element has a factor lambda on its forecast variance, with a normal prior of mean lambda and fixed standard
/// deviation. For an observation with forecast mean y, variance s^2, error variance r and innovation D, and an element
/// whose localized correlation with it is gamma,
///
///     theta^2 = (1 + gamma (sqrt(lambda) - 1))^2 s^2 + r
///
/// is the variance that D should have. The likelihood N(D; 0, theta^2), linear in lambda around its mean, times the prior
/// has its mode at a root of a quadratic equation (his eq. A.6). Observations follow each other in their order. Before an
/// analysis lambda moves back towards 1 by a share, so that it fades where nothing is observed any more. A time without
/// any observations has no analysis, and nothing is inflated.
public final class AdaptiveInflation: EnsembleUpdate {
  /// Standard deviation of lambda's prior.
  public let deviation: Double
  /// Share of lambda - 1 that is kept from one analysis to the next, in [0, 1].
  public let damping: Double
  /// Factors on the forecast variance that the last analysis used (`[count]`).
  public private(set) var factors: [Double]

  /// Limits of a factor.
  public static let limits = 1.0...100.0

  private let layout: StateLayout
  private let localization: DistanceLocalization
  private let update: any EnsembleUpdate
  private var gathered: GatheredEnsemble?
  private var rows: PartialEnsemble?
  private var networks = NetworkCache<Prepared>()

  /// What stays the same for as long as a network observes.
  private final class Prepared {
    let observed: ObservedEnsemble
    let lists: NeighbourLists

    init(
      _ network: ObservationNetwork, _ layout: StateLayout, _ localization: DistanceLocalization, members: Int,
      _ tiles: ArraySlice<StatePartition.Tile>
    ) {
      observed = ObservedEnsemble(places: network.places, kinds: network.kinds, members: members)
      lists = NeighbourLists(localization, layout: layout, observed: observed, tiles: tiles)
    }
  }

  /// - Parameters:
  ///   - update: gets the inflated forecast.
  ///   - deviation: above 0.
  public init(
    _ update: any EnsembleUpdate, layout: StateLayout, localization: DistanceLocalization, deviation: Double,
    damping: Double
  ) {
    self.update = update
    self.layout = layout
    self.localization = localization
    self.deviation = deviation
    self.damping = damping
    factors = [Double](repeating: 1, count: layout.count)
  }

  /// Keeps the factors and what the update remembers.
  public func save(into snapshot: inout Snapshot) {
    snapshot.set("inflation_factors", factors)
    update.save(into: &snapshot)
  }

  /// Takes them back.
  public func restore(from snapshot: Snapshot) throws {
    factors = try snapshot.values("inflation_factors", count: layout.count)
    try update.restore(from: snapshot)
  }

  /// Adapts the factors, inflates the forecast by them, and updates it. Collective.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    let members = ensemble.distribution.members
    guard members >= 2 else { throw AssimilationError.members(found: members) }
    guard observations.count > 0 else {
      return try update.update(&ensemble, observations: observations, cycle: cycle)
    }
    let states =
      gathered
      ?? GatheredEnsemble(
        width: layout.count, distribution: ensemble.distribution, communicator: ensemble.communicator)
    let rows = self.rows ?? PartialEnsemble(elements: 0..<layout.count, members: members)
    (gathered, self.rows) = (states, rows)
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try states.gather(ensemble.states)
    ensemble.clock?.enter(.update)
    for i in factors.indices { factors[i] = 1 + damping * (factors[i] - 1) }
    for i in 0..<layout.count {
      let row = rows.row(i)
      for m in 0..<members { row[m] = states.members[m &* layout.count &+ i] }
      let mean = Lanes4.centre(row, members: members)
      // The mean of each element, behind its members' anomalies, is needed once more.
      means[i] = mean
    }
    learn(from: observations, states.members, rows)
    for m in ensemble.states.indices {
      for i in 0..<layout.count where factors[i] != 1 {
        ensemble.states[m][i] = means[i] + factors[i].squareRoot() * (ensemble.states[m][i] - means[i])
      }
    }
    try update.update(&ensemble, observations: observations, cycle: cycle)
  }

  /// Ensemble mean of every element.
  private lazy var means = [Double](repeating: 0, count: layout.count)

  private func learn(from observations: ObservationSet, _ states: [Double], _ rows: PartialEnsemble) {
    let prepared = prepare(observations.network, rows.members)
    prepared.observed.fill(observations, states: states, stateCount: layout.count)
    let (observed, share) = (prepared.observed, Double(rows.members - 1))
    for i in 0..<layout.count {
      let row = rows.row(i)
      let spread = Lanes4.dot(row, row, rows.stride)
      guard spread > 0, spread.isFinite else { continue }
      let (ids, weights) = prepared.lists.neighbours(i)
      for (id, weight) in zip(ids, weights) {
        let k = Int(id)
        let y = observed.anomalies + k * observed.stride
        let size = Lanes4.dot(y, y, observed.stride)
        guard size > 0 else { continue }
        let correlation = Lanes4.dot(row, y, rows.stride) / (spread * size).squareRoot()
        factors[i] = Self.posterior(
          factors[i], deviation: deviation, correlation: weight * min(1, abs(correlation)), variance: size / share,
          errorVariance: observed.errorVariances[k], innovation: observed.values[k] - observed.mean[k])
      }
    }
  }

  /// Mode of lambda after one observation.
  ///
  /// - Parameters:
  ///   - lambda: mean of the prior.
  ///   - deviation: of the prior.
  ///   - correlation: gamma, in [0, 1].
  ///   - variance: s^2.
  public static func posterior(
    _ lambda: Double, deviation: Double, correlation gamma: Double, variance: Double, errorVariance: Double,
    innovation: Double
  ) -> Double {
    guard gamma > 1e-3 else { return lambda }
    let root = lambda.squareRoot()
    let factor = 1 + gamma * (root - 1)
    let expected = factor * factor * variance + errorVariance
    let theta = expected.squareRoot()
    // d theta / d lambda, and the logarithmic derivative of the likelihood.
    let slope = 0.5 * variance * gamma * factor / (theta * root)
    let derivative = slope * (innovation * innovation / expected - 1) / theta
    guard derivative != 0, derivative.isFinite else { return lambda }
    // (1 + derivative (x - lambda)) N(x; lambda, deviation^2) is greatest where, with u = x - lambda,
    // derivative deviation^2 = u (1 + derivative u).
    let variance = deviation * deviation
    let discriminant = (1 + 4 * derivative * derivative * variance).squareRoot()
    let step = 2 * derivative * variance / (1 + discriminant)
    return min(max(lambda + step, limits.lowerBound), limits.upperBound)
  }

  private func prepare(_ network: ObservationNetwork, _ members: Int) -> Prepared {
    networks.value(of: network) {
      Prepared(network, layout, localization, members: members, StatePartition(layout, ranks: 1).tiles[...])
    }
  }
}
