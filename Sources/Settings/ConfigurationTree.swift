import Yams

/// One key of a configuration, found by reflection.
package struct ConfigurationLeaf {
  /// Path in files: `["agents", "ppo", "clip"]`.
  let path: [String]
  /// Path of the properties: `["agents", "ppo", "clip"]`, in camel case.
  let properties: [String]
  let key: any AnyKey

  /// Path as one word: `agents.ppo.clip`.
  package var name: String { path.joined(separator: ".") }

  /// The value as in a file.
  package var text: String { key.text }

  /// The value for readers. Only a declaration knows the word for an absent value.
  func display(as declared: ConfigurationLeaf) -> String { key.text == "null" ? declared.key.absent : key.text }
}

extension ConfigurationRoot {
  /// Every key with its value, in the order of declaration.
  package var leaves: [ConfigurationLeaf] { ConfigurationLeaf.leaves(of: self) }
}

extension ConfigurationLeaf {
  /// The keys of a tree or group, in the order of declaration.
  static func leaves(of group: Any, path: [String] = [], properties: [String] = []) -> [ConfigurationLeaf] {
    Mirror(reflecting: group).children.flatMap { child -> [ConfigurationLeaf] in
      // A property wrapper's storage has the property's name after an underscore.
      let label = child.label ?? ""
      let property = label.hasPrefix("_") ? String(label.dropFirst()) : label
      let path = path + [snakeCase(property)]
      let properties = properties + [property]
      if let key = child.value as? any AnyKey {
        return [ConfigurationLeaf(path: path, properties: properties, key: key)]
      }
      return leaves(of: child.value, path: path, properties: properties)
    }
  }

  /// `gaeLambda` as `gae_lambda`, `targetKL` as `target_kl`.
  private static func snakeCase(_ name: String) -> String {
    var result = ""
    var previousIsUpper = true
    for character in name {
      if character.isUppercase && !previousIsUpper { result += "_" }
      previousIsUpper = character.isUppercase
      result += character.lowercased()
    }
    return result
  }
}

/// A value that a user gave, with the place where it stands.
struct GivenValue {
  let path: [String]
  let literal: ConfigurationLiteral
  let source: ConfigurationError.Source
  let line: Int?

  var name: String { path.joined(separator: ".") }
}

extension ConfigurationRoot {
  /// This configuration with the given values in place of its own.
  ///
  /// - Throws: `ConfigurationError` with everything that does not fit.
  func replacing(_ given: [GivenValue]) throws(ConfigurationError) -> Self {
    let current = leaves
    let declared = Self().leaves
    var texts = current.map(\.key.codingText)
    var tables: [Int: ParameterTable] = [:]
    var problems: [ConfigurationError.Problem] = []
    for value in given where problems.count < ConfigurationLimits.problems {
      if let index = current.firstIndex(where: { value.isParameter(of: $0) }), var table = tables[index] ?? current[index].key.table {
        let name = value.path.dropFirst(current[index].path.count).joined(separator: ".")
        guard table.set(name, value.literal) else {
          problems.append(value.problem(.wrongType, expected: "a number, a word or a list of them"))
          continue
        }
        (tables[index], texts[index]) = (table, table.codingText)
        continue
      }
      guard let index = declared.firstIndex(where: { $0.path == value.path }) else {
        if let problem = Self.misplaced(value, among: declared) { problems.append(problem) }
        continue
      }
      let key = declared[index].key
      let inner = value.problems(ofGroups: key.groupLeaves)
      guard inner.isEmpty else {
        problems += inner
        continue
      }
      switch key.accept(value.literal) {
      case .accepted(let text): texts[index] = text
      case .wrongType: problems.append(value.problem(.wrongType, expected: key.expected))
      case .outOfRange: problems.append(value.problem(.outOfRange, expected: key.expected))
      }
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }

    let document = Self.document(zip(current, texts).map { ($0.properties, $1, nil) })
    do {
      return try YAMLDecoder().decode(Self.self, from: document)
    } catch {
      // Every value has been checked against its key, so only a key whose text and type disagree leads here.
      throw ConfigurationError([.init(.wrongType, source: .program, found: "\(error)", expected: "a configuration")])
    }
  }

