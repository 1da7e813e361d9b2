/// Takes the variance of such values apart, as `CrossedDesign` does: by products of two values (U-statistics: Hoeffding
/// 1948), always of ensembles with different draws.
package final class PairedVariance {
  /// Of one element of the state.
  package struct Parts: Sendable, Hashable {
    package var mean = 0.0
    /// Mean square about the mean.
    package var square = 0.0
    /// Parts of sources by themselves. That of the weights is given the training: agents of two trainings have no draw in
    /// common.
    package var newInput = 0.0
    package var trainingData = 0.0
    package var weights = 0.0
    /// What they make together beyond that.
    package var interaction = 0.0

    /// No parts, all of them 0.
    package init() {}

    /// The numbers one after the other.
    package var numbers: [Double] { [mean, square, newInput, trainingData, weights, interaction] }
    /// How many these are.
    package static let count = 6

    /// From such numbers.
    package init(_ numbers: ArraySlice<Double>) {
      let own = Array(numbers)
      (mean, square, newInput) = (own[0], own[1], own[2])
      (trainingData, weights, interaction) = (own[3], own[4], own[5])
    }
  }

  private enum Shared {
    static let member = 1
    static let training = 2
    static let agent = 4
  }

  private let design: PairedDesign
  /// Cells, `[training][pairing][member]`.
  private let cells: Int
  /// Number of the group of every cell, and of groups, for every set of sources that a group has in common.
  private let groups: [[Int]]
  private let groupCounts: [Int]
  /// Pairs of values in a common group.
  private let pairs: [Double]
  /// Sums of the groups, `[draw][group]`.
  private var sums: [Double]
  private var products = [Double](repeating: 0, count: 8)
  private let sources: Int

  package init(_ design: PairedDesign) {
    self.design = design
    let (n, k, c) = (design.members, design.pairings, design.trainings)
    cells = c * k * n
    sources = Shared.member | Shared.agent | (c > 1 ? Shared.training : 0)
    var (groups, counts, pairs) = ([[Int]](), [Int](), [Double]())
    for set in 0..<8 {
      var known: [Int: Int] = [:]
      var sizes: [Double] = []
      let own = (0..<cells).map { cell -> Int in
        let (training, pairing, member) = (cell / (k * n), cell / n % k, cell % n)
        var key = set & Shared.member != 0 ? member : 0
        key = key * c + (set & Shared.training != 0 ? training : 0)
        key = key * n + (set & Shared.agent != 0 ? design.agent(of: member, pairing: pairing) : 0)
        let group = known[key] ?? known.count
        if group == sizes.count { sizes.append(0) }
        sizes[group] += 1
        known[key] = group
        return group
      }
      groups.append(own)
      counts.append(sizes.count)
      pairs.append(sizes.reduce(0) { $0 + $1 * $1 } * Double(design.draws * (design.draws - 1)))
    }
    (self.groups, groupCounts, self.pairs) = (groups, counts, pairs)
    sums = [Double](repeating: 0, count: cells * design.draws)
  }

  /// - Parameter values: `[ensemble][member]`.
  package func take(_ values: UnsafePointer<Double>) -> Parts {
    var parts = moments(values)
    for set in 0..<8 where set & ~sources == 0 { products[set] = product(set, values, parts.mean) }
    let apart = mean(sharing: 0)
    parts.newInput = mean(sharing: Shared.member) - apart
    if sources & Shared.training != 0 {
      let sameTraining = mean(sharing: Shared.training)
      parts.trainingData = sameTraining - apart
      parts.weights = mean(sharing: Shared.training | Shared.agent) - sameTraining
    } else {
      parts.weights = mean(sharing: Shared.agent) - apart
    }
    parts.interaction = mean(sharing: sources) - apart - parts.newInput - parts.trainingData - parts.weights
    return parts
  }

  /// Mean and mean square alone.
  package func moments(_ values: UnsafePointer<Double>) -> Parts {
    var parts = Parts()
    for i in 0..<design.count { parts.mean += values[i] }
    parts.mean /= Double(design.count)
    for i in 0..<design.count { parts.square += (values[i] - parts.mean) * (values[i] - parts.mean) }
    parts.square /= Double(design.count)
    return parts
  }

  /// Sum of the products of all pairs of values in a common group with different draws.
  private func product(_ set: Int, _ values: UnsafePointer<Double>, _ mean: Double) -> Double {
    let (n, draws, count) = (design.members, design.draws, groupCounts[set])
    return sums.withUnsafeMutableBufferPointer { sums in
      groups[set].withUnsafeBufferPointer { groups in
        for i in 0..<draws * count { sums[i] = 0 }
        for block in 0..<cells / n {
          for r in 0..<draws {
            let (own, first) = (values + (block * draws + r) * n, r * count)
            for m in 0..<n { sums[first + groups[block * n + m]] += own[m] - mean }
          }
        }
        var product = 0.0
        for g in 0..<count {
          var (sum, squares) = (0.0, 0.0)
          for r in 0..<draws {
            let own = sums[r * count + g]
            sum += own
            squares += own * own
          }
          product += sum * sum - squares
        }
        return product
      }
    }
  }

  /// Mean product of two values that have the draws of `shared` in common and no others, by inclusion and exclusion.
  private func mean(sharing shared: Int) -> Double {
    var (sum, count) = (0.0, 0.0)
    for set in 0..<8 where set & shared == shared && set & ~sources == 0 {
      let sign = (set & ~shared).nonzeroBitCount % 2 == 0 ? 1.0 : -1
      sum += sign * products[set]
      count += sign * pairs[set]
    }
    return sum / count
  }
}

extension PairedVariance.Parts {
  /// The predictive law's variance by source: members' variance, in the size that held-back truths ask for. What the other
  /// sources do not make of it is the function's; where they make more, they are held to it, all in the same proportion.
  package func bySource(_ law: ResidualLaw.Law) -> VarianceBySource {
    let testing = square * law.testing
    let rest = square * (law.variance - law.testing)
    let others = newInput + trainingData + weights + interaction
    let share = others > rest && others > 0 ? max(0, rest) / others : 1
    return VarianceBySource(
      mean: mean + square.squareRoot() * law.mean,
      parts: [share * newInput, testing, share * trainingData, share * weights, rest - share * others],
      interaction: share * interaction)
  }
}
