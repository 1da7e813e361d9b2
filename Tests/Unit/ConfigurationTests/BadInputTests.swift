import DaunceExperiment
import DaunceSettings
import Foundation
import DaunceState
import Testing

@Suite struct BadInputTests {
  private func problems(in text: String) -> [ConfigurationError.Problem] {
    do {
      _ = try Configuration(yaml: text, source: "bad.yaml")
      return []
    } catch {
      return error.problems
    }
  }

  @Test(arguments: [
    ("membrs: 3", "membrs", "members"),
    ("agents: {ppo: {clp: 0.1}}", "agents.ppo.clp", "agents.ppo.clip"),
    ("agents: {ppo: {leraning_rate: 0.1}}", "agents.ppo.leraning_rate", "agents.ppo.learning_rate"),
    (
      "agents: {warm_start: {learning-rate: 0.1}}", "agents.warm_start.learning-rate", "agents.warm_start.learning_rate"
    ),
    ("gae_lambda: 0.9", "gae_lambda", "agents.ppo.gae_lambda"),
    ("filters: {inflation: 1.1}", "filters.inflation", "filter.inflation"),
    ("agent: {}", "agent", "agents"),
    ("half_widht: 3", "half_widht", "filter.half_width"),
  ])
  func unknownKeysNameTheNearest(text: String, key: String, nearest: String) throws {
    let found = problems(in: text)
    let problem = try #require(found.first)
    #expect(found.count == 1)
    #expect(problem.kind == .unknownKey)
    #expect(problem.keys == [key])
    #expect(problem.expected.hasSuffix(" \(nearest)"), "\(problem)")
  }

  @Test func formerNamesAreRefusedWithTheNewOnes() throws {
    let found = problems(in: "agents: {order_kept: 1}")
    let problem = try #require(found.first)
    #expect(found.count == 1)
    #expect(problem.keys == ["agents.order_kept"])
    #expect(problem.found == "a former name")
    #expect(problem.expected == "the new one, agents.rank_persistence")
    #expect(problems(in: "agents: {rank_persistence: 1}").isEmpty)
  }

  @Test(arguments: [
    ("members: many", "members", "many", "an integer of at least 2"),
    ("members: 2.5", "members", "2.5", "an integer of at least 2"),
    ("members: \"10\"", "members", "\"10\"", "an integer of at least 2"),
    ("members:", "members", "nothing", "an integer of at least 2"),
    ("members: [1, 2]", "members", "[1, 2]", "an integer of at least 2"),
    ("members: {count: 3}", "members", "a group of keys", "an integer of at least 2"),
    (
      "model: lorenz96", "model", "lorenz96",
      "a group of the keys name, library, parameters, register, config, variables, description, arrays, command, start, coarse, worker, template, copied, folder, format, files, keeps, time_limit, cores, memory, at_once, environment, units, background, cells, noise_amplitude, noise_scheme, floor, forcing, damping, levels, shear"
    ),
    ("model: {name: MJO}", "model.name", "MJO", "mjo-skeleton | lorenz96 | lorenz63 | advection1d | convection | plugin | bmi | external"),
    ("output: {members: yes please}", "output.members", "yes please", "true or false"),
    (
      "constraints: {band: [1]}", "constraints.band", "[1]",
      "two ascending numbers [lower, upper], or auto"
    ),
    ("filter: {half_width: wide}", "filter.half_width", "wide", "a number above 0, or none"),
    ("filter: {inflation: .nan}", "filter.inflation", ".nan", "a number of at least 1"),
  ])
  func wrongTypesAreNamed(text: String, key: String, found: String, expected: String) throws {
    let problem = try #require(problems(in: text).first)
    #expect(problem.kind == .wrongType)
    #expect(problem.keys == [key])
    #expect(problem.found == found)
    #expect(problem.expected == expected)
  }

