/// A named note on a file or on one of its variables.
public struct Attribute: Sendable, Hashable {
  /// A text, or numbers of one type.
  public enum Value: Sendable, Hashable {
    case text(String)
    case numbers([Double])
    case integers([Int64])
    case unsigned([UInt64])
  }

  public let name: String
  public let value: Value

  /// A note with a name and a value.
  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  /// Text, stored as UTF-8 characters.
  public init(_ name: String, _ text: String) { self.init(name, .text(text)) }

  /// One number.
  public init(_ name: String, _ number: Double) { self.init(name, .numbers([number])) }

  /// One whole number.
  public init(_ name: String, _ number: Int) { self.init(name, .integers([Int64(number)])) }
}

/// Where a file comes from; every file carries it as global attributes (CF-1.10, section 2.6.2).
///
/// No time of day is among them, so that two runs with the same configuration write the same bytes.
public struct Provenance: Sendable, Hashable {
  /// What is in the file, in a few words.
  public var title: String
  /// Program that wrote it.
  public var program: String
  /// Version of the program.
  public var version: String
  /// Commit of its source.
  public var commit: String
  /// Command line that led to the file.
  public var history: String
  /// Seed of all random numbers.
  public var seed: UInt64
  /// Complete configuration as YAML text.
  public var configuration: String

  /// Where a file comes from; see the properties.
  public init(
    title: String, program: String = "daunce-mpi", version: String, commit: String, history: String, seed: UInt64,
    configuration: String
  ) {
    self.title = title
    self.program = program
    self.version = version
    self.commit = commit
    self.history = history
    self.seed = seed
    self.configuration = configuration
  }

  /// The same origin for another file.
  public func titled(_ title: String) -> Provenance {
    var copy = self
    copy.title = title
    return copy
  }

  /// The global attributes.
  public var attributes: [Attribute] {
    [
      Attribute("Conventions", "CF-1.10"),
      Attribute("title", title),
      Attribute("source", "\(program) \(version) (commit \(commit))"),
      Attribute("history", history),
      Attribute("seed", .unsigned([seed])),
      Attribute("configuration", configuration),
    ]
  }
}
