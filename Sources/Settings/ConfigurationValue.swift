import Foundation
import Yams

/// A type that a configuration key can have.
///
/// `text` and `init(literal:)` are each other's inverse, to the last bit of a floating-point number.
public protocol ConfigurationValue: Codable, Sendable, Hashable {
  /// What a rule looks at: the value itself, or a list's elements.
  associatedtype Scalar: ConfigurationValue = Self
  /// The type in words: `an integer`.
  static var expected: String { get }
  /// Whether the type has an absent value.
  static var isOptional: Bool { get }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  init?(literal: ConfigurationLiteral)
  /// The value as YAML.
  var text: String { get }
  /// The same as a decoder reads it, where that is another text.
  var codingText: String { get }
  /// What a rule looks at: the value itself, or a list's elements.
  var scalars: [Scalar] { get }
  /// Whether this is the absent value.
  var isAbsent: Bool { get }
}

extension ConfigurationValue {
  /// There is a value always.
  public static var isOptional: Bool { false }
  /// There is a value always.
  public var isAbsent: Bool { false }
  /// A decoder reads the text.
  public var codingText: String { text }
}

extension ConfigurationValue where Scalar == Self {
  /// What a rule looks at.
  public var scalars: [Self] { [self] }
}

/// A piece of a YAML document, before it has a type.
public indirect enum ConfigurationLiteral: Sendable, Hashable {
  /// An unquoted word or number, or nothing at all.
  case plain(String)
  case quoted(String)
  case list([ConfigurationLiteral])
  /// A mapping of keys, which no value is.
  case group
  /// A mapping in a list, as an element of a list of groups.
  case fields([Field])

  /// One key of a mapping in a list.
  public struct Field: Sendable, Hashable {
    let name: String
    let literal: ConfigurationLiteral
    let line: Int?
  }

  /// As messages show it.
  public var description: String {
    switch self {
    case .plain(""): "nothing"
    case .plain(let text): text
    case .quoted(let text): "\"\(text)\""
    case .list(let elements): "[\(elements.map(\.description).joined(separator: ", "))]"
    case .group, .fields: "a group of keys"
    }
  }

  fileprivate var plainText: String? {
    if case .plain(let text) = self { text } else { nil }
  }
}

/// A group of keys that a list can hold any number of. Its own keys are declared with `@Key`, all of them; those that
/// have their defaults are left out of its text.
public protocol ConfigurationGroup: ConfigurationValue where Scalar == Self {
  /// With the defaults.
  init()
}

extension ConfigurationGroup {
  static var leaves: [ConfigurationLeaf] { ConfigurationLeaf.leaves(of: Self()) }

  /// The type in words.
  public static var expected: String { "a group of the keys \(leaves.map(\.name).joined(separator: ", "))" }

  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    let fields: [ConfigurationLiteral.Field]
    switch literal {
    case .fields(let given): fields = given
    case .group: fields = []
    default: return nil
    }
    var leaves = Self.leaves.map { (name: $0.name, property: $0.properties[0], key: $0.key, text: $0.key.codingText) }
    for field in fields {
      guard let i = leaves.firstIndex(where: { $0.name == field.name }),
        case .accepted(let text) = leaves[i].key.accept(field.literal)
      else { return nil }
      leaves[i].text = text
    }
    let text = leaves.map { "\($0.property): \($0.text)" }.joined(separator: ", ")
    guard let group = try? YAMLDecoder().decode(Self.self, from: "{\(text)}") else { return nil }
    self = group
  }

  /// The value as YAML.
  public var text: String {
    let own = ConfigurationLeaf.leaves(of: self)
    let given = zip(own, Self.leaves).filter { $0.key.text != $1.key.text }.map { "\($0.0.name): \($0.0.key.text)" }
    return "{\(given.joined(separator: ", "))}"
  }

  /// All keys, by the names of the properties.
  public var codingText: String {
    let keys = ConfigurationLeaf.leaves(of: self).map { "\($0.properties[0]): \($0.key.codingText)" }
    return "{\(keys.joined(separator: ", "))}"
  }
}

