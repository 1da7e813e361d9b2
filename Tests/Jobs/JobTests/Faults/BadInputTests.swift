import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What cannot work ends all ranks within seconds, with one message that names the culprit, a fitting exit code, and
  /// everything as it was before.
  @Suite struct BadInputTests {
    /// A command that is refused.
    struct Case: CustomTestStringConvertible, Sendable {
      let ranks: Int
      let arguments: [String]
      let status: Int32
      /// What the message has to say.
      let message: [String]

      init(_ arguments: String, _ status: Int32, _ message: String..., ranks: Int = 2) {
        self.init(arguments, status, message: message, ranks: ranks)
      }

      init(_ arguments: String, _ status: Int32, message: [String], ranks: Int = 2) {
        self.ranks = ranks
        self.arguments = arguments.split(separator: " ").map(String.init)
        self.status = status
        self.message = message
      }

      var testDescription: String { arguments.joined(separator: " ") }
    }

    static let settings: [Case] = [
      Case("run", 64, "11 ranks", "10 members", ranks: 11),
      Case("run --set agents.ppo.clp=0.1", 64, "--set", "agents.ppo.clp", "nearest is agents.ppo.clip"),
      Case("run --config misspelt.yaml", 65, "misspelt.yaml:2", "membrs", "nearest is members"),
      Case("run --config contradictory.yaml", 65, "contradictory.yaml", "truths.spinup_cycles", "truths.cycles"),
      Case("run --config negative.yaml", 65, "negative.yaml:1", "observations.error_variance", "-0.1", "above 0"),
      Case("simulate --set observations.error_variance=0", 64, "observations.error_variance", "found 0", "above 0"),
      Case("run --config missing.yaml", 74, "missing.yaml", "nothing there"),
    ]

    static let files: [Case] = [
      initial("missing.nc", 74, "No such file"),
      initial("text.nc", 65, "a file of another kind", "NetCDF"),
      initial("empty.nc", 65, "an empty file", "NetCDF"),
      initial("truncated.nc", 65, "truncated or damaged"),
      initial("bad-nan.nc", 65, "variable R", "nan at member 3, x 5", "finite"),
      initial("bad-negative.nc", 65, "variable a", "-0.25 at member 2, x 7", "at least 0.0001"),
      initial("bad-without-Z.nc", 65, "variable Z", "no such variable", "a, R, K"),
      initial("bad-transposed.nc", 65, "variable K", "(x = 64, member = 10)", "(member = 10, x = 64)"),
      initial("bad-timeless.nc", 65, "attribute time"),
      initial("made/observations.nc", 65, "dimension member", "(time, x)"),
      observations("made", 74, "a folder"),
      observations("bad-zero-variance.nc", 65, "observation 1", "error variance 0.0", "positive"),
      observations("bad-negative-variance.nc", 65, "observation 68", "error variance -0.0063", "positive"),
      observations("bad-without-variance.nc", 65, "a(time, x)", "error_variance"),
      observations("bad-narrow.nc", 65, "dimension x", "32 cells", "64 cells"),
      observations("bad-misnamed.nc", 65, "observations of A", "K, R, Z, a"),
      observations("bad-late.nc", 65, "variable time", "20.028", "multiple of 0.02", "observations.interval"),
    ]

    static let agents: [Case] = [
      assimilate("--agents missing", 74, "missing", "expected the folder agents"),
      assimilate("--agents small.yaml", 74, "small.yaml", "expected the folder agents"),
      assimilate("--agents fewer", 74, "rank 2", "fewer/agent-0007.nc", "No such file"),
      assimilate("--agents damaged", 65, "rank 1", "damaged/agent-0004.nc", "damaged"),
      assimilate("--agents made/agents --members 9", 65, "initial.nc", "10 members", "expected 9 members"),
      assimilate("--agents made/agents --set model.cells=32", 65, "cells", "found 64", "expected 32", "model.cells"),
      assimilate("--agents made/agents --set model.name=lorenz96", 65, "model", "mjo-skeleton", "lorenz96"),
      assimilate("--agents made/agents --set model.background=warm-pool", 65, "homogeneous", "warm-pool"),
      assimilate("--agents mixed", 64, "ranks disagree", "agents' settings", "mixed"),
    ]

    static let places: [Case] = [
      Case("simulate --output small.yaml", 74, "small.yaml", "a file", "a folder"),
      Case("simulate --output small.yaml/results", 74, "small.yaml", "a file", "a folder"),
      Case("simulate --output /proc/results", 74, "/proc/results", "cannot create the folder"),
      Case("benchmark --agents missing --methods rl", 74, "missing", "expected the folder agents"),
      Case("score --truth made/initial.nc made/initial.nc", 65, "made/initial.nc", "dimension time", ranks: 1),
      Case("score --truth made/nature.nc missing.nc", 74, "missing.nc", "No such file", ranks: 2),
    ]

    private static func initial(_ file: String, _ status: Int32, _ message: String...) -> Case {
      input("--initial \(file) --observations made/observations.nc", file, status, message)
    }

    private static func observations(_ file: String, _ status: Int32, _ message: String...) -> Case {
      input("--initial made/initial.nc --observations \(file)", file, status, message)
    }

    private static func input(_ arguments: String, _ file: String, _ status: Int32, _ message: [String]) -> Case {
      Case("assimilate --method floored-eakf \(arguments)", status, message: [file] + message)
    }

    private static func assimilate(_ arguments: String, _ status: Int32, _ message: String...) -> Case {
      Case(
        "assimilate --initial made/initial.nc --observations made/observations.nc \(arguments)", status,
        message: message, ranks: 3)
    }

    @Test(arguments: settings + files + agents + places)
    func isRefused(_ bad: Case) throws {
      let workshop = try workshop()
      try BadFiles.prepare(workshop)
      var arguments = bad.arguments
      if !arguments.contains("--output") { arguments += ["--output", "before"] }
      if !arguments.contains("--config") { arguments += ["--config", "small.yaml"] }
      let before = try workshop.contents("before")
      let mark = UUID().uuidString
      let start = ContinuousClock.now
      let result = try workshop.job(bad.ranks, arguments, environment: ["DAUNCE_TEST_JOB": mark])
      #expect(ContinuousClock.now - start < .seconds(15))
      #expect(result.status == bad.status, "\(result.stderr)")
      #expect(result.stdout.isEmpty, "\(result.stdout)")
      let messages = result.stderr.split(separator: "\n").filter { $0.contains("daunce-mpi: ") }
      #expect(messages.count == 1, "\(result.stderr)")
      // mpirun puts no lines of its own around it; that of Open MPI 5 cannot be kept from it.
      let isFifth = result.stderr.contains("prterun has exited")
      #expect(isFifth || !result.stderr.contains("-----"), "\(result.stderr)")
      for part in bad.message { #expect(messages.first?.contains(part) == true, "\(part): \(result.stderr)") }
      #expect(differences(try workshop.contents("before"), before) == [])
      #expect(processesLeft(marked: mark).isEmpty)
    }

    /// Ranks of one job may be given different files; nobody waits for anybody then.
    @Test func ranksMustAgreeOnTheConfiguration() throws {
      let workshop = try workshop()
      try workshop.write(Workshop.configuration + "\nseed: 2", to: "other.yaml")
      let result = try workshop.job(
        ranks: 2, first: ["run", "--config", "small.yaml", "--output", "none"],
        others: ["run", "--config", "other.yaml", "--output", "none"])
      #expect(result.status == 64)
      let message = "daunce-mpi: ranks disagree about the configuration: rank 1 differs from rank 0"
      #expect(result.stderr.components(separatedBy: message).count == 2, "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: workshop.folder.appending(path: "none").path))
    }

    @Test func ranksMustAgreeOnTheCommandAndItsInput() throws {
      let workshop = try workshop()
      try BadFiles.prepare(workshop)
      func assimilate(_ method: String, _ observations: String) -> [String] {
        [
          "assimilate", "--method", method, "--initial", "made/initial.nc", "--observations", observations, "--output",
          "none", "--config", "small.yaml",
        ]
      }
      let first = assimilate("enkf", "made/observations.nc")
      for (second, subject) in [
        (assimilate("floored-eakf", "made/observations.nc"), "the command"),
        (assimilate("enkf", "shorter.nc"), "the observations"),
      ] {
        let result = try workshop.job(ranks: 3, first: first, others: second)
        #expect(result.status == 64)
        #expect(result.stderr.contains("\(subject): ranks 1, 2 differ from rank 0"), "\(result.stderr)")
        #expect(result.stderr.components(separatedBy: "daunce-mpi: ").count == 2)
      }
    }
  }
}

