import Foundation
import Yams

/// A setting from the command line: a key and its value as YAML.
public struct ConfigurationOverride: Sendable, Hashable {
  /// The option as the user typed it, for messages: `--members`.
  public let option: String
  /// Path of the key: `agents.ppo.clip`.
  public let key: String
  /// Value as in a file: `0.1`, `[8, 8]`.
  public let value: String

  /// `option` as the user typed it, the path of a `key`, and its `value` as in a file.
  public init(option: String, key: String, value: String) {
    self.option = option
    self.key = key
    self.value = value
  }
}

extension ConfigurationRoot {
  /// The configuration of a run: the defaults, a file's settings over them, the command line's over those, all
  /// validated.
  ///
  /// - Parameter path: a YAML file; the defaults alone without one.
  public static func load(
    path: String?, overrides: [ConfigurationOverride] = []
  ) throws(ConfigurationError) -> Self {
    var configuration = Self()
    if let path { configuration = try Self(yaml: read(path), source: path) }
    try configuration.apply(overrides)
    try configuration.validate(source: path.map { .file($0) } ?? (overrides.isEmpty ? .program : .option("options")))
    return configuration
  }

  /// The configuration that a YAML text describes, defaults where it says nothing. Rules between keys are not
  /// checked: see `validate`.
  ///
  /// - Parameter source: file name for messages.
  public init(yaml: String, source: String) throws(ConfigurationError) {
    self.init()
    try apply(yaml: yaml, source: source)
  }

  /// Puts what a YAML text says in place of this configuration's values.
  ///
  /// - Parameter source: file name for messages.
  public mutating func apply(yaml: String, source: String) throws(ConfigurationError) {
    let root: Node?
    do {
      root = try ConfigurationLimits.compose(yaml)
    } catch {
      throw ConfigurationError([Self.syntaxProblem(error, in: yaml, source: .file(source))])
    }
    guard let root, root != Node("", .implicit) else { return }
    guard let mapping = root.mapping else {
      throw ConfigurationError([
        .init(
          .wrongType, source: .file(source), line: root.mark?.line, found: ConfigurationLiteral(root).description,
          expected: "keys with values, such as members: 10")
      ])
    }
    self = try replacing(Self.values(in: mapping, path: [], source: .file(source)))
  }

  /// Puts the command line's settings in place of this configuration's.
  public mutating func apply(_ overrides: [ConfigurationOverride]) throws(ConfigurationError) {
    if overrides.isEmpty { return }
    var given: [GivenValue] = []
    for override in overrides {
      let source = ConfigurationError.Source.option(override.option)
      let node: Node?
      do {
        node = try ConfigurationLimits.compose(override.value)
      } catch {
        throw ConfigurationError([
          .init(.syntax, source: source, keys: [override.key], found: override.value, expected: "a value in YAML")
        ])
      }
      let path = override.key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      if let mapping = node?.mapping, mapping.count > 0 {
        given += Self.values(in: mapping, path: path, source: source, lines: false)
      } else {
        given.append(
          GivenValue(path: path, literal: node.map(ConfigurationLiteral.init) ?? .plain(""), source: source, line: nil))
      }
    }
    self = try replacing(given)
  }

  /// The text of a file.
  package static func read(_ path: String) throws(ConfigurationError) -> String {
    let data: Data
    do {
      data = try ConfigurationLimits.read(path)
    } catch {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let found = !exists ? "nothing there" : isFolder.boolValue ? "a folder" : "a file that cannot be read"
      throw ConfigurationError([.init(.unreadable, source: .file(path), found: found, expected: "a readable YAML file")]
      )
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError([
        .init(.syntax, source: .file(path), found: "bytes that are not UTF-8", expected: "YAML in UTF-8")
      ])
    }
    return text
  }

  /// The values at the tips of a mapping, in the order of the document.
  private static func values(
    in mapping: Node.Mapping, path: [String], source: ConfigurationError.Source, lines: Bool = true
  ) -> [GivenValue] {
    mapping.flatMap { pair -> [GivenValue] in
      let path = path + [pair.key.string ?? ConfigurationLiteral(pair.key).description]
      if let inner = pair.value.mapping, inner.count > 0 {
        return values(in: inner, path: path, source: source, lines: lines)
      }
      return [
        GivenValue(
          path: path, literal: ConfigurationLiteral(pair.value), source: source,
          line: lines ? pair.key.mark?.line : nil)
      ]
    }
  }
}

extension ConfigurationLiteral {
  init(_ node: Node) {
    switch node {
    case .scalar(let scalar):
      self = [.singleQuoted, .doubleQuoted].contains(scalar.style) ? .quoted(scalar.string) : .plain(scalar.string)
    case .sequence(let sequence): self = .list(sequence.map(ConfigurationLiteral.init))
    case .mapping(let mapping):
      self =
        mapping.isEmpty
        ? .group
        : .fields(
          mapping.map { pair in
            Field(
              name: pair.key.string ?? ConfigurationLiteral(pair.key).description,
              literal: ConfigurationLiteral(pair.value), line: pair.key.mark?.line)
          })
    case .alias: self = .plain("*")
    }
  }

  /// The literal that a value's own text stands for.
  init(text: String) {
    let node = try? ConfigurationLimits.compose(text)
    self = node.flatMap { $0 }.map(ConfigurationLiteral.init) ?? .plain("")
  }
}
