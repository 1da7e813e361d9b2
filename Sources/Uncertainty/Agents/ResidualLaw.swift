import DaunceNumerics
import Glibc

/// The law of a truth given what agents predict, from held-back truths: p(x | w, z, test_t).
///
/// A truth is as far from the predicted mean, in units of the predicted standard deviation, as held-back truths were where the
/// prediction was as sure: predicted variances have a few classes with equally many residuals each. Which truths were held back is
/// chance: draws of the testing data weigh them anew (Bayesian bootstrap: Rubin 1981).
package struct ResidualLaw: Sendable {
  /// Residuals of one field and class of its predicted variance.
  package struct Law: Sendable {
    /// Mean and variance in units of the predicted standard deviation.
    package var mean = 0.0
    package var variance = 1.0
    /// Variance of the mean over draws of the testing data.
    package var testing = 0.0
    /// Shares of the residuals up to the end of each step.
    fileprivate var cumulative: [Double] = []

    /// The residual that a share of `probability` is below, linear within a step.
    package func quantile(_ probability: Double) -> Double {
      var (low, high) = (0, cumulative.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] < probability { low = middle + 1 } else { high = middle }
      }
      let below = low > 0 ? cumulative[low - 1] : 0
      let share = cumulative[low] > below ? (probability - below) / (cumulative[low] - below) : 0.5
      return ResidualCounts.value(of: low) + (min(max(share, 0), 1) - 0.5) / 20
    }
  }

  /// `[field][class]`
  package let laws: [[Law]]
  /// First class of predicted variances that is not in a class of laws, `[field][class]`.
  private let ends: [[Int]]

  /// - Parameters:
  ///   - truths: counts of every held-back truth.
  ///   - classes: of predicted variances.
  ///   - draws: of the testing data; fewer than two: their part is not estimated.
  package init(_ truths: [ResidualCounts], fields: Int, classes: Int, draws: Int, seed: UInt64) {
    let weights = (0..<max(0, draws)).map { b -> [Double] in
      let stream = RandomStream(seed: seed, purpose: .testingRows, member: b)
      let sizes = truths.indices.map { -log(stream.uniform(at: $0)) }
      let mean = sizes.reduce(0, +) / Double(sizes.count)
      return sizes.map { $0 / mean }
    }
    var (laws, ends) = ([[Law]](), [[Int]]())
    for field in 0..<fields {
      let own = Self.ends(truths, field: field, classes: classes)
      ends.append(own)
      laws.append(
        own.indices.map { k in
          Self.law(truths, field: field, variances: (k > 0 ? own[k - 1] : 0)..<own[k], weights)
        })
    }
    (self.laws, self.ends) = (laws, ends)
  }

  /// The law of a field where the predicted variance, over the field's scale squared, is this.
  package func law(field: Int, variance: Double) -> Law {
    let number = ResidualCounts.variance(variance)
    return laws[field][ends[field].firstIndex { number < $0 } ?? ends[field].count - 1]
  }

  /// Cuts the variances where the counts before have reached the next k-th of all.
  private static func ends(_ truths: [ResidualCounts], field: Int, classes: Int) -> [Int] {
    let residuals = ResidualCounts.residuals
    let totals = (0..<ResidualCounts.variances).map { v -> Double in
      let first = field * ResidualCounts.each + v * residuals
      return truths.reduce(0) { sum, truth in truth.counts[first..<first + residuals].reduce(sum, +) }
    }
    let all = totals.reduce(0, +)
    var (ends, sum) = ([Int](), 0.0)
    for (v, own) in totals.enumerated() {
      // At the nearer side of a step that goes over a border.
      let border = all * Double(ends.count + 1) / Double(classes)
      if own > 0, ends.count < classes - 1, sum > 0, v > (ends.last ?? 0), sum + 0.5 * own >= border { ends.append(v) }
      sum += own
    }
    ends.append(ResidualCounts.variances)
    return ends
  }

  private static func law(
    _ truths: [ResidualCounts], field: Int, variances: Range<Int>, _ weights: [[Double]]
  ) -> Law {
    let residuals = ResidualCounts.residuals
    // Residuals by truth, whatever their variance.
    let own = truths.map { truth in
      (0..<residuals).map { r in
        variances.reduce(0) { $0 + truth.counts[field * ResidualCounts.each + $1 * residuals + r] }
      }
    }
    let counts = (0..<residuals).map { r in own.reduce(0) { $0 + $1[r] } }
    let all = counts.reduce(0, +)
    var law = Law()
    guard all > 0 else {
      // Nothing like it was seen: a standard normal law.
      law.cumulative = (0..<residuals).map { 0.5 * erfc(-(ResidualCounts.value(of: $0) + 0.025) / 2.0.squareRoot()) }
      return law
    }
    law.mean = counts.enumerated().reduce(0) { $0 + $1.element * ResidualCounts.value(of: $1.offset) } / all
    law.variance = counts.enumerated().reduce(0) { sum, step in
      let d = ResidualCounts.value(of: step.offset) - law.mean
      return sum + step.element * d * d
    } / all
    var sum = 0.0
    law.cumulative = counts.map { count in
      sum += count
      return sum / all
    }
    guard weights.count > 1 else { return law }
    let sums = own.map { $0.enumerated().reduce(0) { $0 + $1.element * ResidualCounts.value(of: $1.offset) } }
    let sizes = own.map { $0.reduce(0, +) }
    let means = weights.map { w in
      zip(w, sums).reduce(0) { $0 + $1.0 * $1.1 } / max(zip(w, sizes).reduce(0) { $0 + $1.0 * $1.1 }, 1e-300)
    }
    let mean = means.reduce(0, +) / Double(means.count)
    law.testing = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count - 1)
    return law
  }
}
