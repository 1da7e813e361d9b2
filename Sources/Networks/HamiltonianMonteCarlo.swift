package import DaunceNumerics
import Glibc

/// Draws of a network's weights from p(w | rows) by Hamiltonian Monte Carlo (Duane et al. 1987; Neal 2011): a particle that
/// rolls over -log p with random pushes, each path being taken or refused so that the law is exact, whatever the steps are.
///
/// Masses are the diagonal of the precision at the start. The step's length is adapted over the first half of the paths until four of five
/// are taken, and then left alone.
package struct HamiltonianMonteCarlo: Sendable {
  /// Paths, and most steps of each; the number of steps is drawn for each path.
  package var paths: Int
  package var steps = 60
  /// Share of the paths that are taken.
  private static let target = 0.8

  /// - Parameter paths: from one end of a chain to the other.
  package init(paths: Int) { self.paths = paths }

  /// Where a chain ends.
  package struct End: Sendable {
    package var network: Network
    /// Share of the second half's paths that were taken.
    package var accepted = 0.0
  }

  /// - Parameters:
  ///   - start: a likely network.
  ///   - stream: of this chain.
  package func draw(from start: Network, _ posterior: WeightPosterior, prior: WeightPrior, stream: RandomStream) -> End {
    let count = start.parameters.count
    let information = WeightInformation(start)
    posterior.add(to: information, at: start)
    let masses = zip(information.diagonal, prior.deviations).map { $0 + 1 / Double($1 * $1) }
    var end = End(network: start)
    var gradient = [Float](repeating: 0, count: count)
    var density = posterior.logDensity(start, gradient: &gradient)
    var (length, taken, next) = (0.1, 0, 0)
    var push = [Double](repeating: 0, count: count)
    for path in 0..<paths {
      for k in 0..<count { push[k] = masses[k].squareRoot() * stream.normal(at: next + k) }
      next += count + (count & 1)
      let (uniform, among) = (stream.uniform(at: next), stream.uniform(at: next + 1))
      next += 2
      var network = end.network
      var slope = gradient
      let before = density - kinetic(push, masses)
      var found = density
      for _ in 0..<max(1, Int(among * Double(steps) + 1)) {
        for k in 0..<count {
          push[k] += 0.5 * length * Double(slope[k])
          network.parameters[k] += Float(length * push[k] / masses[k])
        }
        found = posterior.logDensity(network, gradient: &slope)
        for k in 0..<count { push[k] += 0.5 * length * Double(slope[k]) }
      }
      let change = found - kinetic(push, masses) - before
      let probability = change.isFinite ? min(1, exp(min(0, change))) : 0
      if uniform < probability {
        (end.network, gradient, density) = (network, slope, found)
        if 2 * path >= paths { taken += 1 }
      }
      if 2 * path < paths { length *= exp(0.5 * (probability - Self.target) / Double(1 + path).squareRoot()) }
    }
    end.accepted = Double(taken) / Double(max(1, paths - (paths + 1) / 2))
    return end
  }

  private func kinetic(_ push: [Double], _ masses: [Double]) -> Double {
    zip(push, masses).reduce(0) { $0 + 0.5 * $1.0 * $1.0 / $1.1 }
  }
}