extension Bool: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "true or false" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    switch literal {
    case .plain("true"), .plain("True"): self = true
    case .plain("false"), .plain("False"): self = false
    default: return nil
    }
  }
  /// The value as YAML.
  public var text: String { self ? "true" : "false" }
}

extension Int: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "an integer" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    guard let text = literal.plainText else { return nil }
    self.init(text)
  }
  /// The value as YAML.
  public var text: String { String(self) }
}

extension UInt64: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "an integer from 0 to 2^64 - 1" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    guard let text = literal.plainText else { return nil }
    self.init(text)
  }
  /// The value as YAML.
  public var text: String { String(self) }
}

extension Double: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "a number" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    guard let text = literal.plainText, let value = Double(text), value.isFinite else { return nil }
    self = value
  }
  /// The value as YAML.
  public var text: String { description }
}

extension String: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "a word" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    switch literal {
    case .plain(let text) where !text.isEmpty && text != "null" && text != "~": self = text
    case .quoted(let text): self = text
    default: return nil
    }
  }
  /// Quoted unless it is a name that no YAML reader can take for something else.
  public var text: String {
    let words: Set = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    let isName = first?.isLetter == true && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    if isName && !words.contains(lowercased()) { return self }
    let escaped = unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        "\\x" + String(format: "%02x", Int(scalar.value))
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

/// One word out of a fixed set.
public protocol ConfigurationChoice: ConfigurationValue, CaseIterable, RawRepresentable<String> where Scalar == Self {}

extension ConfigurationChoice {
  /// The type in words.
  public static var expected: String { allCases.map(\.rawValue).joined(separator: " | ") }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    switch literal {
    case .plain(let word), .quoted(let word): self.init(rawValue: word)
    default: return nil
    }
  }
  /// The value as YAML.
  public var text: String { rawValue }
}

/// A closed interval, written `[lower, upper]`.
public struct Interval: ConfigurationValue {
  /// Smallest number in it.
  public let lower: Double
  /// Largest number in it.
  public let upper: Double

  /// `lower` has to be below `upper`, or the interval is refused where it is checked.
  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// The type in words.
  public static var expected: String { "two ascending numbers [lower, upper]" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    guard let bounds = [Double](literal: literal), bounds.count == 2, bounds[0] < bounds[1] else { return nil }
    self.init(lower: bounds[0], upper: bounds[1])
  }
  /// The value as YAML.
  public var text: String { scalars.text }
  /// What a rule looks at.
  public var scalars: [Double] { [lower, upper] }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    lower = try container.decode(Double.self)
    upper = try container.decode(Double.self)
  }
  /// Writes the value without a name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(lower)
    try container.encode(upper)
  }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
  /// The type in words.
  public static var expected: String { "a list, each element \(Element.expected)" }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    guard case .list(let literals) = literal else { return nil }
    let elements = literals.compactMap(Element.init(literal:))
    guard elements.count == literals.count else { return nil }
    self = elements
  }
  /// The value as YAML.
  public var text: String { "[\(map(\.text).joined(separator: ", "))]" }
  /// The same as a decoder reads it.
  public var codingText: String { "[\(map(\.codingText).joined(separator: ", "))]" }
  /// What a rule looks at.
  public var scalars: [Element] { self }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
  /// What a rule looks at: the same as of a value that is there.
  public typealias Scalar = Wrapped.Scalar
  /// The type in words.
  public static var expected: String { Wrapped.expected }
  /// There may be no value.
  public static var isOptional: Bool { true }
  /// The value that a piece of YAML stands for; `nil` if it is of another type.
  public init?(literal: ConfigurationLiteral) {
    if [.plain("null"), .plain("~"), .plain("")].contains(literal) {
      self = Self(nilLiteral: ())
      return
    }
    guard let value = Wrapped(literal: literal) else { return nil }
    self = value
  }
  /// The value as YAML.
  public var text: String { self?.text ?? "null" }
  /// The same as a decoder reads it.
  public var codingText: String { self?.codingText ?? "null" }
  /// What a rule looks at.
  public var scalars: [Wrapped.Scalar] { self?.scalars ?? [] }
  /// Whether there is no value.
  public var isAbsent: Bool { self == nil }
}
