import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Models in shared libraries, as the examples have them.
  @Suite(.enabled(if: ModelLibraries.canBeBuilt)) struct PluginTests {
    /// Assimilation of files, where libraries and built-in models meet the same numbers.
    private static let lorenz96 = """
      members: 6
      truths: {test: 1, cycles: 30, spinup_cycles: 5}
      initial: {climatology_runs: 4}
      filter: {half_width: 4, inflation: 1.05}
      """

    @Test func aLibraryGivesTheBitsOfTheSameModelBuiltIn() throws {
      let workshop = try workshop()
      let libraries = try ModelLibraries.examples(workshop)
      try workshop.write(Self.lorenz96, to: "plugin-lorenz96.yaml")
      let simulation = try workshop.daunce(
        1, "simulate", "--config", "plugin-lorenz96.yaml", "--set", "model.name=lorenz96", "--output", "plugin-files", "--quiet")
      try #require(simulation.status == 0, "\(simulation.stderr)")
      var known: [Double]?
      for (name, ranks) in [("lorenz96", 1), ("plugin", 1), ("plugin", 3)] {
        var words = [
          "assimilate", "--config", "plugin-lorenz96.yaml", "--method", "letkf", "--set", "model.name=\(name)",
          "--initial", "plugin-files/initial.nc", "--observations", "plugin-files/observations.nc",
          "--output", "plugin-\(name)-\(ranks)", "--quiet",
        ]
        if name == "plugin" { words += ["--set", "model.library=\(libraries.path)/liblorenz96.so"] }
        let result = try workshop.job(ranks, words)
        try #require(result.status == 0, "\(result.stderr)")
        let file = try DatasetReader(path: workshop.folder.path + "/plugin-\(name)-\(ranks)/analysis-letkf.nc")
        let mean: [Double] = try file.values("X_mean")
        #expect(mean.count == 30 * 40)
        #expect(known == nil || mean == known, "\(name) on \(ranks) ranks")
        known = mean
      }
    }

    /// Fortran with bounds and an invariant, C with agents, C++ with memory and an observation operator: the same files on
    /// any number of ranks, and observations are worth something.
    @Test(arguments: [
      ("libtracer.so", "u", "{methods: [constrained-eakf, free], model: {parameters: {cells: 32, gust: 0.5}}}"),
      (
        "liblorenz96.so", "X",
        "{methods: [rl, eakf, free], agents: {warm_start: {steps: 300, batch: 16}, ppo: {iterations: 2, horizon: 8, sequences: 2}}}"
      ),
      (
        "libadams_bashforth.so", "X",
        "{methods: [letkf, free], observations: {networks: [{field: mean, every: 2, sd: 0.5, interval: 10}]}, filter: {update: all}}"
      ),
    ])
    func examplesRunAtAnyNumberOfRanks(library: String, field: String, settings: String) throws {
      let workshop = try workshop()
      let libraries = try ModelLibraries.examples(workshop)
      let configuration = """
        members: 6
        truths: {test: 2, cycles: 40, spinup_cycles: 10, training: 2, training_cycles: 60}
        initial: {climatology_runs: 4}
        """
      var known: [String: Data]?
      for ranks in [1, 3] {
        let place = try workshop.makePlace("\(library)-\(ranks)")
        try workshop.write(configuration, to: "\(place)/experiment.yaml")
        let inline = settings.dropFirst().dropLast()
        try workshop.write(
          configuration + "\n" + Self.block(String(inline)), to: "\(place)/experiment.yaml")
        let result = try workshop.job(
          ranks,
          [
            "run", "--config", "experiment.yaml", "--output", "out", "--quiet", "--set", "model.name=plugin", "--set",
            "model.library=\(libraries.path)/\(library)",
          ], in: place)
        try #require(result.status == 0, "\(result.stderr)")
        var files = try workshop.contents("\(place)/out")
        let removed = files.removeValue(forKey: "scores.json")
        let text = try #require(removed)
        let report = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let methods = try #require(report["methods"] as? [String: [String: Any]])
        let errors = methods.compactMapValues { ($0["absolute_rmse"] as? [String: Double])?[field] }
        let free = try #require(errors["free"])
        for (method, error) in errors where method != "free" { #expect(error < 0.8 * free, "\(method)") }
        #expect(errors.count == methods.count)
        if let known { #expect(differences(known, files).isEmpty) }
        known = files
      }
    }

    /// Members' memory goes into checkpoints, and truths keep theirs.
    @Test func memoryIsResumedToTheSameBits() throws {
      let workshop = try workshop()
      let library = try ModelLibraries.examples(workshop).appending(path: "libadams_bashforth.so").path
      let configuration = """
        model: {name: plugin, library: "\(library)"}
        members: 4
        methods: [letkf, free]
        initial: {climatology_runs: 4}
        truths: {test: 2, cycles: 12, spinup_cycles: 2}
        """
      let whole = try InterruptedRun(workshop, "memory-whole", configuration: configuration)
      let reference = try whole.job(ranks: 2)
      try #require(reference.status == 0, "\(reference.stderr)")
      let stopped = try InterruptedRun(workshop, "memory-stopped", configuration: configuration)
      #expect(try stopped.interruptions(every: 1) > 2)
      #expect(differences(try whole.files(), try stopped.files()).isEmpty)
    }

    /// `a: {...}, b: {...}` of one line as lines.
    private static func block(_ line: String) -> String {
      var (depth, text) = (0, "")
      for character in line {
        depth += "{[".contains(character) ? 1 : "}]".contains(character) ? -1 : 0
        text += depth == 0 && character == "," ? "\n" : String(character)
      }
      return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }

    private func workshop() throws -> Workshop { try JobTests.workshop() }
  }
}
