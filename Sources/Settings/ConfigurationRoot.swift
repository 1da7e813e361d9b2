/// A tree of keys with its reading, checking and writing: what every command's settings are.
public protocol ConfigurationRoot: Codable, Sendable, Hashable {
  /// The defaults.
  init()

  /// Former names of keys and the new ones: `["agents.order_kept": "agents.rank_persistence"]`.
  static var renamed: [String: String] { get }

  /// Refuses values outside their keys' rules and keys that contradict each other.
  ///
  /// - Parameter source: where the configuration comes from, for messages.
  /// - Throws: `ConfigurationError` with every problem.
  func validate(source: ConfigurationError.Source) throws(ConfigurationError)
}

extension ConfigurationRoot {
  /// No key has had another name.
  public static var renamed: [String: String] { [:] }

  /// The same for a configuration that a program made.
  public func validate() throws(ConfigurationError) { try validate(source: .program) }

  /// Values outside their keys' rules.
  package func misfits(source: ConfigurationError.Source) -> [ConfigurationError.Problem] {
    // Defaults are right, and most values are defaults.
    zip(leaves, Self().leaves)
      .filter { leaf, declared in leaf.key.text != declared.key.text && !declared.key.admits(leaf.key) }
      .map { leaf, declared in
        .init(.outOfRange, source: source, keys: [leaf.name], found: leaf.display(as: declared), expected: declared.key.expected)
      }
  }

  /// Two keys that must not go together, as a problem with their values.
  package func describe(
    _ contradiction: Contradiction, source: ConfigurationError.Source
  ) -> ConfigurationError.Problem {
    let pairs = zip(leaves, Self().leaves)
    let values = contradiction.keys.map { name in
      pairs.first { $0.0.name == name }.map { $0.display(as: $1) } ?? "nothing"
    }
    return .init(
      .contradiction, source: source, keys: contradiction.keys, found: values.joined(separator: " and "),
      expected: contradiction.expected)
  }
}

/// Two keys that must not go together.
package struct Contradiction {
  /// Whether they do.
  package let holds: Bool
  let keys: [String]
  let expected: String

  /// - Parameters:
  ///   - holds: whether the values of the keys `first` and `second` contradict each other.
  ///   - expected: what would be right, in words.
  package init(_ holds: Bool, _ first: String, _ second: String, _ expected: String) {
    self.holds = holds
    keys = [first, second]
    self.expected = expected
  }
}
