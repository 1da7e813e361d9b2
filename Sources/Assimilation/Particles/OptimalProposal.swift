public import DaunceEnsemble
internal import DaunceMPI
public import DaunceNumerics
public import DaunceObservations
public import DaunceState

/// A particle filter that draws its particles given the observations, from the optimal proposal density of a model with
/// additive normal noise, x = f + eta, eta ~ N(0, Q) (Doucet et al. 2000):
///
///     w_m ~ N(y; H f_m, H Q H^T + R),    x_m ~ N(f_m + K (y - H f_m), (1 - K H) Q),    K = Q H^T (H Q H^T + R)^-1
///
/// Weights know the forecasts f_m alone: so these are resampled first, and each copy gets noise of its own, by which copies are
/// told apart. A draw of x given y is f + eta + K (y - H f - H eta - e) with eta ~ N(0, Q) and e ~ N(0, R). Exact for
/// linear H and normal errors; without localization.
public final class OptimalProposal: EnsembleUpdate {
  /// Normal noise of a model.
  public struct Noise {
    /// Adds a draw of eta to a state (`[count]`), the same on every rank.
    public let add: (_ state: inout [Double], _ stream: RandomStream) -> Void
    /// Columns of any L with Q = L L^T (`[direction][count]`); called once a network.
    public let directions: () -> [[Double]]

    /// See the properties.
    public init(add: @escaping (inout [Double], RandomStream) -> Void, directions: @escaping () -> [[Double]]) {
      (self.add, self.directions) = (add, directions)
    }
  }

  /// What noise does to the observations of a network.
  private final class Gain {
    /// Q H^T (`[observation][count]`).
    let columns: [[Double]]
    /// H Q H^T (`[observation][observation]`).
    let matrix: [Double]

    init(_ network: ObservationNetwork, _ noise: Noise, count: Int) {
      let (directions, rows, p) = (noise.directions(), network.rows, network.count)
      var columns = [[Double]](repeating: [Double](repeating: 0, count: count), count: p)
      for direction in directions {
        for (k, share) in rows.values(of: direction).enumerated() {
          for i in 0..<count { columns[k][i] += share * direction[i] }
        }
      }
      matrix = columns.flatMap { rows.values(of: $0) }
      self.columns = columns
    }
  }

  private let noise: Noise
  private let layout: StateLayout
  private let seed: UInt64
  private var gains = NetworkCache<Gain>()
  private let factor = Cholesky()
  private var gathered: GatheredEnsemble?

  /// - Parameters:
  ///   - noise: of the model, which the forecasts are without.
  ///   - seed: keys resampling and draws.
  public init(noise: Noise, layout: StateLayout, seed: UInt64) {
    (self.noise, self.layout, self.seed) = (noise, layout, seed)
  }

  /// Whether observations of a kind are a linear function of the state, which they have to be.
  public static func takes(_ operation: ObservationOperator) -> Bool {
    operation.function == .identity && (operation.combination == .sum || operation.fields.count == 1)
  }

  /// Resamples the forecasts and draws every particle. Collective.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    let (members, count, p) = (ensemble.distribution.members, layout.count, observations.count)
    guard members >= 2 else { throw AssimilationError.members(found: members) }
    guard p > 0 else { return }
    let states =
      gathered
      ?? GatheredEnsemble(width: count, distribution: ensemble.distribution, communicator: ensemble.communicator)
    gathered = states
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try states.gather(ensemble.states)
    ensemble.clock?.enter(.update)
    let rows = observations.network.rows
    let gain = gains.value(of: observations.network) { Gain(observations.network, noise, count: count) }
    var matrix = gain.matrix
    for k in 0..<p { matrix[k * p + k] += observations.errorVariances[k] }
    try factor.factor(matrix.span, order: p)
    let departures = (0..<members).map { m in
      zip(observations.values, rows.values(of: states.members, from: m * count)).map { $0 - $1 }
    }
    var weights = ParticleWeights(members: members)
    weights.take(logarithms: departures.map { d in -0.5 * zip(d, solved(d)).reduce(0) { $0 + $1.0 * $1.1 } })
    let draw = RandomStream(seed: seed, purpose: .nonlinearUpdate, cycle: cycle)
    let ancestors = ParticleWeights.ancestors(weights.copies(uniform: draw.uniform(at: 0)))
    for (held, member) in ensemble.distribution.local.enumerated() {
      let ancestor = ancestors[member]
      var eta = [Double](repeating: 0, count: count)
      noise.add(&eta, RandomStream(seed: seed, purpose: .additiveInflation, member: member, cycle: cycle))
      let error = RandomStream(seed: seed, purpose: .observationPerturbation, member: member, cycle: cycle)
      let pulls = solved(
        rows.values(of: eta).enumerated().map { k, moved in
          departures[ancestor][k] - moved - observations.errorVariances[k].squareRoot() * error.normal(at: k)
        })
      for k in 0..<p { for i in 0..<count { eta[i] += pulls[k] * gain.columns[k][i] } }
      for i in 0..<count { ensemble.states[held][i] = states.members[ancestor * count + i] + eta[i] }
    }
    layout.cutOff(&ensemble)
  }

  /// (H Q H^T + R)^-1 d
  private func solved(_ d: [Double]) -> [Double] {
    var x = d
    var span = x.mutableSpan
    factor.solve(&span)
    return x
  }
}

extension ObservationRows {
  /// h(x) of a state that begins at an element of an array.
  fileprivate func values(of states: [Double], from first: Int = 0) -> [Double] {
    states.withUnsafeBufferPointer { states in
      guard let start = states.baseAddress else { return [] }
      return (0..<count).map { value($0, at: start + first) }
    }
  }
}
