/// What a filter cannot work with.
public enum AssimilationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The localization's half-width is not a positive number of cells.
  case halfWidth(found: Double)
  /// The matrix of coupled variables has the wrong number of entries.
  case coupling(found: Int, expected: Int)
  /// Two variables are coupled one way only, or a variable is not coupled to itself.
  case couplingNotSymmetric(String, String)
  /// An inflation parameter outside its range.
  case inflation(name: String, found: Double, expected: String)
  /// Too few members to estimate a covariance.
  case members(found: Int)
  /// An observation of an element that the state doesn't have.
  case observedElement(found: Int, elements: Int)
  /// An observation of something else than one element.
  case indirectObservation
  /// An error variance that is not positive.
  case errorVariance(observation: Int, found: Double)
  /// A constraint with the wrong number of elements.
  case constraint(name: String, found: Int, expected: Int)
  /// A constraint that the chosen solver cannot take.
  case unsupportedConstraint(name: String, solver: String)
  /// The innovation covariance of an analysis could not be factored.
  case innovationCovariance(cycle: Int, order: Int, pivot: Int)

  public var description: String {
    switch self {
    case .halfWidth(let found):
      "localization half-width: found \(found), expected a positive number of cells (or none at all)"
    case .coupling(let found, let expected):
      "variable localization: found \(found) entries, expected \(expected) (one for every pair of variables)"
    case .couplingNotSymmetric(let v, let w):
      v == w
        ? "variable localization: \(v) is not coupled to itself, expected true on the diagonal"
        : "variable localization: \(v) and \(w) are coupled one way only, expected a symmetric matrix"
    case .inflation(let name, let found, let expected): "inflation \(name): found \(found), expected \(expected)"
    case .members(let found): "members: found \(found), expected at least 2 to estimate a covariance"
    case .observedElement(let found, let elements):
      "observations: found element \(found), expected one of 0..<\(elements)"
    case .indirectObservation: "observations: found a function of the state, expected elements themselves"
    case .errorVariance(let observation, let found):
      "observation \(observation): found error variance \(found), expected a positive number"
    case .constraint(let name, let found, let expected):
      "constraint \(name): found \(found) elements, expected \(expected)"
    case .unsupportedConstraint(let name, let solver):
      "constraint \(name): not possible with solver \(solver), expected slsqp for nonlinear equalities"
    case .innovationCovariance(let cycle, let order, let pivot):
      "cycle \(cycle): innovation covariance of order \(order) is not positive definite (pivot \(pivot)); expected "
        + "larger error variances or a smaller half-width"
    }
  }
}
