internal import DaunceNumerics

/// Nonlinear updates of each element by all observations near it at once. Elements that see the same observations, as all
/// do without localization, share a matrix.
final class TogetherKernel: RowKernel {
  private let observed: ObservedEnsemble
  private let update: any NonlinearUpdate
  private let problem: ObservedProblem
  private let matrix: MemberMatrix
  private let seed: UInt64
  private var noise: RandomStream
  /// Observations and weights that the matrix belongs to.
  private var known: (ids: [Int32], weights: [Double])?

  init(_ observed: ObservedEnsemble, update: any NonlinearUpdate, seed: UInt64) {
    (self.observed, self.update, self.seed) = (observed, update, seed)
    problem = ObservedProblem(members: observed.members)
    matrix = MemberMatrix(members: observed.members)
    noise = RandomStream(seed: seed, purpose: .nonlinearUpdate)
  }

  func begin(cycle: Int) {
    known = nil
    noise = RandomStream(seed: seed, purpose: .nonlinearUpdate, cycle: cycle)
  }

  func update(_ group: RowGroup) {
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      if known == nil || known?.ids != group.ids[r] || known?.weights != group.weights[r] {
        solve(group.ids[r], group.weights[r])
      }
      matrix.apply(to: row)
    }
  }

  private func solve(_ ids: [Int32], _ weights: [Double]) {
    problem.removeAll()
    for (id, weight) in zip(ids, weights) {
      let k = Int(id)
      problem.add(
        observed.anomalies + k * observed.stride, innovation: observed.values[k] - observed.mean[k],
        error: observed.error(of: k, share: weight))
    }
    matrix.setIdentity()
    update.solve(problem, noise: noise, into: matrix)
    known = (ids, weights)
  }
}
