import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What a cycle sends and allocates, counted.
  @Suite struct CycleTests {
    static let small = [
      "agents.warm_start.steps=5", "agents.ppo.iterations=0", "truths.training=1", "truths.training_cycles=12",
      "truths.cycles=14", "truths.spinup_cycles=4",
    ]
    /// Settings and methods: of the skeleton model, whose analyses are constrained; of Lorenz-96 with few members,
    /// which are gathered, with many, whose moments are reduced, and with a relaxation that needs variances too; of
    /// functions of the state, and of networks that alternate; of agents that see several kinds of observations with
    /// errors of their own; of a squall line, which has several grids.
    static let experiments: [(settings: [String], methods: [String])] = [
      (["initial.spread=0.1"], ["rl", "eakf", "floored-eakf", "constrained-eakf"]),
      (["model.name=lorenz96", "filter.half_width=2"], ["rl", "eakf", "enkf"]),
      (["model.name=lorenz96", "filter.half_width=2", "members=300"], ["eakf", "enkf"]),
      (["model.name=lorenz96", "filter.half_width=2", "members=300", "filter.rtps=0.3"], ["eakf", "enkf"]),
      (["model.name=lorenz96", "filter.half_width=2", absolute], ["eakf", "floored-eakf", "constrained-eakf", "enkf"]),
      (["model.name=lorenz96", "filter.half_width=2", alternating, "members=300", "methods=[eakf]"], ["eakf", "enkf"]),
      (["model.name=lorenz96", "filter.half_width=2", kinds], ["rl"]),
      (["model.name=lorenz96", "filter.half_width=2", kinds, "agents.inputs=covariances"], ["rl"]),
      (["model.name=lorenz96", "filter.half_width=2", absolute], ["letkf", "etkf", "denkf", "diffusion", "particle-flow", "interpolants", "langevin"]),
      (["model.name=lorenz96", "filter.half_width=2"], ["rank-histogram", "kernel-density"]),
      (["model.name=advection1d"], ["gamma", "bounded-normal"]),
      (squallLine, ["floored-eakf", "letkf"]),
    ]
    static let absolute = "observations.networks=[{field: X, every: 2, function: absolute, sd: 1}]"
    static let alternating = """
      observations.networks=[{field: X, every: 2, function: absolute, sd: 1}, \
      {field: X, cells: [1, 5], sd: 1, interval: 2}]
      """
    private static let squallLine = [
      "model.name=convection", "model.levels=8", "filter.half_width=2", "filter.update=all", "initial.kind=climatology",
      "agents.ppo.iterations=0", "observations.networks=[{field: w, random: 20, interval: 5, sd: 0.2}]",
    ]
    private static let kinds =
      "observations.networks=[{field: X, every: 2, sd: 1}, {field: X, cells: [1, 5, 9], sd: 0.5}, "
      + "{field: X, every: 3, function: absolute, sd: 0.5}]"

    private func probe(_ ranks: Int, _ settings: [String], _ methods: [String]) throws -> [String: [String: Any]] {
      let folder = try workshop().folder.appending(path: "cycles-\(UUID().uuidString)")
      let result = try mpirun(
        ranks: ranks, executable: "CycleProbe", arguments: [folder.path] + Self.small + settings + methods)
      try #require(result.status == 0, "\(result.stderr)")
      let report = try JSONSerialization.jsonObject(with: Data(result.stdout.utf8)) as? [String: Any]
      return try #require(report?["methods"] as? [String: [String: Any]])
    }

    /// One collective an analysis, two with variances for a relaxation, whatever the number of observations; one more
    /// is the vote whether a member failed. On one rank nothing has to be brought to another for output.
    @Test(arguments: experiments.indices, [16, 40])
    func aCycleAllocatesNothingAndSendsAtMostTwoCollectives(experiment: Int, cells: Int) throws {
      try check(ranks: 1, experiment, ["model.cells=\(cells)"])
    }

    @Test func norDoesACycleOfSeveralRanks() throws {
      try check(ranks: 3, 0, ["model.cells=16"])
      try check(ranks: 2, 3, ["model.cells=16"])
      try check(ranks: 2, 5, ["model.cells=16"])
    }

    private func check(ranks: Int, _ experiment: Int, _ more: [String]) throws {
      let (settings, methods) = Self.experiments[experiment]
      let timings = try probe(ranks, settings + more, methods)
      #expect(timings.keys.sorted() == methods.sorted())
      for (method, timing) in timings {
        let whole = try #require(timing["whole_cycles"] as? [String: Any])
        #expect(whole["allocations_per_cycle"] as? Double == 0, "\(method) \(settings)")
        let messages = try #require(timing["messages"] as? [String: [String: Double]])
        let needsVariances = settings.contains { $0.hasPrefix("filter.rtps") } && method == "eakf"
        #expect(messages["analysis"]?["collectives"] == (needsVariances ? 2 : 1), "\(method) \(settings)")
        #expect(messages["vote"] == ["collectives": 1, "bytes": 4.0 * Double(ranks)])
        #expect(messages["output"]?["collectives"] == (ranks > 1 ? 1 : 0))
      }
    }

    /// A general solver works in memory of its own: the counter does count.
    @Test func theGeneralSolverAllocates() throws {
      let timings = try probe(1, ["model.cells=8", "agents.window=5", "members=3"], ["constrained-enkf"])
      let whole = try #require(timings["constrained-enkf"]?["whole_cycles"] as? [String: Any])
      #expect(try #require(whole["allocations_per_cycle"] as? Double) > 0)
    }
  }
}
