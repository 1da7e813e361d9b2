import DaunceExperiment
import DaunceSettings
import Testing

/// Keys that are the user's model's own.
@Suite struct ParameterTableTests {
  private static func loaded(_ yaml: String, _ overrides: [String] = []) throws -> Configuration {
    var configuration = try Configuration(yaml: yaml, source: "own.yaml")
    try configuration.apply(
      overrides.map { text in
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        return ConfigurationOverride(option: "--set", key: parts[0], value: parts[1])
      })
    return configuration
  }

  @Test func namesAreFreeAndKeepTheirOrder() throws {
    let given = "model: {parameters: {zeta: 1.50, alpha: yes, file: \"a: b\", list: [1, two], group: {inner: -3}}}"
    let table = try Self.loaded(given).model.parameters
    #expect(table.lines == "zeta = 1.50\nalpha = yes\nfile = a: b\nlist = 1, two\ngroup.inner = -3\n")
  }

  @Test func theCommandLineAddsAndReplaces() throws {
    let given = "model: {parameters: {a: 1, b: 2}}"
    #expect(try Self.loaded(given, ["model.parameters.b=3", "model.parameters.c=4"]).model.parameters.lines == "a = 1\nb = 3\nc = 4\n")
    #expect(try Self.loaded(given, ["model.parameters={d: 5}"]).model.parameters.lines == "a = 1\nb = 2\nd = 5\n")
    #expect(try Self.loaded(given, ["model.parameters={}"]).model.parameters.lines.isEmpty)
  }

  @Test func whatIsPrintedLoadsToTheSame() throws {
    let given = "model: {name: plugin, library: ./a.so, parameters: {zeta: 1.50, file: \"a: \\\"b\\\"\", list: [1, two], g: {i: -3}}}"
    let configuration = try Self.loaded(given)
    let again = try Configuration(yaml: configuration.yaml, source: "printed")
    #expect(again == configuration && again.digest == configuration.digest)
    #expect(again.digest != (try Self.loaded(given, ["model.parameters.zeta=1.5"])).digest)
  }

  /// An absent value has its key's own word, whatever else is set.
  @Test func absentValuesArePrintedAsTheyAreRead() throws {
    let configuration = try Self.loaded("filter: {half_width: none}\nmodel: {register: null}")
    #expect(configuration.yaml.contains("half_width: none ") && configuration.yaml.contains("register: none "))
    #expect(try Configuration(yaml: configuration.yaml, source: "printed") == configuration)
  }

  @Test(arguments: [
    ("model: {parameters: 3}", "own.yaml:1: model.parameters: found 3, expected a group of the model's own parameters"),
    ("model: {parameters: {a: [{b: 1}]}}", "model.parameters.a: found [a group of keys], expected a number, a word or a list of them"),
    ("model: {parameters: {a: null}}", ""),
    ("model: {parameters: {a: \"two\\nlines\"}}", "expected a number, a word or a list of them"),
  ])
  func whatIsNoValueIsRefused(yaml: String, message: String) {
    if message.isEmpty {
      #expect((try? Self.loaded(yaml))?.model.parameters.lines == "a = null\n")
      return
    }
    let error = #expect(throws: ConfigurationError.self) { try Self.loaded(yaml) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }
}
