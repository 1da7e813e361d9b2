import DaunceAssimilation
import Foundation
import DaunceNumerics
import DaunceObservations
import DaunceState

/// A known answer from the Fixtures folder.
func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
  guard let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil) else {
    throw CocoaError(.fileNoSuchFile)
  }
  let data = try Data(contentsOf: folder.appendingPathComponent(name + ".json"))
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(T.self, from: data)
}

/// K, R, Z, a on `cells` cells, a bounded below.
func skeletonLayout(cells: Int, floor: Double = 1e-4) -> StateLayout {
  StateLayout(
    ring: cells, length: 8.0 / 3,
    fields: [
      Field(name: "K", longName: "Kelvin wave", scale: 0.015),
      Field(name: "R", longName: "Rossby wave", scale: 0.011),
      Field(name: "Z", longName: "moisture", scale: 0.043),
      Field(name: "a", longName: "convective activity", scale: 0.18, lowerBound: floor),
    ])
}

/// One unbounded variable.
func plainLayout(cells: Int) -> StateLayout {
  StateLayout(
    ring: cells, length: 1, fields: [Field(name: "x", longName: "x", scale: 1)])
}

/// Smooth-plus-noise members (`[member][element]`), a near the floor in places.
func skeletonEnsemble(_ layout: StateLayout, members: Int, seed: UInt64, floored: Bool = true) -> [Double] {
  let n = layout.cells
  var states = [Double](repeating: 0, count: members * layout.count)
  for m in 0..<members {
    let stream = RandomStream(seed: seed, purpose: .test, member: m)
    let common = RandomStream(seed: seed, purpose: .test, member: 9999)
    for (v, variable) in layout.fields.enumerated() {
      for i in 0..<n {
        var value = 0.0
        for k in 1...3 {
          let angle = 2 * Double.pi * Double(k * i) / Double(n)
          let at = 8 * (v * 3 + k)
          value += (common.normal(at: at) + 0.5 * stream.normal(at: at)) * cos(angle) / 2
          value += (common.normal(at: at + 1) + 0.5 * stream.normal(at: at + 1)) * sin(angle) / 2
        }
        value += 0.2 * stream.normal(at: 1000 + v * n + i)
        value *= variable.scale
        if let bound = variable.lowerBound {
          value = 0.1 + value / 2
          if floored { value = max(value, bound) }
        }
        states[m * layout.count + v * n + i] = value
      }
    }
  }
  return states
}

/// Conserved energy of the skeleton model, mean over x: a convex function with a logarithm.
struct Energy: StateFunction {
  let name = "energy"
  let cells: Int
  let gamma = 1.66
  let qt = 0.9
  let h = 0.22
  let s = 0.022

  func value(of x: Span<Double>) -> Double {
    let n = cells
    var sum = 0.0
    for i in 0..<n {
      let (k, r, z, a) = (x[i], x[n + i], x[2 * n + i], x[3 * n + i])
      sum += k * k + 1.5 * r * r + z * z / (2 * qt * (1 - qt)) + (h * a - s * log(a)) / (gamma * qt)
    }
    return sum / Double(n)
  }

  func gradient(of x: Span<Double>, into g: inout MutableSpan<Double>) {
    let n = cells
    let share = 1 / Double(n)
    for i in 0..<n {
      g[i] = share * 2 * x[i]
      g[n + i] = share * 3 * x[n + i]
      g[2 * n + i] = share * x[2 * n + i] / (qt * (1 - qt))
      g[3 * n + i] = share * (h - s / x[3 * n + i]) / (gamma * qt)
    }
  }
}

/// The two linear invariants of the skeleton model.
func skeletonInvariants(cells n: Int) -> [LinearInvariant] {
  let share = 1 / Double(n)
  func weights(_ k: Double, _ r: Double, _ z: Double) -> [Double] {
    [k, r, z, 0].flatMap { [Double](repeating: $0 * share, count: n) }
  }
  return [
    LinearInvariant(name: "K - 3/2 R", coefficients: weights(1, -1.5, 0)),
    LinearInvariant(name: "Z - 2(1-Qt) K", coefficients: weights(-0.2, 0, 1)),
  ]
}

func largestDifference(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

extension InMemoryFilter {
  /// Analysis of all members.
  func analysis(of states: [Double], members: Int, _ observations: ObservationSet, cycle: Int = 0) throws -> [Double] {
    var states = states
    var span = states.mutableSpan
    try analyse(&span, members: members, local: 0..<members, observations: observations, cycle: cycle)
    return states
  }
}

/// Which fields act on each other.
enum Coupling { case all, own }

/// One half-width for all fields of a ring, in cells, or none; kinds are the fields themselves.
func ringLocalization(_ layout: StateLayout, halfWidth: Double?, _ coupling: Coupling = .all) -> DistanceLocalization {
  let length = layout.geometry.axes[0].period ?? 1
  let reach = halfWidth.map { DistanceLocalization.Reach.within([$0 * length / Double(layout.cells)]) } ?? .everywhere
  let reaches = layout.fields.indices.map { f in
    layout.fields.indices.map { coupling == .all || $0 == f ? reach : .off }
  }
  return DistanceLocalization(reaches: reaches, observed: reaches)
}

/// Observations of state elements.
func observe(_ layout: StateLayout, _ elements: [Int], values: [Double], errorVariances: [Double]) -> ObservationSet {
  ObservationSet(
    ObservationNetwork(elements: elements, layout: layout), values: values, errorVariances: errorVariances)
}

/// Shortest distance between two of `cells` cells on a circle, in cells.
func ringDistance(_ i: Int, _ j: Int, of cells: Int) -> Int {
  let d = abs(i - j) % cells
  return min(d, cells - d)
}
