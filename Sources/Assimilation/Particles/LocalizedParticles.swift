internal import DaunceNumerics
internal import DaunceState

/// Settings of the localized particle filter.
public struct LocalizedParticles: Sendable, Hashable {
  /// Difference of two of an ancestor's neighbours that is added to copies of it, over the square root of two.
  public var jitter: Double
  /// Least share of particles that an observation leaves: its error is taken as larger where it would leave fewer.
  public var leastShare: Double

  /// See the properties.
  public init(jitter: Double = 0.5, leastShare: Double = 0.3) {
    (self.jitter, self.leastShare) = (jitter, leastShare)
  }
}

/// The localized particle filter (Poterjoy 2016): observations one after the other; each resamples the particles that are near
/// it, and merges what it has drawn with what was there:
///
///     w_n     ~ p(y | h_n)^beta,   k_n drawn by w,   omega_n = omega_n (1 + l (N w0_n - 1)),   w0 of the prior's h
///     x_n     = xbar + r (x_{k_n} - xbar + c (x_n - xbar)),   c = (1 - l) / l
///
/// with the taper l, the mean xbar of the element's own weights omega and the r that gives their variance. Where l is 1 that is
/// resampling, and nothing moves where it is 0. Copies are told apart by differences of their ancestor's neighbours.
final class LocalizedParticleKernel: RowKernel {
  /// What one observation does.
  private struct Draw {
    /// N w0_n - 1 (`[members]`).
    var excess: [Double]
    /// k_n, and two neighbours whose difference is added (`[members]`).
    var ancestors, first, second: [Int32]
    var acts = false

    init(members: Int) {
      excess = [Double](repeating: 0, count: members)
      ancestors = [Int32](repeating: 0, count: members)
      (first, second) = (ancestors, ancestors)
    }
  }

  private let observed: ObservedEnsemble
  private let settings: LocalizedParticles
  private let seed: UInt64
  private let later: [(ids: [Int32], weights: [Double])]
  private var draws: [Draw]
  private var weights, priorWeights: ParticleWeights
  private var logarithms: [Double]
  /// Present h(x) of every observation (`[count][stride]`); the observed ensemble keeps the prior's.
  private let states: Workspace<Double>
  /// omega of every observation (`[count][stride]`), and of one element.
  private let observedWeights, elementWeights: Workspace<Double>
  private let prior, merged: Workspace<Double>
  private let order: MemberOrder

  init(
    _ observed: ObservedEnsemble, settings: LocalizedParticles, seed: UInt64, localization: DistanceLocalization,
    geometry: Geometry
  ) {
    (self.observed, self.settings, self.seed) = (observed, settings, seed)
    let search = ObservationSearch(localization, geometry: geometry, observed: observed)
    var found = ObservationSearch.Found()
    later = (0..<observed.count).map { k in
      search.find(behind: k, into: &found)
      return (found.ids, found.weights)
    }
    let (members, size) = (observed.members, observed.count * observed.stride)
    draws = (0..<observed.count).map { _ in Draw(members: members) }
    (weights, priorWeights) = (ParticleWeights(members: members), ParticleWeights(members: members))
    logarithms = [Double](repeating: 0, count: members)
    states = Workspace(repeating: 0, count: size)
    observedWeights = Workspace(repeating: 0, count: size)
    elementWeights = Workspace(repeating: 0, count: observed.stride)
    prior = Workspace(repeating: 0, count: observed.stride)
    merged = Workspace(repeating: 0, count: observed.stride)
    order = MemberOrder(members: members)
  }

  func begin(cycle: Int) {
    let (members, stride) = (observed.members, observed.stride)
    states.start.update(from: observed.anomalies, count: observed.count * stride)
    for i in 0..<observedWeights.count { observedWeights.start[i] = 1 / Double(members) }
    for k in 0..<observed.count {
      let state = states.start + k * stride
      draws[k].acts = Lanes4.dot(state, state, stride) > 0
      guard draws[k].acts else { continue }
      weigh(k, state)
      let noise = RandomStream(seed: seed, purpose: .nonlinearUpdate, member: k, cycle: cycle)
      resample(k, state, noise)
      let (ids, tapers) = later[k]
      for (id, taper) in zip(ids, tapers) {
        let at = Int(id) * stride
        follow(
          draws[k], taper, prior: observed.anomalies + at, weights: observedWeights.start + at, row: states.start + at)
      }
    }
  }

