import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceState
import Foundation
import Testing

/// Nonlinear updates against exact posteriors: two modes, normal laws, a transport plan.
@Suite struct NonlinearTests {
  /// An update by name, as a test's argument.
  struct Method: Sendable, CustomStringConvertible {
    let description: String
    let make: @Sendable (_ members: Int) -> any NonlinearUpdate

    static let particles = Method(description: "particle-filter") { ParticleFilter(members: $0, settings: .init()) }
    static let tempered = Method(description: "tempered") {
      ParticleFilter(members: $0, settings: .init(temperedShare: 0.5))
    }
    static let transport = Method(description: "transport") { Transport(members: $0, settings: .init()) }
    static let firstOrder = Method(description: "transport, first order") {
      Transport(members: $0, settings: .init(secondOrder: false))
    }
    static let bridge = Method(description: "schroedinger-bridge") { SchroedingerBridge(members: $0, settings: .init()) }
    static let flow = Method(description: "particle-flow") {
      RegressedUpdate(ParticleFlow(members: $0, settings: .init()), members: $0, window: 0.3)
    }
    static let diffusion = guided(.kernelMixture)

    static func guided(_ likelihood: Diffusion.Likelihood) -> Method {
      Method(description: "diffusion, \(likelihood.rawValue)") {
        RegressedUpdate(Diffusion(members: $0, settings: .init(likelihood: likelihood)), members: $0, window: 0.3)
      }
    }
  }

  // MARK: Two modes

  private struct Posteriors: Decodable {
    struct Component: Decodable {
      let weight: Double
      let mean, sd: [Double]
    }
    struct Case: Decodable {
      let observation: Double
      let observationSd, priorSd: Double?
      let components: [Component]
      let mean: [Double]

      var sd: [Double] {
        (0..<2).map { i in
          components.reduce(-mean[i] * mean[i]) { $0 + $1.weight * ($1.sd[i] * $1.sd[i] + $1.mean[i] * $1.mean[i]) }
            .squareRoot()
        }
      }
    }
    let cases: [Case]
  }

  private static let members = 100

  /// Moments of two components after an update by the first one's observation, and mean absolute errors of both
  /// means, over seeds.
  private func moments(
    _ one: Posteriors.Case, by method: Method, seeds: Int
  ) -> (mean: [Double], sd: [Double], errors: [Double]) {
    let members = Self.members
    var (mean, sd, errors) = ([0.0, 0], [0.0, 0], [0.0, 0])
    for seed in 0..<seeds {
      let stream = RandomStream(seed: UInt64(seed), purpose: .test)
      let part = PartialEnsemble(elements: 0..<2, members: members)
      for m in 0..<members {
        let mode = stream.uniform(at: 1000 + m) < 0.5 ? 3.0 : 0.8
        let pair = stream.normalPair(at: m)
        part.row(0)[m] = mode + (one.priorSd ?? 0.1) * pair.0
        part.row(1)[m] = mode + (one.priorSd ?? 0.1) * pair.1
      }
      let matrix = Self.solve(
        method.make(members), part.row(0), y: one.observation, r: pow(one.observationSd ?? 0.1, 2), seed: UInt64(seed))
      for i in 0..<2 {
        let new = Self.combined(part.row(i), matrix)
        let average = new.reduce(0, +) / Double(members)
        let square = new.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(members - 1)
        mean[i] += average / Double(seeds)
        sd[i] += square.squareRoot() / Double(seeds)
        errors[i] += abs(average - one.mean[i]) / Double(seeds)
      }
    }
    return (mean, sd, errors)
  }

