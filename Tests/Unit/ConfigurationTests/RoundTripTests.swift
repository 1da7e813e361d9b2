import DaunceAgents
import DaunceExperiment
import DaunceSettings
import Foundation
import Testing

@Suite struct RoundTripTests {
  /// A configuration that differs from the defaults in every kind of value.
  private var unusual: Configuration {
    var configuration = Configuration()
    configuration.seed = .max
    configuration.members = 7
    configuration.methods = [.enkf, .constrainedEnKF, .flooredEAKF]
    configuration.model.cells = 48
    configuration.model.noiseScheme = .feller
    configuration.model.noiseAmplitude = 0.1 + 0.2
    configuration.model.floor = .leastNormalMagnitude
    configuration.nature.spinup = 1.0e22
    configuration.observations.errorVariance = 1.0 / 3.0
    var network = NetworkSettings()
    network.field = "K"
    network.cells = [0, 7]
    network.law = .laplace
    network.relativeSd = 1.0 / 3.0
    configuration.observations.networks = [NetworkSettings(), network]
    var width = VariableHalfWidth()
    width.field = "K"
    width.halfWidth = 7.1
    configuration.filter.halfWidths = [width]
    configuration.filter.halfWidth = nil
    configuration.constraints.energy = .printed
    configuration.constraints.band = Interval(lower: -1.5e-9, upper: 0.08)
    configuration.agents.controls = ["a", "y", "two words", "quote\"\\", "tab\t", "null"]
    configuration.agents.hidden = [8]
    configuration.agents.multipliers.form = .none
    configuration.output.members = true
    return configuration
  }

  @Test func printedConfigurationLoadsToAnEqualOne() throws {
    for configuration in [Configuration(), unusual] {
      #expect(try Configuration(yaml: configuration.yaml, source: "printed.yaml") == configuration)
    }
  }

  @Test func everyDefaultIsPrintedWithItsMeaning() {
    let lines = Configuration().yaml.split(separator: "\n").map(String.init)
    for key in Configuration.keys {
      let name = key.key.split(separator: ".").last ?? ""
      let line = lines.first {
        $0.drop { $0 == " " }.hasPrefix("\(name): \(key.defaultValue)") && $0.contains(key.meaning)
      }
      #expect(line?.contains(key.expected) == true, "\(key.key)")
      #expect(!key.meaning.isEmpty, "\(key.key)")
    }
  }

  @Test(arguments: ["", "\n", "# nothing but a comment\n", "---\n", "{}", "agents:\n", "agents: {ppo: {}}"])
  func emptyFileMeansDefaults(text: String) throws {
    #expect(try Configuration(yaml: text, source: "empty.yaml") == Configuration())
  }

  @Test func givenKeysReplaceDefaultsAndLeaveTheRest() throws {
    let text = """
      members: 4
      agents:
        hidden: [8, 8]
        ppo: {clip: 0.1}
      filter:
        half_width: null   # no localization
      constraints: {energy: none}
      model: {name: "lorenz96"}
      """
    var expected = Configuration()
    expected.members = 4
    expected.agents.hidden = [8, 8]
    expected.agents.ppo.clip = 0.1
    expected.filter.halfWidth = nil
    expected.constraints.energy = .off
    expected.model.name = .lorenz96
    #expect(try Configuration(yaml: text, source: "some.yaml") == expected)
  }

  @Test func encodingIsLossless() throws {
    let data = try JSONEncoder().encode(unusual)
    #expect(try JSONDecoder().decode(Configuration.self, from: data) == unusual)
  }

  @Test func digestTellsConfigurationsApart() throws {
    #expect(Configuration().digest == Configuration().digest)
    #expect(try Configuration(yaml: unusual.yaml, source: "printed.yaml").digest == unusual.digest)
    for key in Configuration.keys where key.expected.contains("integer") && !key.expected.contains("list") {
      var other = Configuration()
      try other.apply([.init(option: "--set", key: key.key, value: "31")])
      #expect(other.digest != Configuration().digest, "\(key.key)")
    }
  }

  @Test func automaticValuesFollowTheModel() {
    var configuration = Configuration()
    #expect(configuration.cells == 64)
    #expect(configuration.energy == .conserved)
    configuration.model.name = .lorenz96
    #expect(configuration.cells == 40)
    #expect(configuration.energy == .off)
    configuration.model.cells = 36
    #expect(configuration.cells == 36)
  }

  /// The guide's table is made of the same descriptions: no row may be missing, out of date or left over.
  @Test func guideHasTheTableOfAllKeys() throws {
    try check(Configuration.keys, in: "reference/configuration.md")
    try check(UncertaintyConfiguration.keys, in: "guide/uncertainty.md")
  }

  private func check(_ keys: [KeyDescription], in page: String) throws {
    let rows = keys.map { key in
      let allowed = key.expected.replacing("|", with: "\\|")
      return "| `\(key.key)` | `\(key.defaultValue)` | \(key.meaning) | \(allowed) |\n"
    }
    let table = "|---|---|---|---|\n" + rows.joined() + "\n"
    let guide = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/\(page)").standardizedFileURL
    let isCurrent = try String(contentsOf: guide, encoding: .utf8).contains(table)
    #expect(isCurrent, "the table in docs/\(page) should be\n\(table)")
  }
}