  /// Weights of the particles as they are and as the prior had them.
  private func weigh(_ k: Int, _ state: UnsafePointer<Double>) {
    let (members, y) = (observed.members, observed.values[k] - observed.mean[k])
    let error = observed.error(of: k)
    for m in 0..<members { logarithms[m] = error.logLikelihood(departure: y - state[m]) }
    let least = settings.leastShare * Double(members)
    let beta = least > 1 ? ParticleWeights.temper(logarithms, least: least) : 1
    for m in 0..<members { logarithms[m] *= beta }
    weights.take(logarithms: logarithms)
    let before = observed.anomalies + k * observed.stride
    for m in 0..<members { logarithms[m] = beta * error.logLikelihood(departure: y - before[m]) }
    priorWeights.take(logarithms: logarithms)
    for m in 0..<members { draws[k].excess[m] = Double(members) * priorWeights.values[m] - 1 }
  }

  private func resample(_ k: Int, _ state: UnsafePointer<Double>, _ noise: RandomStream) {
    let members = observed.members
    let ancestors = ParticleWeights.ancestors(weights.copies(uniform: noise.uniform(at: 0)))
    // Neighbours in h are side by side.
    order.sort(state)
    let reach = max(2, members / 5)
    for place in 0..<members {
      // As many new members of this one as there are copies.
      let ancestor = order[place]
      let low = min(max(0, place - reach / 2), max(0, members - 1 - reach))
      for m in 0..<members where ancestors[m] == ancestor {
        draws[k].ancestors[m] = Int32(ancestor)
        let isCopy = m != ancestor
        let (a, b) = (noise.integer(below: reach + 1, at: 2 + 2 * m), noise.integer(below: reach + 1, at: 3 + 2 * m))
        draws[k].first[m] = Int32(isCopy ? order[min(members - 1, low + a)] : m)
        draws[k].second[m] = Int32(isCopy ? order[min(members - 1, low + b)] : m)
      }
    }
    follow(
      draws[k], 1, prior: observed.anomalies + k * observed.stride, weights: observedWeights.start + k * observed.stride,
      row: states.start + k * observed.stride)
  }

  /// Moves an element's particles (`[stride]`) by one observation.
  ///
  /// - Parameters:
  ///   - prior: its particles before any observation.
  ///   - weights: omega.
  private func follow(
    _ draw: Draw, _ taper: Double, prior: UnsafePointer<Double>, weights: UnsafeMutablePointer<Double>,
    row: UnsafeMutablePointer<Double>
  ) {
    let members = observed.members
    guard taper > 1e-6 else { return }
    var sum = 0.0
    for m in 0..<members {
      weights[m] *= 1 + taper * draw.excess[m]
      sum += weights[m]
    }
    var (mean, concentration, variance) = (0.0, 0.0, 0.0)
    for m in 0..<members {
      weights[m] /= sum
      mean += weights[m] * prior[m]
      concentration += weights[m] * weights[m]
    }
    for m in 0..<members { variance += weights[m] * (prior[m] - mean) * (prior[m] - mean) }
    // A single particle that has all of the weight says nothing of the variance.
    guard concentration < 0.999 else { return }
    variance /= 1 - concentration
    let (own, scale) = ((1 - taper) / taper, settings.jitter * 0.5.squareRoot())
    var (centre, square) = (0.0, 0.0)
    for m in 0..<members {
      let jitter = scale * (row[Int(draw.first[m])] - row[Int(draw.second[m])])
      merged.start[m] = row[Int(draw.ancestors[m])] + jitter + own * row[m]
      centre += merged.start[m]
    }
    centre /= Double(members)
    for m in 0..<members { square += (merged.start[m] - centre) * (merged.start[m] - centre) }
    square /= Double(members - 1)
    guard square > 0 else { return }
    let factor = (variance / square).squareRoot()
    for m in 0..<members { row[m] = mean + factor * (merged.start[m] - centre) }
  }

  func update(_ group: RowGroup) {
    for r in 0..<group.count {
      guard let row = group.rows[r] else { continue }
      prior.start.update(from: row, count: group.stride)
      for m in 0..<group.members { elementWeights.start[m] = 1 / Double(group.members) }
      for (id, taper) in zip(group.ids[r], group.weights[r]) where draws[Int(id)].acts {
        follow(draws[Int(id)], taper, prior: prior.start, weights: elementWeights.start, row: row)
      }
      group.shift(r, by: Lanes4.centre(row, members: group.members))
    }
  }
}
