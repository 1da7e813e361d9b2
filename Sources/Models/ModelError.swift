/// A setting that a model cannot work with.
public struct ModelError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The setting, as a configuration spells it: `time_step`.
  public let key: String
  /// The value that was given.
  public let found: String
  /// What would have been accepted.
  public let expected: String

  /// A setting's key, its value, and what it has to be.
  public init(key: String, found: String, expected: String) {
    self.key = key
    self.found = found
    self.expected = expected
  }

  /// As messages show it.
  public var description: String { "model setting '\(key)' is \(found); expected \(expected)" }

  /// Throws unless `holds`.
  static func require(
    _ holds: Bool, _ key: String, _ found: some Any, _ expected: String
  ) throws(ModelError) {
    guard holds else { throw ModelError(key: key, found: "\(found)", expected: expected) }
  }
}
