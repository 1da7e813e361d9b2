/// Whether an observation was used, and why not.
public enum QualityFlag: Int32, Sendable, Hashable, CaseIterable {
  /// Used.
  case used = 0
  /// Its value, place or error is missing.
  case missing = 1
  /// Whoever made the file marked it as bad.
  case marked = 2
  /// Outside the domain, or on cells without values, such as land.
  case outside = 3
  /// The same kind at the same place and time as an earlier one.
  case duplicate = 4
  /// Further from the forecast than errors and spread explain.
  case outlier = 5
  /// The operator gave no finite number for some member.
  case operatorFailed = 6
  /// Of something that the state does not have.

  /// As logs and files have it.
  public var name: String {
    switch self {
    case .used: "used"
    case .missing: "missing"
    case .marked: "marked"
    case .outside: "outside"
    case .duplicate: "duplicate"
    case .outlier: "outlier"
    case .operatorFailed: "operator_failed"
    }
  }
}
