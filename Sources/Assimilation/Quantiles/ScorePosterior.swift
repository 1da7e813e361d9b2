internal import DaunceNumerics
internal import Foundation

/// The posterior of a quantity in terms of the prior's normal scores z, in which every prior is standard normal:
///
///     p(z | y) ~ exp(-z^2 / 2) p(y | x(z))
///
/// By the trapezoidal rule: once roughly, to find where it is, then between the ends of that.
package final class ScorePosterior {
  private static let rough = 256
  private static let count = 512
  /// Logarithm of what is left out, relative to the largest density.
  private static let least = -30.0

  private let scores = Workspace<Double>(repeating: 0, count: ScorePosterior.count + 1)
  private let densities = Workspace<Double>(repeating: 0, count: ScorePosterior.count + 1)
  /// Integral from the lower end.
  private let integrals = Workspace<Double>(repeating: 0, count: ScorePosterior.count + 1)
  private let logarithms = Workspace<Double>(repeating: 0, count: ScorePosterior.count + 1)

  package init() {}

  /// Finds the posterior of a quantity.
  ///
  /// - Parameter y: observed, on the scale of the law's values.
  func take(_ law: any PriorLaw, y: Double, error: ObservationError) {
    let place = law.score(of: y)
    let furthest = NormalScore.furthest
    let low = max(-furthest, min(-NormalScore.most, place - 2))
    let high = min(furthest, max(NormalScore.most, place + 2))
    let step = (high - low) / Double(Self.rough)
    let most = fill(law, y, error, from: low, step: step, count: Self.rough)
    var (first, last) = (Self.rough, 0)
    for i in 0...Self.rough where logarithms.start[i] > most + Self.least {
      first = min(first, i)
      last = max(last, i)
    }
    let (start, end) = (low + Double(first - 1) * step, low + Double(last + 1) * step)
    let width = (end - start) / Double(Self.count)
    let top = fill(law, y, error, from: start, step: width, count: Self.count)
    for i in 0...Self.count { densities.start[i] = exp(logarithms.start[i] - top) }
    integrals.start[0] = 0
    for i in 1...Self.count {
      integrals.start[i] = integrals.start[i - 1] + 0.5 * width * (densities.start[i - 1] + densities.start[i])
    }
  }

  private func fill(
    _ law: any PriorLaw, _ y: Double, _ error: ObservationError, from start: Double, step: Double, count: Int
  ) -> Double {
    var most = -Double.infinity
    for i in 0...count {
      let z = start + Double(i) * step
      let departure = y - law.value(at: z)
      scores.start[i] = z
      logarithms.start[i] = -0.5 * z * z + error.logLikelihood(departure: departure)
      most = max(most, logarithms.start[i])
    }
    return most
  }

  /// The score below which the posterior has as much probability as the prior below `z`.
  func score(of z: Double) -> Double {
    let total = integrals.start[Self.count]
    // The smaller tail has the digits.
    let target = z < 0 ? total * StandardNormal.upperTail(-z) : total * (1 - StandardNormal.upperTail(z))
    var (low, high) = (0, Self.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if integrals.start[middle] <= target { low = middle } else { high = middle }
    }
    // The density is linear in between: its integral is a parabola.
    let width = scores.start[high] - scores.start[low]
    let (a, b, rest) = (densities.start[low], densities.start[high], target - integrals.start[low])
    let root = (a * a + 2 * (b - a) * rest / width).squareRoot()
    let part = a + root > 0 ? 2 * rest / (width * (a + root)) : 0.5
    return scores.start[low] + width * min(max(part, 0), 1)
  }
}