/// Files that cannot be used, made from good ones.
enum BadFiles {
  static func prepare(_ workshop: Workshop) throws {
    let files = FileManager.default
    let folder = workshop.folder
    func place(_ name: String) -> URL { folder.appending(path: name) }
    guard !files.fileExists(atPath: place("before").path) else { return }
    try workshop.write("\nmembrs: 3\n", to: "misspelt.yaml")
    try workshop.write("truths: {cycles: 20, spinup_cycles: 30}\n", to: "contradictory.yaml")
    try workshop.write("observations: {error_variance: -0.1}\n", to: "negative.yaml")
    try workshop.write("time,x,a\n0,0,0.1\n", to: "text.nc")
    try workshop.write("", to: "empty.nc")
    let initial = try Data(contentsOf: place("made/initial.nc"))
    try initial.prefix(initial.count / 2).write(to: place("truncated.nc"))
    for variant in ["nan", "negative", "without-Z", "transposed", "timeless"] {
      try workshop.foreign("initial", "made/initial.nc", "bad-\(variant).nc", variant)
    }
    for variant in [
      "all-missing", "zero-variance", "negative-variance", "without-variance", "narrow", "misnamed", "late",
    ] {
      try workshop.foreign("observations", "made/observations.nc", "bad-\(variant).nc", variant)
    }
    try workshop.foreign("observations", "made/observations.nc", "shorter.nc", "three-times")

    for name in ["fewer", "damaged", "mixed"] { try files.copyItem(at: place("made/agents"), to: place(name)) }
    try files.removeItem(at: place("fewer/agent-0007.nc"))
    var agent = try Data(contentsOf: place("damaged/agent-0004.nc"))
    agent[agent.count / 2] ^= 0x10
    try agent.write(to: place("damaged/agent-0004.nc"))
    // Agents that see their own member only, among agents that expect the ensemble's mean and spread.
    let other = try workshop.job(
      2,
      ["train", "--config", "small.yaml", "--output", "lonely", "--quiet", "--set", "agents.inputs=member"]
        + ["--set", "agents.warm_start.steps=1", "--set", "agents.ppo.iterations=1"])
    try #require(other.status == 0, "\(other.stderr)")
    for member in 7...9 {
      let name = "agent-000\(member).nc"
      try files.removeItem(at: place("mixed/\(name)"))
      try files.copyItem(at: place("lonely/agents/\(name)"), to: place("mixed/\(name)"))
    }

    // Results of an earlier day, which nothing here may touch.
    try files.createDirectory(at: place("before/agents"), withIntermediateDirectories: true)
    for name in [
      "nature.nc", "observations.nc", "initial.nc", "analysis-rl.nc", "analysis-floored-eakf.nc", "scores.json",
      "training.json", "agents/agent-0000.nc",
    ] {
      try workshop.write("an earlier \(name)", to: "before/\(name)")
    }
  }
}
