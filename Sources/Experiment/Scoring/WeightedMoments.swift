import DaunceArchive

/// Mean, spread and quantiles of members that have weights, beside quantiles of the same members with equal ones.
final class WeightedMoments {
  /// Of sum 1, `[member]`.
  let weights: [Double]
  /// 1 less the sum of squared weights: what makes the variance unbiased, (N - 1) / N for equal ones.
  private let unbiased: Double
  private var order: [Int]
  /// Filled by `take`: `[element]`, and `[element][probability]`.
  private(set) var mean, spread, quantiles, weightedQuantiles: [Double]

  /// - Parameter width: elements of what is summarised.
  init(_ weights: [Double], width: Int) {
    self.weights = weights
    unbiased = 1 - weights.reduce(0) { $0 + $1 * $1 }
    order = Array(weights.indices)
    (mean, spread) = ([Double](repeating: 0, count: width), [Double](repeating: 0, count: width))
    quantiles = [Double](repeating: 0, count: width * AnalysisContents.probabilities.count)
    weightedQuantiles = quantiles
  }

  /// Summarises `count` elements of all members; to the results from element `first` on.
  ///
  /// - Parameter values: `[member][element]`.
  func take(_ values: [Double], count: Int, at first: Int) {
    let equal = [Double](repeating: 1 / Double(weights.count), count: weights.count)
    let probabilities = AnalysisContents.probabilities
    for i in 0..<count {
      var (average, squares) = (0.0, 0.0)
      for m in weights.indices { average += weights[m] * values[m * count + i] }
      for m in weights.indices {
        let d = values[m * count + i] - average
        squares += weights[m] * d * d
      }
      mean[first + i] = average
      // One agent with all of the weight has no spread.
      spread[first + i] = unbiased > 1e-12 ? (squares / unbiased).squareRoot() : 0
      order.sort { values[$0 * count + i] < values[$1 * count + i] }
      for (k, probability) in probabilities.enumerated() {
        let place = (first + i) * probabilities.count + k
        quantiles[place] = quantile(values, count, i, equal, probability)
        weightedQuantiles[place] = quantile(values, count, i, weights, probability)
      }
    }
  }

  /// The value with this much weight below it, linear between the middles of the members' weights.
  private func quantile(_ values: [Double], _ count: Int, _ i: Int, _ weights: [Double], _ probability: Double) -> Double {
    var (sum, last) = (0.0, (place: -Double.infinity, value: 0.0))
    for m in order where weights[m] > 0 {
      let (place, value) = (sum + 0.5 * weights[m], values[m * count + i])
      if place >= probability {
        guard last.place.isFinite else { return value }
        return last.value + (value - last.value) * (probability - last.place) / (place - last.place)
      }
      sum += weights[m]
      last = (place, value)
    }
    return last.value
  }
}
