/// Parameters of a user's own program, which this one hands on and does not know: names and values, in the order in
/// which they are given. A group in a group has names with a dot.
public struct ParameterTable: ConfigurationValue {
  /// One parameter.
  public struct Parameter: Codable, Sendable, Hashable {
    /// `depth`, or `bottom.drag` of a group.
    public let name: String
    /// The bare value: a number or a word as it was given, elements of a list separated by ", ".
    public let value: String
    /// The same as YAML.
    let yaml: String
  }

  /// None twice.
  public private(set) var parameters: [Parameter] = []

  /// No parameters.
  public init() {}

  /// The value of a parameter; `nil` where there is none of that name.
  public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

  /// A line `name = value` for each.
  public var lines: String { parameters.map { "\($0.name) = \($0.value)\n" }.joined() }

  /// Adds a parameter, or puts another value in its place.
  ///
  /// - Returns: whether the literal is a value that a parameter can have.
  mutating func set(_ name: String, _ literal: ConfigurationLiteral) -> Bool {
    if case .fields(let fields) = literal { return fields.allSatisfy { set("\(name).\($0.name)", $0.literal) } }
    guard let value = Self.words(literal) else { return false }
    let parameter = Parameter(name: name, value: value.bare, yaml: value.yaml)
    if let place = parameters.firstIndex(where: { $0.name == name }) {
      parameters[place] = parameter
    } else {
      parameters.append(parameter)
    }
    return true
  }

  /// A value by itself and as YAML; `nil` for what is no value.
  private static func words(_ literal: ConfigurationLiteral) -> (bare: String, yaml: String)? {
    func isLine(_ text: String) -> Bool { text.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
    switch literal {
    case .plain(let text) where !text.isEmpty && isLine(text): return (text, text)
    case .quoted(let text) where isLine(text): return (text, text.text)
    case .list(let elements):
      let values = elements.compactMap(words)
      guard values.count == elements.count else { return nil }
      return (
        values.map(\.bare).joined(separator: ", "), "[\(values.map(\.yaml).joined(separator: ", "))]"
      )
    default: return nil
    }
  }

  /// The type in words.
  public static var expected: String { "a group of the model's own parameters, each a number, a word or a list of them" }

  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    switch literal {
    case .group: break
    case .fields(let fields):
      for field in fields where !set(field.name, field.literal) { return nil }
    default: return nil
    }
  }

  /// The value as YAML.
  public var text: String { "{\(parameters.map { "\($0.name.text): \($0.yaml)" }.joined(separator: ", "))}" }

  /// The same as a decoder reads it.
  public var codingText: String {
    let entries = parameters.map { "{name: \($0.name.text), value: \($0.value.text), yaml: \($0.yaml.text)}" }
    return "[\(entries.joined(separator: ", "))]"
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    parameters = try decoder.singleValueContainer().decode([Parameter].self)
  }

  /// Writes the parameters as a list.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(parameters)
  }
}