  /// The matrix of an update by one observation of what `row` holds.
  private static func solve(
    _ update: any NonlinearUpdate, _ row: UnsafeMutablePointer<Double>, y: Double, r: Double, seed: UInt64
  ) -> MemberMatrix {
    let (members, stride) = (members, PartialEnsemble.stride(of: members))
    let mean = (0..<members).reduce(0) { $0 + row[$1] } / Double(members)
    var anomalies = [Double](repeating: 0, count: stride)
    for m in 0..<members { anomalies[m] = row[m] - mean }
    let problem = ObservedProblem(members: members)
    problem.add(anomalies, innovation: y - mean, error: ObservationError(variance: r))
    let matrix = MemberMatrix(members: members)
    update.solve(problem, noise: RandomStream(seed: seed, purpose: .nonlinearUpdate), into: matrix)
    return matrix
  }

  private static func combined(_ row: UnsafePointer<Double>, _ matrix: MemberMatrix) -> [Double] {
    (0..<members).map { j in (0..<members).reduce(0) { $0 + row[$1] * matrix[$1, j] } }
  }

  private static let cases: [Double: Posteriors.Case] = {
    let all = try? fixture("bimodal_posterior", as: Posteriors.self).cases
    return Dictionary(uniqueKeysWithValues: (all ?? []).map { ($0.observation, $0) })
  }()

  /// The observation beyond all members: the best of the methods find mean and spread of both components.
  @Test(arguments: [Method.diffusion, .flow]) func beyondAllMembers(method: Method) throws {
    let one = try #require(Self.cases[4])
    let found = moments(one, by: method, seeds: 20)
    for i in 0..<2 {
      #expect(abs(found.mean[i] - one.mean[i]) < 0.06 && found.errors[i] < 0.07, "\(found)")
      #expect(abs(found.sd[i] / one.sd[i] - 1) < 0.25, "\(found)")
    }
  }

  /// One mode of the two is right: all members go there, and the component that is not observed with them.
  @Test(arguments: [0.8, 2.5], [Method.diffusion, .flow]) func oneOfTwoModes(y: Double, method: Method) throws {
    let one = try #require(Self.cases[y])
    let found = moments(one, by: method, seeds: 20)
    for i in 0..<2 {
      #expect(found.errors[i] < 0.04, "\(found)")
      #expect(abs(found.sd[i] / one.sd[i] - 1) < 0.15, "\(found)")
    }
  }

  /// Particles by weights find the mode; among the members that are there, all of them have the right spread.
  @Test(arguments: [Method.particles, .tempered, .transport, .bridge]) func weightsFindTheMode(method: Method) throws {
    let one = try #require(Self.cases[0.8])
    let found = moments(one, by: method, seeds: 20)
    for i in 0..<2 {
      #expect(found.errors[i] < 0.04, "\(found)")
      #expect(abs(found.sd[i] / one.sd[i] - 1) < 0.25, "\(found)")
    }
  }

  /// Modes that a poor observation cannot tell apart keep their shares, within sampling error of a hundred members:
  /// the mean's is a tenth of the posterior's sd.
  @Test(arguments: [1.8, 2.2], [Method.diffusion, .particles, .tempered, .transport, .bridge])
  func sharesOfOverlappingModes(y: Double, method: Method) throws {
    let one = try #require(Self.cases[y])
    let found = moments(one, by: method, seeds: 20)
    for i in 0..<2 {
      #expect(found.errors[i] < 0.12 * one.sd[i], "\(found)")
      #expect(abs(found.sd[i] / one.sd[i] - 1) < 0.06, "\(found)")
    }
  }

  /// The form with a weight on the likelihood of what is noised fails, as the lecture says.
  @Test func adHocFormFails() throws {
    let one = try #require(Self.cases[1.8])
    let found = moments(one, by: .guided(.adHoc), seeds: 10)
    #expect(abs(found.mean[0] - one.mean[0]) > 0.2 || abs(found.sd[0] / one.sd[0] - 1) > 0.2, "\(found)")
  }

  /// The forms of the likelihood between, by what the prototype of each did: near the mode, too narrow beyond all members.
  @Test(arguments: [Diffusion.Likelihood.localMoments, .jointGaussian]) func otherFormsFindTheMode(_ form: Diffusion.Likelihood) throws {
    let one = try #require(Self.cases[0.8])
    let found = moments(one, by: .guided(form), seeds: 10)
    #expect(found.errors[0] < 0.05 && found.errors[1] < 0.05, "\(found)")
  }

