/// What a configuration file may say about one key.
public struct KeyDescription: Sendable, Hashable {
  /// Path in a file: `agents.ppo.clip`.
  public let key: String
  /// Default value, as in a file.
  public let defaultValue: String
  /// Meaning, with the unit.
  public let meaning: String
  /// Type and allowed values.
  public let expected: String
}

extension KeyDescription {
  fileprivate init(_ leaf: ConfigurationLeaf) {
    self.init(key: leaf.name, defaultValue: leaf.key.display, meaning: leaf.key.meaning, expected: leaf.key.expected)
  }
}

extension ConfigurationGroup {
  /// Every key of an element, in order.
  public static var keys: [KeyDescription] { leaves.map { KeyDescription($0) } }
}

extension ConfigurationRoot {
  /// Every key that a file may hold, in order.
  public static var keys: [KeyDescription] { Self().leaves.map { KeyDescription($0) } }

  /// Every key with its value, its meaning and its allowed values: a file that loads to an equal configuration.
  public var yaml: String {
    Self.document(
      zip(leaves, Self().leaves).map { leaf, declared in
        (leaf.path, leaf.display(as: declared), "\(declared.key.meaning) (\(declared.key.expected))")
      })
  }

  /// Keys and values alone, one a line, in a fixed order: equal configurations have equal texts.
  package var canonicalText: String {
    leaves.map { "\($0.name)=\($0.key.text)\n" }.joined()
  }

  /// 64-bit FNV-1a digest of the keys and values, by which ranks agree on what they compute.
  public var digest: UInt64 {
    canonicalText.utf8.reduce(0xcbf2_9ce4_8422_2325) { hash, byte in (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// A YAML document of keys in order; keys of one group have to be neighbours.
  static func document(_ entries: [(path: [String], value: String, comment: String?)]) -> String {
    var text = ""
    var groups: [String] = []
    for entry in entries {
      let parents = Array(entry.path.dropLast())
      let shared = zip(groups, parents).prefix { $0 == $1 }.count
      for depth in shared..<parents.count { text += indent(depth) + parents[depth] + ":\n" }
      groups = parents
      var line = indent(parents.count) + (entry.path.last ?? "") + ": " + entry.value
      if let comment = entry.comment {
        line += String(repeating: " ", count: max(2, commentColumn - line.count)) + "# " + comment
      }
      text += line + "\n"
    }
    return text
  }

  private static var commentColumn: Int { 36 }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }
}
