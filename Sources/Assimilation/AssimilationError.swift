public import DaunceConstraints

/// What a filter cannot work with.
public enum AssimilationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The localization's half-width is not a positive number.
  case halfWidth(found: Double)
  /// A half-width for another number of directions than the geometry has.
  case directions(found: Int, expected: Int)
  /// A table of reaches has the wrong number of entries.
  case coupling(found: Int, expected: Int)
  /// An observation of a kind that the localization doesn't know.
  case kind(found: Int, kinds: Int)
  /// Two fields act on each other one way only, or a field does not act on itself.
  case couplingNotSymmetric(String, String)
  /// An inflation parameter outside its range.
  case inflation(name: String, found: Double, expected: String)
  /// Too few members to estimate a covariance.
  case members(found: Int)
  /// An observation of an element that the state doesn't have.
  case observedElement(found: Int, elements: Int)
  /// An error variance that is not positive.
  case errorVariance(observation: Int, found: Double)
  /// Too many observations for a matrix each.
  case matrices(observations: Int, members: Int, limit: Int)
  /// Constraints that do not fit the state or the solver.
  case constraints(ConstraintError)
  /// The innovation covariance of an analysis could not be factored.
  case innovationCovariance(cycle: Int, order: Int, pivot: Int)

  /// What was found and what was expected.
  public var description: String {
    switch self {
    case .halfWidth(let found):
      "localization half-width: found \(found), expected a positive number (or none at all)"
    case .directions(let found, let expected):
      "localization half-width: found \(found) numbers, expected \(expected) (one for every direction)"
    case .coupling(let found, let expected):
      "localization: found a row of \(found) entries, expected \(expected) (one for every field or kind)"
    case .kind(let found, let kinds):
      "observations: found kind \(found), expected one of 0..<\(kinds), those that the localization knows"
    case .couplingNotSymmetric(let v, let w):
      v == w
        ? "localization: \(v) is not coupled to itself, expected true on the diagonal"
        : "localization: \(v) and \(w) are coupled one way only, expected a symmetric matrix"
    case .inflation(let name, let found, let expected): "inflation \(name): found \(found), expected \(expected)"
    case .members(let found): "members: found \(found), expected at least 2 to estimate a covariance"
    case .observedElement(let found, let elements):
      "observations: found element \(found), expected one of 0..<\(elements)"
    case .errorVariance(let observation, let found):
      "observation \(observation): found error variance \(found), expected a positive number"
    case .matrices(let observations, let members, let limit):
      "observations: found \(observations), expected at most \(limit) one after the other, each with a matrix of \(members) members "
        + "(or filter.nonlinear.order together, where the method can)"
    case .constraints(let error): error.description
    case .innovationCovariance(let cycle, let order, let pivot):
      "cycle \(cycle): innovation covariance of order \(order) is not positive definite (pivot \(pivot)); expected "
        + "larger error variances or a smaller half-width"
    }
  }
}