  // MARK: Normal laws

  /// One normal quantity, observed: every method has Kalman's mean and spread within sampling error.
  @Test(arguments: [
    Method.particles, .tempered, .transport, .bridge, .flow, .diffusion,
  ]) func equalsKalmanForNormalLaws(method: Method) {
    let members = Self.members
    var (error, spread) = (0.0, 0.0)
    let (y, r, seeds) = (0.9, 0.5, 20)
    for seed in 0..<seeds {
      let stream = RandomStream(seed: UInt64(seed), purpose: .test)
      let part = PartialEnsemble(elements: 0..<1, members: members)
      for m in 0..<members { part.row(0)[m] = stream.normal(at: m) }
      let new = Self.combined(part.row(0), Self.solve(method.make(members), part.row(0), y: y, r: r, seed: UInt64(seed)))
      let mean = new.reduce(0, +) / Double(members)
      error += (mean - y / (1 + r)) / Double(seeds)
      spread += new.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members - 1) / Double(seeds)
    }
    // The prior's mean over all seeds is known to 0.022, the posterior's to a third of it.
    #expect(abs(error) < 0.04, "\(error)")
    #expect(abs((spread / (r / (1 + r))).squareRoot() - 1) < 0.08, "\(spread)")
  }

  /// An observation that says nothing leaves everything nearly where it is.
  @Test(arguments: [Method.particles, .tempered, .firstOrder, .diffusion]) func nothingSaidNothingMoved(method: Method) {
    let members = Self.members
    let stream = RandomStream(seed: 3, purpose: .test)
    let part = PartialEnsemble(elements: 0..<1, members: members)
    for m in 0..<members { part.row(0)[m] = stream.normal(at: m) }
    let new = Self.combined(part.row(0), Self.solve(method.make(members), part.row(0), y: 0.3, r: 1e9, seed: 1))
    let furthest = (0..<members).reduce(0) { max($0, abs(new[$1] - part.row(0)[$1])) }
    // Entropy smooths, and steps are not infinitely small.
    let allowed = [Method.firstOrder.description: 0.3, Method.diffusion.description: 0.1]
    #expect(furthest < allowed[method.description, default: 1e-6], "\(furthest)")
  }

  /// New members are combinations of the old ones whose weights add up to one, so that a constant stays.
  @Test(arguments: [Method.particles, .tempered, .transport, .firstOrder, .bridge, .flow, .diffusion])
  func constantsStay(method: Method) {
    let members = Self.members
    let stream = RandomStream(seed: 5, purpose: .test)
    let part = PartialEnsemble(elements: 0..<1, members: members)
    for m in 0..<members { part.row(0)[m] = stream.normal(at: m) }
    let matrix = Self.solve(method.make(members), part.row(0), y: 1.5, r: 0.2, seed: 2)
    for j in 0..<members {
      let sum = (0..<members).reduce(0) { $0 + matrix[$1, j] }
      #expect(abs(sum - 1) < 2e-3, "\(j): \(sum)")
    }
  }

  // MARK: Transport

  private struct Plan: Decodable {
    let points, plan, transported: [[Double]]
    let weights: [Double]
    let regularisation: Double
  }

  @Test func planIsTheOneOfAnIndependentSolver() throws {
    let known = try fixture("sinkhorn", as: Plan.self)
    let n = known.points.count
    let cost = known.points.flatMap { a in known.points.map { b in zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } } }
    let sinkhorn = Sinkhorn(count: n)
    sinkhorn.solve(cost: cost, weights: known.weights, regularisation: known.regularisation, tolerance: 1e-13, mostIterations: 100_000)
    for i in 0..<n {
      for j in 0..<n { #expect(abs(sinkhorn.plan[i * n + j] - known.plan[i][j]) < 1e-10) }
      for d in 0..<2 {
        let moved = (0..<n).reduce(0) { $0 + Double(n) * sinkhorn.plan[i * n + $1] * known.points[$1][d] }
        #expect(abs(moved - known.transported[i][d]) < 1e-8)
      }
    }
  }

  /// Marginals stay right where the kernel's entries are out of the range of numbers.
  @Test(arguments: [1e-3, 1e-2, 1]) func marginalsOfAPlan(regularisation: Double) {
    let n = 30
    let stream = RandomStream(seed: 8, purpose: .test)
    let x = (0..<n).map { stream.normal(at: $0) }
    var weights = ParticleWeights(members: n)
    weights.take(logarithms: x.map { -2 * ($0 - 1) * ($0 - 1) })
    let sinkhorn = Sinkhorn(count: n)
    sinkhorn.solve(
      cost: x.flatMap { a in x.map { (a - $0) * (a - $0) } }, weights: weights.values, regularisation: regularisation,
      tolerance: 1e-6, mostIterations: 20_000)
    for i in 0..<n {
      let row = (0..<n).reduce(0) { $0 + sinkhorn.plan[i * n + $1] }
      let column = (0..<n).reduce(0) { $0 + sinkhorn.plan[$1 * n + i] }
      #expect(abs(row * Double(n) - 1) < 1e-5)
      #expect(abs(column - weights.values[i]) < 1e-6)
    }
  }

  /// The corrected transport has the weighted mean and the unbiased weighted variance, with entropy and without.
  @Test(arguments: [nil, 0.02, 0.2]) func secondOrderIsExact(regularisation: Double?) {
    let members = Self.members
    let stream = RandomStream(seed: 11, purpose: .test)
    let part = PartialEnsemble(elements: 0..<1, members: members)
    for m in 0..<members { part.row(0)[m] = stream.normal(at: m) }
    let (y, r) = (1.2, 0.3)
    var weights = ParticleWeights(members: members)
    weights.take(logarithms: (0..<members).map { -0.5 * pow(part.row(0)[$0] - y, 2) / r })
    let mean = (0..<members).reduce(0) { $0 + weights.values[$1] * part.row(0)[$1] }
    let square = (0..<members).reduce(0) { $0 + weights.values[$1] * pow(part.row(0)[$1] - mean, 2) }
    let variance = square / (1 - 1 / weights.effectiveSize)
    let one = PartialEnsemble(elements: 0..<1, members: members)
    for m in 0..<members { one.row(0)[m] = part.row(0)[m] }
    let observed = ObservedEnsemble(
      places: [.nowhere], kinds: [0], values: [y], errorVariances: [r], memberValues: (0..<members).map { part.row(0)[$0] },
      members: members)
    let layout = StateLayout(geometry: Geometry(axes: []), grids: [.point], fields: [Field(name: "x")])
    let method = NonlinearMethod(.serial) { Transport(members: $0, settings: .init(regularisation: regularisation)) }
    #expect(throws: Never.self) {
      try LocalAnalysis(layout: layout, method: .nonlinear(method)).update(
        one, tiles: StatePartition(layout, ranks: 1).tiles[...], observed: observed,
        localization: .none(kinds: 1, fields: 1))
    }
    let new = (0..<members).map { one.row(0)[$0] }
    let newMean = new.reduce(0, +) / Double(members)
    let newVariance = new.reduce(0) { $0 + pow($1 - newMean, 2) } / Double(members - 1)
    // Of a plan with entropy only what its columns are off is lost.
    #expect(abs(newMean - mean) < 1e-10 && abs(newVariance - variance) < 1e-10, "\(newMean - mean) \(newVariance - variance)")
  }

  /// Without entropy members keep their order, and new ones are means of neighbours.
  @Test func plansOfOneQuantityKeepTheOrder() {
    let (n, stream) = (37, RandomStream(seed: 16, purpose: .test))
    let x = (0..<n).map { stream.normal(at: $0) }
    var weights = ParticleWeights(members: n)
    weights.take(logarithms: x.map { -2 * ($0 - 0.7) * ($0 - 0.7) })
    var (into, from, places) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    var pairs = 0
    x.withUnsafeBufferPointer { values in
      guard let start = values.baseAddress else { return }
      let order = MemberOrder(members: n)
      order.sort(start)
      order.forEachPair(to: order, weights: weights.values) { share, old, new in
        into[new] += share
        from[old] += share / Double(n)
        places[new] += share * x[old]
        pairs += 1
      }
    }
    #expect(pairs < 2 * n)
    for m in 0..<n { #expect(abs(into[m] - 1) < 1e-12 && abs(from[m] - weights.values[m]) < 1e-12) }
    let order = (0..<n).sorted { x[$0] < x[$1] }
    for (a, b) in zip(order, order.dropFirst()) { #expect(places[a] <= places[b] + 1e-12) }
  }

  /// The bridge ends where the weights are: so often as they say, and every member has one end.
  @Test func bridgesHaveBothMarginals() {
    let (n, draws) = (20, 4_000)
    let stream = RandomStream(seed: 15, purpose: .test)
    let problem = ObservedProblem(members: n)
    let row = (0..<PartialEnsemble.stride(of: n)).map { $0 < n ? stream.normal(at: $0) : 0 }
    problem.add(row, innovation: 0.8, error: ObservationError(variance: 0.4))
    var weights = ParticleWeights(members: n)
    weights.take(logarithms: (0..<n).map { -0.5 * pow(row[$0] - 0.8, 2) / 0.4 })
    let bridge = SchroedingerBridge(members: n, settings: .init(jitter: 0))
    let matrix = MemberMatrix(members: n)
    var ends = [Double](repeating: 0, count: n)
    for seed in 0..<draws {
      bridge.solve(problem, noise: RandomStream(seed: UInt64(seed), purpose: .nonlinearUpdate), into: matrix)
      for j in 0..<n {
        #expect((0..<n).reduce(0) { $0 + matrix[$1, j] } == 1)
        for i in 0..<n { ends[i] += matrix[i, j] / Double(n * draws) }
      }
    }
    for i in 0..<n {
      let w = weights.values[i]
      #expect(abs(ends[i] - w) < 4 * (w / Double(n * draws)).squareRoot() + 1e-3 * w, "\(i): \(ends[i]), \(w)")
    }
  }

  // MARK: Weights

  /// Every member is taken as often as its weight says, rounded up or down, and copies take the places of those lost.
  @Test func systematicResampling() {
    let stream = RandomStream(seed: 4, purpose: .test)
    for n in [1, 2, 7, 40] {
      var weights = ParticleWeights(members: n)
      weights.take(logarithms: (0..<n).map { 3 * stream.normal(at: $0) })
      let copies = weights.copies(uniform: 0.37)
      #expect(copies.reduce(0, +) == n)
      for m in 0..<n { #expect(abs(Double(copies[m]) - Double(n) * weights.values[m]) < 1 + 1e-9) }
      let ancestors = ParticleWeights.ancestors(copies)
      for m in 0..<n {
        #expect(ancestors.count { $0 == m } == copies[m])
        #expect(copies[m] == 0 || ancestors[m] == m)
      }
    }
  }

  /// The tempered share leaves the effective size that was asked for.
  @Test func temperKeepsSize() {
    let stream = RandomStream(seed: 6, purpose: .test)
    let logarithms = (0..<50).map { -8 * pow(stream.normal(at: $0), 2) }
    let share = ParticleWeights.temper(logarithms, least: 25)
    var weights = ParticleWeights(members: 50)
    weights.take(logarithms: logarithms.map { share * $0 })
    #expect(abs(weights.effectiveSize - 25) < 1e-6 && share < 1)
    #expect(ParticleWeights.temper(logarithms.map { 1e-3 * $0 }, least: 25) == 1)
  }
}
