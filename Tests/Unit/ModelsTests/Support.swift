import Foundation
import DaunceModels
import DaunceNumerics
import Testing

/// Decodes a JSON fixture.
func fixture<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
  let url = try #require(
    Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

extension CoarseModel {
  /// `state` after `steps` time steps.
  func after(_ steps: Int, from state: [Double], seed: UInt64 = 0, cycle: Int = 0) -> [Double] {
    var next = state
    var span = next.mutableSpan
    try! forecast(&span, from: 0, steps: steps, noise: RandomStream(seed: seed, purpose: .test, cycle: cycle))
    return next
  }

  /// `state` after the coarse forecast over `steps` time steps.
  func coarselyAfter(_ steps: Int, from state: [Double]) -> [Double] {
    var next = state
    var span = next.mutableSpan
    try! coarseForecast(&span, from: 0, steps: steps)
    return next
  }
}

/// Largest absolute difference.
func distance(_ x: some Collection<Double>, _ y: some Collection<Double>) -> Double {
  zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

func mean(_ x: some Collection<Double>) -> Double { x.reduce(0, +) / Double(x.count) }

func variance(_ x: some Collection<Double>) -> Double {
  let m = mean(x)
  return x.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(x.count)
}
