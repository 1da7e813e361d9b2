/// Means and variances of predictions for all combinations of draws of four sources.
///
/// The variance of the means is taken apart as in an analysis of variance, by products of two means (U-statistics:
/// Hoeffding 1948). Where two combinations have no draw in common, the product's average is the squared mean; where they
/// have one source's draw in common and no other, it is larger by that source's own part. Nothing is biased by few draws of
/// a source, and a sum of functions of single sources has an interaction of exactly nothing. A source with a single draw has no
/// part. The weights are a source given the training rows, p(w | train_t): their part is what two means with the same training rows have in
/// common beyond these where the weights are the same, so that it has their interaction with the training rows too.
package struct CrossedDesign {
  /// Draws of the new input, the testing rows, the training rows and the weights.
  package let levels: [Int]
  /// Mean and variance of the prediction for every combination, the last source fastest.
  package var means: [Double]
  package var variances: [Double]

  /// - Parameter levels: draws of the four sources, at least one each.
  package init(levels: [Int]) {
    precondition(levels.count == 4 && levels.allSatisfy { $0 > 0 })
    self.levels = levels
    let count = levels.reduce(1, *)
    (means, variances) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
  }

  /// Takes the variance apart.
  package func decompose() -> VarianceBySource {
    let count = Double(means.count)
    let mean = means.reduce(0, +) / count
    let square = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let sums = sumsOfSquares(about: mean)
    let apart = product(sharing: 0, sums)
    var parts = (0..<4).map { s in levels[s] > 1 ? product(sharing: 1 << s, sums) - apart : 0 }
    if levels[3] > 1, levels[2] > 1 {
      parts[3] = product(sharing: 1 << 3 | 1 << 2, sums) - product(sharing: 1 << 2, sums)
    }
    parts.append(variances.reduce(0, +) / count)
    return VarianceBySource(
      mean: mean, parts: parts, interaction: square - apart - parts[..<4].reduce(0, +))
  }

  /// For every set of sources, of which bit s stands for source s: the sum over its combinations of draws of the squared
  /// sum over the others' draws, which is the sum of the products of all pairs that have at least the set's draws in common.
  private func sumsOfSquares(about mean: Double) -> [Double] {
    var sums = [Double](repeating: 0, count: 16)
    for set in 0..<16 {
      // Steps of the set's own combinations for each source; 0 where a source is summed over.
      var steps = [Int](repeating: 0, count: 4)
      var combinations = 1
      for s in stride(from: 3, through: 0, by: -1) where set >> s & 1 == 1 {
        steps[s] = combinations
        combinations *= levels[s]
      }
      var partial = [Double](repeating: 0, count: combinations)
      var index = 0
      for a in 0..<levels[0] {
        for b in 0..<levels[1] {
          for c in 0..<levels[2] {
            let place = a * steps[0] + b * steps[1] + c * steps[2]
            for d in 0..<levels[3] {
              partial[place + d * steps[3]] += means[index] - mean
              index += 1
            }
          }
        }
      }
      sums[set] = partial.reduce(0) { $0 + $1 * $1 }
    }
    return sums
  }

  /// Mean product of two combinations that have the draws of `shared` in common and no others, by inclusion and exclusion.
  private func product(sharing shared: Int, _ sums: [Double]) -> Double {
    // What every pair has in common is no draw.
    let sources = (0..<4).reduce(0) { levels[$1] > 1 ? $0 | 1 << $1 : $0 }
    var (sum, pairs) = (0.0, 1.0)
    for set in 0..<16 where set & shared == shared && set & ~sources == 0 {
      let more = (set & ~shared).nonzeroBitCount
      sum += (more % 2 == 0 ? 1 : -1) * sums[set]
    }
    for s in 0..<4 where levels[s] > 1 {
      pairs *= Double(shared >> s & 1 == 1 ? levels[s] : levels[s] * (levels[s] - 1))
    }
    return sum / pairs
  }
}
