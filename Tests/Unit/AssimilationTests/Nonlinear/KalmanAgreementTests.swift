import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceState
import Foundation
import Testing

/// Normal priors and linear operators: what no method should do worse than sampling allows.
@Suite struct KalmanAgreementTests {
  /// A method, and how far its mean may be from Kalman's over what the ensemble adjustment's is.
  struct Method: Sendable, CustomStringConvertible {
    let description: String
    let method: LocalAnalysis.Method

    init(_ name: String, _ method: LocalAnalysis.Method) { (description, self.method) = (name, method) }

    private static func serial(_ make: @escaping @Sendable (Int) -> any NonlinearUpdate) -> LocalAnalysis.Method {
      .nonlinear(NonlinearMethod(.serial, make: make))
    }
    private static func scalar(_ make: @escaping @Sendable (Int) -> any ScalarUpdate) -> LocalAnalysis.Method {
      serial { RegressedUpdate(make($0), members: $0, window: nil) }
    }

    static let all = [
      Method("letkf", .transform),
      Method("particle-filter", serial { ParticleFilter(members: $0, settings: .init()) }),
      Method("tempered", serial { ParticleFilter(members: $0, settings: .init(temperedShare: 0.5)) }),
      Method("localized-particle-filter", .particles(LocalizedParticles())),
      Method("transport", serial { Transport(members: $0, settings: .init()) }),
      Method("schroedinger-bridge", serial { SchroedingerBridge(members: $0, settings: .init()) }),
      Method("particle-flow", scalar { ParticleFlow(members: $0, settings: .init()) }),
      Method("langevin", scalar { Langevin(members: $0, settings: .init()) }),
      Method("diffusion", scalar { Diffusion(members: $0, settings: .init()) }),
      Method("interpolants", scalar { Interpolants(members: $0, settings: .init()) }),
      Method("rank-histogram", .quantile(QuantileMethod(.rankHistogram))),
      Method("kernel-density", .quantile(QuantileMethod(.kernelDensity))),
      Method("gamma", .quantile(QuantileMethod(.gamma))),
      Method("bounded-normal", .quantile(QuantileMethod(.boundedNormal))),
    ]
  }

  private static let members = 100

  /// A problem with the exact answer: covariance by distance on a ring of `size` values, of which every second one is
  /// observed.
  private struct Problem {
    let size: Int
    let halfWidth: Double?
    let layout: StateLayout
    let covariance: [Double]
    let root: [Double]
    let observed: [Int]
    let r = 0.5

    init(size: Int, halfWidth: Double?) {
      (self.size, self.halfWidth) = (size, halfWidth)
      layout = size == 1
        ? StateLayout(geometry: Geometry(axes: []), grids: [.point], fields: [Field(name: "x")])
        : StateLayout(ring: size, length: Double(size), fields: [Field(name: "x")])
      let n = size
      covariance = (0..<n * n).map { k in
        let d = abs(k / n - k % n)
        return exp(-0.5 * pow(Double(min(d, n - d)) / 2, 2)) + (k / n == k % n ? 0.05 : 0)
      }
      // Cholesky's factor.
      var l = [Double](repeating: 0, count: n * n)
      for i in 0..<n {
        for j in 0...i {
          let sum = (0..<j).reduce(covariance[i * n + j]) { $0 - l[i * n + $1] * l[j * n + $1] }
          l[i * n + j] = i == j ? sum.squareRoot() : sum / l[j * n + j]
        }
      }
      root = l
      observed = Swift.stride(from: 0, to: n, by: 2).map { $0 }
    }

    func draw(_ stream: RandomStream) -> [Double] {
      let z = (0..<size).map { stream.normal(at: $0) }
      return (0..<size).map { i in (0...i).reduce(0) { $0 + root[i * size + $1] * z[$1] } }
    }

    /// Kalman's mean and variances, one observation after the other.
    func posterior(_ y: [Double]) -> (mean: [Double], variance: [Double]) {
      var (mean, p) = ([Double](repeating: 0, count: size), covariance)
      for (k, i) in observed.enumerated() {
        let gain = (0..<size).map { p[$0 * size + i] / (p[i * size + i] + r) }
        let innovation = y[k] - mean[i]
        let row = (0..<size).map { p[i * size + $0] }
        for a in 0..<size {
          mean[a] += gain[a] * innovation
          for b in 0..<size { p[a * size + b] -= gain[a] * row[b] }
        }
      }
      return (mean, (0..<size).map { p[$0 * size + $0] })
    }

    /// Root mean square over seeds and elements of the mean's distance from Kalman's, and mean variance over Kalman's.
    func distance(_ method: LocalAnalysis.Method, seeds: Int) throws -> (error: Double, spread: Double) {
      var (square, ratio, count) = (0.0, 0.0, 0.0)
      for seed in 0..<seeds {
        let truth = draw(RandomStream(seed: UInt64(seed), purpose: .test, member: 9_999))
        let stream = RandomStream(seed: UInt64(seed), purpose: .test, member: 8_888)
        let y = observed.enumerated().map { truth[$1] + r.squareRoot() * stream.normal(at: $0) }
        let known = posterior(y)
        let states = (0..<members).map { draw(RandomStream(seed: UInt64(seed), purpose: .test, member: $0)) }
        let part = PartialEnsemble(elements: 0..<size, members: members)
        for i in 0..<size { for m in 0..<members { part.row(i)[m] = states[m][i] } }
        let ensemble = ObservedEnsemble(
          places: observed.map { layout.place(of: $0) }, kinds: observed.map { _ in 0 }, values: y,
          errorVariances: observed.map { _ in r }, memberValues: states.flatMap { state in observed.map { state[$0] } },
          members: members)
        let reach = halfWidth.map { DistanceLocalization.Reach.within([$0]) } ?? .everywhere
        let tiles = StatePartition(layout, ranks: 1).tiles
        let analysis = LocalAnalysis(layout: layout, method: method, seed: UInt64(seed + 1))
        try analysis.update(
          part, tiles: tiles[...], observed: ensemble,
          localization: DistanceLocalization(reaches: [[reach]], observed: [[reach]]))
        for i in 0..<size {
          let new = (0..<members).map { part.row(i)[$0] }
          let mean = new.reduce(0, +) / Double(members)
          let variance = new.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members - 1)
          square += (mean - known.mean[i]) * (mean - known.mean[i])
          ratio += variance / known.variance[i]
          count += 1
        }
      }
      return ((square / count).squareRoot(), ratio / count)
    }
  }

  /// In 1, 2 and 40 dimensions, the last with localization.
  @Test(arguments: Method.all, [1, 2, 40]) func meanAndSpreadAreKalmans(method: Method, size: Int) throws {
    let problem = Problem(size: size, halfWidth: size == 40 ? 6 : nil)
    let seeds = size == 40 ? 3 : 20
    let known = try problem.distance(.eakf, seeds: seeds)
    let found = try problem.distance(method.method, seeds: seeds)
    // Weights know no covariance: they are wrong by chance about what has nothing to do with an observation.
    #expect(found.error < 3 * known.error, "\(found), the adjustment's \(known)")
    #expect(abs(found.spread - known.spread) < 0.2, "\(found), the adjustment's \(known)")
  }
}
