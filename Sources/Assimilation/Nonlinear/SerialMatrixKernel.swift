internal import DaunceNumerics
internal import DaunceState

/// Nonlinear updates by one observation after the other, in two steps as the serial ensemble adjustment's: once through
/// the observations in observation space, the same on every rank; then each element by the recorded matrices, each by
/// its taper's share:
///
///     x = x + rho (x T_k - x)
final class SerialMatrixKernel: RowKernel {
  /// Most numbers in the matrices of all observations.
  private static let memory = 1 << 28

  private let observed: ObservedEnsemble
  private let update: any NonlinearUpdate
  private let problem: ObservedProblem
  private let seed: UInt64
  /// Observations that come later and are near, of every one, and their weights.
  private let later: [(ids: [Int32], weights: [Double])]
  private var matrices: [MemberMatrix]
  /// Whether the observation has spread to work with.
  private var acts: [Bool]
  /// Means of h(x) on the way.
  private var means: [Double]

  init(
    _ observed: ObservedEnsemble, update: any NonlinearUpdate, seed: UInt64, localization: DistanceLocalization,
    geometry: Geometry
  ) throws(AssimilationError) {
    let limit = Self.memory / (observed.members * observed.stride)
    guard observed.count <= limit else {
      throw .matrices(observations: observed.count, members: observed.members, limit: limit)
    }
    (self.observed, self.update, self.seed) = (observed, update, seed)
    problem = ObservedProblem(members: observed.members)
    let search = ObservationSearch(localization, geometry: geometry, observed: observed)
    var found = ObservationSearch.Found()
    later = (0..<observed.count).map { k in
      search.find(behind: k, into: &found)
      return (found.ids, found.weights)
    }
    matrices = (0..<observed.count).map { _ in MemberMatrix(members: observed.members) }
    acts = [Bool](repeating: false, count: observed.count)
    means = observed.mean
  }

  func begin(cycle: Int) {
    for k in means.indices { means[k] = observed.mean[k] }
    let (stride, members) = (observed.stride, observed.members)
    for k in 0..<observed.count {
      let row = observed.anomalies + k * stride
      acts[k] = Lanes4.dot(row, row, stride) > 0
      guard acts[k] else { continue }
      problem.removeAll()
      problem.add(row, innovation: observed.values[k] - means[k], error: observed.error(of: k))
      matrices[k].setIdentity()
      update.solve(
        problem, noise: RandomStream(seed: seed, purpose: .nonlinearUpdate, member: k, cycle: cycle), into: matrices[k])
      // Those before had their turn.
      let (ids, weights) = later[k]
      for i in ids.indices {
        let other = observed.anomalies + Int(ids[i]) * stride
        matrices[k].apply(to: other, share: weights[i])
        means[Int(ids[i])] += Lanes4.centre(other, members: members)
      }
    }
  }

  func update(_ group: RowGroup) {
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      for (id, weight) in zip(group.ids[r], group.weights[r]) where acts[Int(id)] {
        matrices[Int(id)].apply(to: row, share: weight)
        group.shift(r, by: Lanes4.centre(row, members: group.members))
      }
    }
  }
}
