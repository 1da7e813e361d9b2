import DaunceNumerics

/// Networks with equal weights in place of networks with importance weights, by transport in the space of their parameters: network i becomes
///
///     w_i <- N sum_j P_ij w_j
///
/// with the entropic plan P between equal weights and importance weights (Reich 2013; Cuturi 2013). Distances are in units of the prior's standard
/// deviations, and hidden units are lined up first.
package enum WeightTransport {
  /// Regularisation over the mean cost.
  private static let regularisation = 0.05

  /// - Parameters:
  ///   - networks: of the same sizes.
  ///   - weights: of sum 1 (`[network]`).
  ///   - prior: in whose units distances are.
  /// - Returns: as many networks.
  package static func move(_ networks: [Network], weights: [Double], prior: WeightPrior) -> [Network] {
    let n = networks.count
    let heaviest = weights.indices.max { weights[$0] < weights[$1] } ?? 0
    let aligned = networks.map { $0.aligned(to: networks[heaviest]) }
    var cost = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n {
        for (k, deviation) in prior.deviations.enumerated() {
          let d = Double((aligned[i].parameters[k] - aligned[j].parameters[k]) / deviation)
          cost[i * n + j] += d * d
        }
      }
    }
    let mean = cost.reduce(0, +) / Double(n * n)
    guard mean > 0 else { return networks }
    let sinkhorn = Sinkhorn(count: n)
    sinkhorn.solve(cost: cost, weights: weights, regularisation: regularisation * mean)
    return (0..<n).map { i in
      var moved = aligned[i]
      for k in moved.parameters.indices {
        let sum = (0..<n).reduce(0.0) { $0 + sinkhorn.plan[i * n + $1] * Double(aligned[$1].parameters[k]) }
        moved.parameters[k] = Float(Double(n) * sum)
      }
      return moved
    }
  }
}
