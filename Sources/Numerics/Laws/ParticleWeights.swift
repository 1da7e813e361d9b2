import Glibc

/// Normalised importance weights of the members.
package struct ParticleWeights {
  /// `[members]`, of sum one.
  package private(set) var values: [Double]

  package init(members: Int) {
    values = [Double](repeating: 1 / Double(members), count: members)
  }

  /// Takes the weights whose logarithms are these, but for a constant.
  package mutating func take(logarithms: [Double]) {
    let most = logarithms.max() ?? 0
    var sum = 0.0
    for m in values.indices {
      values[m] = exp(logarithms[m] - most)
      sum += values[m]
    }
    for m in values.indices { values[m] /= sum }
  }

  /// 1 / sum of squares: how many equal weights they are worth.
  package var effectiveSize: Double { 1 / values.reduce(0) { $0 + $1 * $1 } }

  /// How often each member is taken by systematic resampling (Kitagawa 1996): one draw, then equal steps.
  ///
  /// - Parameter uniform: the draw, in (0, 1).
  package func copies(uniform: Double) -> [Int] {
    let count = values.count
    var copies = [Int](repeating: 0, count: count)
    var (next, sum) = (0, 0.0)
    for m in 0..<count {
      sum += values[m]
      // Rounding must not lose the last one.
      let end = m == count - 1 ? Double(count) : sum * Double(count)
      while next < count, Double(next) + uniform < end {
        copies[m] += 1
        next += 1
      }
    }
    return copies
  }

  /// The member that each one becomes: itself as long as it is taken at all, and otherwise one that is taken several
  /// times, in their order, so that few move.
  package static func ancestors(_ copies: [Int]) -> [Int] {
    var spare: [Int] = []
    for (m, count) in copies.enumerated() where count > 1 { spare += repeatElement(m, count: count - 1) }
    var next = 0
    return copies.indices.map { m in
      if copies[m] > 0 { return m }
      next += 1
      return spare[next - 1]
    }
  }

  /// The share beta of the log-likelihood, in (0, 1], for which the effective size is at least `least`, by bisection.
  package static func temper(_ logarithms: [Double], least: Double) -> Double {
    func size(_ beta: Double) -> Double {
      let most = logarithms.max() ?? 0
      var (sum, squares) = (0.0, 0.0)
      for l in logarithms {
        let w = exp(beta * (l - most))
        sum += w
        squares += w * w
      }
      return sum * sum / squares
    }
    guard size(1) < least else { return 1 }
    var (low, high) = (0.0, 1.0)
    for _ in 0..<50 {
      let middle = 0.5 * (low + high)
      if size(middle) < least { high = middle } else { low = middle }
    }
    return max(low, 1e-9)
  }
}
