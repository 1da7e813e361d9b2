/// Constraints that do not fit the state or the solver.
public enum ConstraintError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A constraint with the wrong number of elements.
  case elements(name: String, found: Int, expected: Int)
  /// A constraint that the chosen solver cannot take.
  case unsupported(name: String, solver: String)

  /// What was found and what was expected.
  public var description: String {
    switch self {
    case .elements(let name, let found, let expected):
      "constraint \(name): found \(found) elements, expected \(expected)"
    case .unsupported(let name, let solver):
      "constraint \(name): not possible with solver \(solver), expected slsqp for nonlinear equalities"
    }
  }
}
