import Yams

extension ConfigurationRoot {
  /// A YAML parser's complaint as a problem with a line.
  static func syntaxProblem(
    _ error: any Error, in yaml: String, source: ConfigurationError.Source
  ) -> ConfigurationError.Problem {
    if let excess = error as? ConfigurationLimits.Excess {
      return .init(.syntax, source: source, line: excess.line, found: excess.found, expected: excess.expected)
    }
    switch error as? YamlError {
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.map { key in
        (enclosingKeys(line: context.mark.line, in: yaml) + [key]).joined(separator: ".")
      }
      return .init(
        .duplicateKey, source: source, line: context.mark.line, keys: keys, found: "the key more than once",
        expected: "it once")
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return .init(
        .syntax, source: source, line: mark.line, found: "text that is not YAML (\(problem))", expected: "YAML")
    default:
      return .init(.syntax, source: source, found: "text that is not YAML (\(error))", expected: "YAML")
    }
  }

  /// The keys of the groups around a line of a document in block style, told by indentation.
  private static func enclosingKeys(line: Int, in yaml: String) -> [String] {
    let lines = yaml.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.indices.contains(line - 1) else { return [] }
    func indentation(_ text: Substring) -> Int { text.prefix { $0 == " " }.count }
    var limit = indentation(lines[line - 1])
    var keys: [String] = []
    for text in lines[..<(line - 1)].reversed() where indentation(text) < limit {
      let content = text.drop { $0 == " " }
      guard !content.hasPrefix("#"), let colon = content.firstIndex(of: ":") else { continue }
      keys.insert(String(content[..<colon]), at: 0)
      limit = indentation(text)
    }
    return keys
  }
}
