/// A smooth scalar function of a state, such as an energy that a model conserves.
public protocol StateFunction: Sendable {
  /// Short name for messages and files.
  var name: String { get }
  /// Its value.
  func value(of state: Span<Double>) -> Double
  /// Writes its gradient (`[count]`).
  func gradient(of state: Span<Double>, into gradient: inout MutableSpan<Double>)
}

/// A linear function of the state that the model conserves, noise included.
public struct LinearInvariant: Sendable, Hashable {
  /// Short name for messages and files.
  public let name: String
  /// Weight of every state element (`[count]`).
  public let coefficients: [Double]

  /// An invariant with one coefficient for every state element (`[count]`).
  public init(name: String, coefficients: [Double]) {
    self.name = name
    self.coefficients = coefficients
  }

  /// Weighted sum over a state (`[count]`), in ascending order of elements.
  public func value(of state: Span<Double>) -> Double {
    var sum = 0.0
    for i in coefficients.indices where coefficients[i] != 0 { sum += coefficients[i] * state[i] }
    return sum
  }
}