  @Test(arguments: [
    ("observations: {error_variance: 0}", "observations.error_variance"),
    ("observations: {error_variance: -0.1}", "observations.error_variance"),
    ("observations: {interval: 0}", "observations.interval"),
    ("members: 1", "members"),
    ("filter: {half_width: 0}", "filter.half_width"),
    ("filter: {inflation: 0.9}", "filter.inflation"),
    ("agents: {window: 4}", "agents.window"),
    ("agents: {ppo: {discount: 1.5}}", "agents.ppo.discount"),
    ("methods: []", "methods"),
    ("methods: [rl, eakf, rl]", "methods"),
    ("constraints: {band_quantiles: [-0.1, 0.5]}", "constraints.band_quantiles"),
    ("agents: {hidden: [16, 0]}", "agents.hidden"),
  ])
  func valuesOutsideTheirRangeAreNamed(text: String, key: String) throws {
    let problem = try #require(problems(in: text).first)
    #expect(problem.kind == .outOfRange)
    #expect(problem.keys == [key])
  }

  @Test func messageNamesFileLineKeyFoundAndExpected() {
    let text = "seed: 2\nagents:\n  ppo:\n    clip: -1\n"
    #expect(
      problems(in: text).map(\.description) == ["bad.yaml:4: agents.ppo.clip: found -1, expected a number above 0"])
  }

  @Test func groupsInListsAreChecked() {
    let text = "observations:\n  networks:\n    - {field: K, evry: 8}\n    - field: R\n      every: 2.5\n      sd: -1\n    - 3\n"
    #expect(
      problems(in: text).map(\.description) == [
        "bad.yaml:3: observations.networks[0].evry: found an unknown key, expected a known one; the nearest is "
          + "observations.networks[0].every",
        "bad.yaml:5: observations.networks[1].every: found 2.5, expected an integer of at least 1, or none",
        "bad.yaml:6: observations.networks[1].sd: found -1, expected a number above 0, or none",
      ])
    #expect(problems(in: "observations: {networks: [3]}").map(\.kind) == [.wrongType])
    #expect(problems(in: "observations: {networks: {field: K}}").map(\.kind) == [.wrongType])
  }

  @Test func groupsInListsCanBeSet() throws {
    let network = "[{field: K, every: 8, sd: 0.005}]"
    let configuration = try Configuration.load(
      path: nil, overrides: [.init(option: "--set", key: "observations.networks", value: network)])
    #expect(configuration.observations.networks.map(\.text) == ["{field: K, every: 8, sd: 0.005}"])
  }

  @Test func allProblemsAreReportedAtOnce() {
    let text = "membrs: 3\nseed: -1\nfilter: {rtps: 2}\n"
    #expect(problems(in: text).map(\.kind) == [.unknownKey, .wrongType, .outOfRange])
    #expect(problems(in: text).map(\.line) == [1, 2, 3])
  }

  @Test func duplicateKeysAreNamedWithTheirGroup() throws {
    let problem = try #require(problems(in: "agents:\n  ppo:\n    clip: 0.1\n    epochs: 3\n    clip: 0.2\n").first)
    #expect(problem.kind == .duplicateKey)
    #expect(problem.keys == ["agents.ppo.clip"])
    #expect(problem.line == 3)
  }

  @Test(arguments: ["members: [1, 2", "members: 3\n\tseed: 1", "a: b: c", "seed: 1\n---\nseed: 2\n", "@"])
  func brokenYAMLIsASyntaxProblem(text: String) throws {
    let problem = try #require(problems(in: text).first)
    #expect(problem.kind == .syntax)
    #expect(problem.line != nil)
  }

  @Test(arguments: ["[1, 2]", "members"])
  func documentsWithoutKeysAreRefused(text: String) throws {
    #expect(problems(in: text).map(\.kind) == [.wrongType])
  }

  @Test func unreadableFilesAreNamed() throws {
    let folder = FileManager.default.temporaryDirectory.path
    for (path, found) in [(folder, "a folder"), (folder + "/no-such-configuration.yaml", "nothing there")] {
      let error = try #require(throws: ConfigurationError.self) { try Configuration.load(path: path) }
      #expect(error.problems.map(\.kind) == [.unreadable])
      #expect(error.problems.map(\.found) == [found])
      #expect(error.description.contains(path))
    }
  }

  @Test func overridesReplaceAndNameTheirOption() throws {
    let configuration = try Configuration.load(
      path: nil,
      overrides: [
        .members(4), .cycles(80), .seed(9), .init(option: "--set", key: "agents.hidden", value: "[8, 8]"),
        .init(option: "--set", key: "agents.ppo", value: "{clip: 0.3, epochs: 2}"),
        .init(option: "--set", key: "filter.half_width", value: "none"),
      ])
    #expect(configuration.members == 4 && configuration.truths.cycles == 80 && configuration.seed == 9)
    #expect(configuration.agents.hidden == [8, 8])
    #expect(configuration.agents.ppo.clip == 0.3 && configuration.agents.ppo.epochs == 2)
    #expect(configuration.filter.halfWidth == nil)

    let error = try #require(throws: ConfigurationError.self) {
      try Configuration.load(path: nil, overrides: [.members(0)])
    }
    #expect(error.description == "--members: members: found 0, expected an integer of at least 2")
    #expect(error.problems.map(\.source) == [.option("--members")])
  }

  @Test func fileIsReadAndLaterOverridesWin() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "configuration \(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try "members: 6\ntruths: {cycles: 40}\n".write(to: file, atomically: true, encoding: .utf8)
    // Forty cycles alone contradict the spin-up of fifty; the command line settles it before the check.
    let configuration = try Configuration.load(
      path: file.path, overrides: [.init(option: "--set", key: "truths.spinup_cycles", value: "10")])
    #expect(configuration.members == 6 && configuration.truths.cycles == 40)
    let error = try #require(throws: ConfigurationError.self) { try Configuration.load(path: file.path) }
    #expect(error.problems.map(\.source) == [.file(file.path)])
  }
}

