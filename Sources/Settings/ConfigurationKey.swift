/// A documented setting: its value, what it means, and which values it may take.
///
/// Encoded as its bare value. Meaning and rule belong to the declaration: a decoded key has none, and whoever needs
/// them takes them from the defaults (`Configuration.keys`).
@propertyWrapper
public struct Key<Value: ConfigurationValue>: Sendable {
  /// The value.
  public var wrappedValue: Value
  let meaning: String
  let rule: Rule<Value>
  /// The word in a file for an optional value that is `nil`.
  let absent: String

  /// - Parameters:
  ///   - wrappedValue: the default.
  ///   - meaning: what the value is, with its unit.
  ///   - rule: what a value has to satisfy besides its type.
  ///   - absent: the word for `nil`.
  public init(
    wrappedValue: Value, _ meaning: String, _ rule: Rule<Value> = .any, absent: String = "auto"
  ) {
    self.wrappedValue = wrappedValue
    self.meaning = meaning
    self.rule = rule
    self.absent = absent
  }
}

extension Key where Value: ExpressibleByNilLiteral {
  /// A setting that is `nil` by default.
  public init(_ meaning: String, _ rule: Rule<Value> = .any, absent: String = "auto") {
    self.init(wrappedValue: nil, meaning, rule, absent: absent)
  }
}

extension Key: Hashable {
  /// Keys are equal where their values are.
  public static func == (left: Key, right: Key) -> Bool { left.wrappedValue == right.wrappedValue }
  /// By the value.
  public func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}

extension Key: Codable {
  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    self.init(wrappedValue: try decoder.singleValueContainer().decode(Value.self), "")
  }

  /// Writes the value without a name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

/// What a value has to satisfy besides its type.
public struct Rule<Value: ConfigurationValue>: Sendable {
  /// Completes "expected a number ...": `of at least 1`.
  let text: String
  let holds: @Sendable (Value) -> Bool

  /// No rule.
  public static var any: Rule { Rule(text: "") { _ in true } }
}

extension Rule where Value.Scalar: Comparable & ExpressibleByIntegerLiteral & Sendable {
  /// Every number is at least `minimum`.
  public static func atLeast(_ minimum: Value.Scalar) -> Rule {
    let bound = minimum.text.hasSuffix(".0") ? String(minimum.text.dropLast(2)) : minimum.text
    return Rule(text: "of at least \(bound)") { $0.scalars.allSatisfy { $0 >= minimum } }
  }
  /// Every number is in `range`.
  public static func within(_ range: ClosedRange<Value.Scalar>) -> Rule {
    Rule(text: "from \(range.lowerBound.text) to \(range.upperBound.text)") {
      $0.scalars.allSatisfy { range.contains($0) }
    }
  }
  /// Every number is above zero.
  public static var positive: Rule { Rule(text: "above 0") { $0.scalars.allSatisfy { $0 > 0 } } }
  /// Every number is zero or more.
  public static var nonNegative: Rule {
    Rule(text: "of at least 0") { $0.scalars.allSatisfy { $0 >= 0 } }
  }
  /// Every number is in [0, 1].
  public static var fraction: Rule {
    Rule(text: "from 0 to 1") { $0.scalars.allSatisfy { $0 >= 0 && $0 <= 1 } }
  }
}

extension Rule where Value.Scalar: BinaryInteger {
  /// Every number is odd and above zero.
  public static var odd: Rule {
    Rule(text: "that is odd and above 0") { $0.scalars.allSatisfy { $0 > 0 && !$0.isMultiple(of: 2) } }
  }
}

extension Rule where Value.Scalar: Hashable {
  /// A list with at least one element and none twice.
  public static var distinct: Rule {
    Rule(text: "(at least one, none twice)") { value in
      value.isAbsent || (!value.scalars.isEmpty && Set(value.scalars).count == value.scalars.count)
    }
  }
}

/// A key with its type hidden, as reflection finds it.
protocol AnyKey {
  /// Keys of the groups that a list holds; empty for other values.
  var groupLeaves: [ConfigurationLeaf] { get }
  /// The value, if it is a table of parameters.
  var table: ParameterTable? { get }
  var meaning: String { get }
  /// `an integer of at least 1`, `rl | eakf`.
  var expected: String { get }
  /// The value as YAML.
  var text: String { get }
  /// The value as YAML that decodes to it.
  var codingText: String { get }
  /// The value as YAML for readers: `auto` where `text` is `null`.
  var display: String { get }
  /// The word for an absent value.
  var absent: String { get }
  /// YAML text that decodes to what a literal stands for, if it is of the key's type and obeys its rule.
  func accept(_ literal: ConfigurationLiteral) -> Acceptance
  /// Whether the value of a key of the same declaration obeys this key's rule.
  func admits(_ other: any AnyKey) -> Bool
}

/// What a key says to a literal.
enum Acceptance {
  case accepted(text: String)
  case wrongType
  case outOfRange
}

extension Key: AnyKey {
  var groupLeaves: [ConfigurationLeaf] { (Value.Scalar.self as? any ConfigurationGroup.Type)?.leaves ?? [] }
  var table: ParameterTable? { wrappedValue as? ParameterTable }
  var text: String { wrappedValue.text }
  var codingText: String { wrappedValue.codingText }
  var display: String { wrappedValue.isAbsent ? absent : wrappedValue.text }

  var expected: String {
    let value = rule.text.isEmpty ? Value.expected : "\(Value.expected) \(rule.text)"
    return Value.isOptional ? "\(value), or \(absent)" : value
  }

  func accept(_ literal: ConfigurationLiteral) -> Acceptance {
    let plain = literal == .plain(absent) && Value.isOptional ? .plain("null") : literal
    guard let value = Value(literal: plain) else { return .wrongType }
    return rule.holds(value) ? .accepted(text: value.codingText) : .outOfRange
  }

  func admits(_ other: any AnyKey) -> Bool {
    guard let other = other as? Key<Value> else { return false }
    return rule.holds(other.wrappedValue) && Value(literal: .init(text: other.text)) != nil
  }
}
