/// What is wrong with a configuration: everything that was found, not only the first thing.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// At least one, in the order of the document.
  public let problems: [Problem]

  /// - Parameter problems: at least one.
  public init(_ problems: [Problem]) {
    self.problems = problems
  }

  /// One line a problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }

  /// What is wrong with one key, or with the whole file.
  public struct Problem: Sendable, Hashable, CustomStringConvertible {
    /// What kind of problem it is.
    public let kind: Kind
    /// Where the setting comes from.
    public let source: Source
    /// Line in the file, from 1, where it is known.
    public let line: Int?
    /// Path of the key, such as `agents.ppo.clip`; two paths for a contradiction, none for the whole file.
    public let keys: [String]
    /// The value that is there, or what is wrong with it, in words.
    public let found: String
    /// What would be right, in words.
    public let expected: String

    /// - Parameters:
    ///   - keys: paths of the keys that are to blame.
    ///   - found: what is there, in words.
    ///   - expected: what would be right, in words.
    public init(
      _ kind: Kind, source: Source, line: Int? = nil, keys: [String] = [], found: String, expected: String
    ) {
      self.kind = kind
      self.source = source
      self.line = line
      self.keys = keys
      self.found = found
      self.expected = expected
    }

    /// `paper.yaml:12: agents.ppo.clip: found -1, expected a number above 0`.
    public var description: String {
      let place = line.map { "\(source):\($0)" } ?? source.description
      let keys = keys.map(ConfigurationLimits.shortened).joined(separator: ", ")
      let found = ConfigurationLimits.shortened(found)
      return ([place] + (keys.isEmpty ? [] : [keys]) + ["found \(found), expected \(expected)"]).joined(separator: ": ")
    }
  }

  /// Kinds of problems.
  public enum Kind: Sendable, Hashable {
    /// The file cannot be read at all.
    case unreadable
    /// The text is not YAML.
    case syntax
    case unknownKey
    case duplicateKey
    /// The value is of another type than the key.
    case wrongType
    /// The value is of the right type, but not one that makes sense.
    case outOfRange
    /// Two keys that exclude each other.
    case contradiction
  }

  /// Where a setting comes from.
  public enum Source: Sendable, Hashable, CustomStringConvertible {
    case file(String)
    /// A command-line option such as `--members`.
    case option(String)
    /// Values set by a program.
    case program

    /// Path of the file, name of the option, or `configuration`.
    public var description: String {
      switch self {
      case .file(let path): path
      case .option(let name): name
      case .program: "configuration"
      }
    }
  }
}