  /// What is wrong with a value whose path is no key; nothing, if it is an empty group.
  private static func misplaced(
    _ value: GivenValue, among declared: [ConfigurationLeaf]
  ) -> ConfigurationError.Problem? {
    let members = declared.filter { $0.path.starts(with: value.path) }
    if !members.isEmpty {
      let isEmpty = [.group, .plain(""), .plain("null"), .plain("~")].contains(value.literal)
      let names = members.map { $0.path[value.path.count] }
      let keys = names.indices.filter { names.firstIndex(of: names[$0]) == $0 }.map { names[$0] }
      return isEmpty
        ? nil : value.problem(.wrongType, expected: "a group of the keys \(keys.joined(separator: ", "))")
    }
    if let parent = declared.first(where: { value.path.starts(with: $0.path) }) {
      return .init(
        .wrongType, source: value.source, line: value.line, keys: [parent.name], found: "a group of keys",
        expected: parent.key.expected)
    }
    if let name = Self.renamed[value.name] {
      return value.problem(.unknownKey, found: "a former name", expected: "the new one, \(name)")
    }
    return value.problem(
      .unknownKey, found: "an unknown key",
      expected: "a known one; the nearest is \(nearest(to: value.path, among: declared))")
  }

  /// The known path that differs least from `path`; groups count as well as keys. Of very long names only the start
  /// is compared.
  private static func nearest(to path: [String], among declared: [ConfigurationLeaf]) -> String {
    var candidates: [[String]] = []
    for leaf in declared {
      for length in 1...leaf.path.count {
        let candidate = Array(leaf.path.prefix(length))
        if !candidates.contains(candidate) { candidates.append(candidate) }
      }
    }
    // The last name decides, since a key in the wrong group is as common as a misspelt one; the group breaks ties.
    let last = String((path.last ?? "").prefix(ConfigurationLimits.shown))
    let groups = String(path.dropLast().joined(separator: ".").prefix(ConfigurationLimits.shown))
    func distance(_ candidate: [String]) -> (Int, Int) {
      let name = editDistance(candidate.last ?? "", last)
      let group = editDistance(candidate.dropLast().joined(separator: "."), groups)
      return (2 * name + (group == 0 ? 0 : 1), group)
    }
    return candidates.min { distance($0) < distance($1) }?.joined(separator: ".") ?? ""
  }
}

extension GivenValue {
  /// Whether it is inside of a table whose names are not this program's.
  fileprivate func isParameter(of leaf: ConfigurationLeaf) -> Bool {
    leaf.key.table != nil && path.count > leaf.path.count && path.starts(with: leaf.path)
  }

  func problem(
    _ kind: ConfigurationError.Kind, found: String? = nil, expected: String
  ) -> ConfigurationError.Problem {
    .init(
      kind, source: source, line: line, keys: [name], found: found ?? literal.description, expected: expected)
  }
}

extension GivenValue {
  /// What is wrong inside of a list of groups with the given keys; nothing for other values.
  fileprivate func problems(ofGroups leaves: [ConfigurationLeaf]) -> [ConfigurationError.Problem] {
    guard !leaves.isEmpty, case .list(let elements) = literal else { return [] }
    var problems: [ConfigurationError.Problem] = []
    for (i, element) in elements.enumerated() {
      guard case .fields(let fields) = element else { continue }
      for field in fields {
        let key = "\(name)[\(i)].\(field.name)"
        func add(_ kind: ConfigurationError.Kind, _ found: String, _ expected: String) {
          problems.append(
            .init(
              kind, source: source, line: line == nil ? nil : field.line, keys: [key], found: found, expected: expected))
        }
        guard let leaf = leaves.first(where: { $0.name == field.name }) else {
          let nearest = leaves.min { editDistance($0.name, field.name) < editDistance($1.name, field.name) }
          add(.unknownKey, "an unknown key", "a known one; the nearest is \(name)[\(i)].\(nearest?.name ?? "")")
          continue
        }
        switch leaf.key.accept(field.literal) {
        case .accepted: break
        case .wrongType: add(.wrongType, field.literal.description, leaf.key.expected)
        case .outOfRange: add(.outOfRange, field.literal.description, leaf.key.expected)
        }
      }
    }
    return problems
  }
}

/// Insertions, deletions and substitutions that lead from one word to another (Levenshtein).
func editDistance(_ first: String, _ second: String) -> Int {
  let target = Array(second)
  var row = Array(0...target.count)
  for (i, character) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in target.indices {
      let cost = min(diagonal + (character == target[j] ? 0 : 1), row[j] + 1, row[j + 1] + 1)
      diagonal = row[j + 1]
      row[j + 1] = cost
    }
  }
  return row[target.count]
}
