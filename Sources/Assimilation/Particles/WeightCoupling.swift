import DaunceNumerics

/// Importance weights of the members, and the coupling of equal weights to them by distance in h(x), measured in the
/// observations' errors.
struct WeightCoupling {
  private(set) var weights: ParticleWeights
  private var logarithms: [Double]
  private var cost: [Double]
  private var meanCost = 0.0

  init(members: Int) {
    weights = ParticleWeights(members: members)
    logarithms = [Double](repeating: 0, count: members)
    cost = [Double](repeating: 0, count: members * members)
  }

  /// Takes the weights alone.
  mutating func weigh(_ problem: ObservedProblem) {
    for m in logarithms.indices { logarithms[m] = 0 }
    problem.addLogLikelihood(to: &logarithms)
    weights.take(logarithms: logarithms)
  }

  mutating func take(_ problem: ObservedProblem) {
    let n = problem.members
    weigh(problem)
    for i in cost.indices { cost[i] = 0 }
    for k in 0..<problem.count {
      let (row, inverse) = (problem.row(k), 1 / problem.errors[k].variance)
      for i in 0..<n {
        for j in 0..<n {
          let distance = row[i] - row[j]
          cost[i * n + j] += inverse * distance * distance
        }
      }
    }
    meanCost = cost.reduce(0, +) / Double(n * n)
  }

  func couple(by sinkhorn: Sinkhorn, regularisation: Double) {
    sinkhorn.solve(
      cost: cost, weights: weights.values, regularisation: regularisation * meanCost, tolerance: 1e-3, mostIterations: 500)
  }
}