/// Small files that would take the parser's stack, or the machine's time or memory.
@Suite struct ExcessTests {
  private func problems(in text: String) -> [ConfigurationError.Problem] {
    do {
      _ = try Configuration(yaml: text, source: "bad.yaml")
      return []
    } catch {
      return error.problems
    }
  }

  /// Ten aliases of ten aliases of ten ...: 10^9 words.
  private static var bomb: String {
    var lines = ["a0: &a0 [1]"]
    for level in 1...9 {
      let before = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      lines.append("a\(level): &a\(level) [\(before)]")
    }
    return (lines + ["members: *a9"]).joined(separator: "\n")
  }

  private static var stairs: String {
    (0..<2000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
  }

  private static func many(_ text: String, before: String = "", after: String = "") -> String {
    before + String(repeating: text, count: 100_000) + after
  }

  private static let excesses: [(text: String, found: String)] = [
    (bomb, "more than 16 aliases"), (stairs, "indentation beyond 200 columns"),
    (many("[", before: "members: "), "more than 1000 brackets"), (many("{a: "), "more than 1000 brackets"),
    (many("- ", after: "1"), "indentation beyond 200 columns"),
    (many("? ", after: "1"), "indentation beyond 200 columns"),
    (many("# a comment\n", before: "members: 3\n"), "more than 1048576 bytes"),
  ]

  @Test(arguments: excesses)
  func excessesAreRefusedBeforeTheyArePursued(excess: (text: String, found: String)) throws {
    let (text, found) = excess
    let problem = try #require(problems(in: text).first)
    #expect(problem.kind == .syntax && problem.found == found, "\(problem)")
    #expect(problem.line != nil)
    var configuration = Configuration()
    #expect(throws: ConfigurationError.self) {
      try configuration.apply([ConfigurationOverride(option: "--set", key: "members", value: text)])
    }
  }

  /// Up to the limits all is as ever.
  @Test func aFewAliasesAndBracketsAreFine() throws {
    let text = "agents: {hidden: &units [6, 6]}\nfilter: {large_members: 20}\n# 5 * 6 *a *b [[[ {{{\n"
    #expect(try Configuration(yaml: text, source: "good.yaml").agents.hidden == [6, 6])
    #expect(try Configuration(yaml: Configuration().yaml, source: "good.yaml") == Configuration())
  }

  @Test func manyMistakesAreToldInPart() throws {
    let found = problems(in: (0..<30_000).map { "key\($0): 1\n" }.joined())
    #expect(found.count == 20)
    let long = problems(in: "\(String(repeating: "k", count: 1000)): \(String(repeating: "9", count: 1000))")
    #expect(long.count == 1)
    #expect(try #require(long.first).description.count < 700)
  }

  /// A pipe or device without an end is read as far as a configuration can go.
  @Test func endlessFilesAreRefused() throws {
    let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/dev/zero") }
    #expect(error?.problems.first?.kind == .syntax)
  }
}
