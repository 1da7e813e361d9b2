/// What is wrong with a user's model, or went wrong in it.
public struct CouplingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The model, as its user calls it: `model library ./libmodel.so`.
  public let model: String
  /// What happened, in words.
  public let event: String

  /// A message `model: event`.
  public init(_ model: String, _ event: String) {
    (self.model, self.event) = (model, event)
  }

  /// A message of one form: `model: object: found this; expected that`.
  public init(_ model: String, _ object: String? = nil, found: String, expected: String) {
    self.init(model, "\(object.map { "\($0): " } ?? "")found \(found); expected \(expected)")
  }

  /// As messages show it.
  public var description: String { "\(model): \(event)" }
}
