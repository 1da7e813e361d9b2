import Foundation

/// Reads a known answer from the Fixtures folder.
func fixture<Answer: Decodable>(_ name: String, as type: Answer.Type) throws -> Answer {
  guard let url = Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "json") else {
    throw CocoaError(.fileNoSuchFile)
  }
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Whether `value` agrees with `expected` to a relative (or, near zero, absolute) tolerance.
func agrees(_ value: Double, _ expected: Double, _ tolerance: Double) -> Bool {
  abs(value - expected) <= tolerance * max(1, abs(expected))
}
