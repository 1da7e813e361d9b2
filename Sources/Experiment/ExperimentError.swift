/// Something that ends an experiment, with the kind that decides the exit code.
public struct ExperimentError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What an error is about.
  public enum Kind: Sendable, Hashable {
    /// Settings or files that do not fit together.
    case data
    /// A place that cannot be read or written.
    case inputOutput
    /// A mistake of the program's own.
    case bug
  }

  /// What it is about.
  public let kind: Kind
  /// The message.
  public let description: String

  /// An error with the given message.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// A message of one form: `place: object: found this; expected that`.
  init(_ kind: Kind, _ place: String, _ object: String? = nil, found: String, expected: String) {
    self.init(kind, "\(place): \(object.map { "\($0): " } ?? "")found \(found); expected \(expected)")
  }
}
