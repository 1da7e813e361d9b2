import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Other models and other constraints through the same agents, filters and configuration.
  @Suite struct GeneralisationTests {
    static let advection = """
      model: {name: advection1d, floor: 0.02}
      nature: {spinup: 10}
      members: 4
      methods: [rl, constrained-eakf, floored-eakf]
      truths: {training: 2, training_cycles: 40, test: 1, cycles: 30, spinup_cycles: 5}
      agents:
        warm_start: {steps: 40, batch: 4}
        ppo: {iterations: 2, horizon: 4, sequences: 2, reward: crps}
      """

    private func run(
      _ name: String, _ configuration: String, ranks: Int, _ settings: [String] = []
    ) throws -> (files: [String: Data], methods: [String: [String: Any]]) {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace(name)
      try workshop.write(configuration, to: "\(place)/job.yaml")
      let result = try workshop.job(
        ranks, ["run", "--config", "job.yaml", "--output", "out", "--quiet"] + settings, in: place)
      try #require(result.status == 0, "\(result.stderr)")
      var files = try workshop.contents("\(place)/out")
      let text = try #require(files["scores.json"])
      files["scores.json"] = nil
      let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      return (files, try #require(scores["methods"] as? [String: [String: Any]]))
    }

    private func error(_ entry: [String: Any]?, _ invariant: String) throws -> Double {
      try #require((entry?["invariant_error"] as? [String: Double])?[invariant])
    }

    /// Agents and constrained filters conserve mass and respect the bound, at any number of ranks; cutting off at the
    /// bound makes mass.
    @Test func advectionConservesMass() throws {
      let (files, methods) = try run("advection-1", Self.advection, ranks: 1)
      for method in ["rl", "constrained-eakf"] {
        #expect(try error(methods[method], "mass") < 1e-12, "\(method)")
        #expect(try #require(methods[method]?["min_u"] as? Double) >= 0.02, "\(method)")
        #expect(try #require((methods[method]?["rmse"] as? [String: Double])?["u"]) < 1, "\(method)")
      }
      #expect(try error(methods["floored-eakf"], "mass") > 1e-3)
      let again = try run("advection-3", Self.advection, ranks: 3)
      #expect(differences(files, again.files) == [])
    }

    /// The layer that conserves mass is what does it.
    @Test func withoutInvariantsAgentsLoseMass() throws {
      let (_, methods) = try run(
        "advection-free", Self.advection, ranks: 2,
        ["--set", "constraints.invariants=false", "--set", "methods=[rl]", "--set", "agents.ppo.iterations=0"])
      #expect(try error(methods["rl"], "mass") > 1e-4)
    }

    /// With the paper's base agents set K, R and Z too, and the skeleton's two invariants hold all the same.
    @Test func persistenceHoldsTheSkeletonsInvariants() throws {
      let (_, methods) = try run(
        "persistence", Workshop.configuration, ranks: 2,
        ["--set", "methods=[rl]", "--set", "agents.base=persistence", "--members", "3"])
      for invariant in ["K-R", "Z-K"] { #expect(try error(methods["rl"], invariant) < 1e-12, "\(invariant)") }
    }

    /// Agents of states of one cell are computed several side by side: with as many as five on one rank, three and two on
    /// two, and one by itself on three, every bit is the same.
    @Test(arguments: ["coarse-step", "analysis"])
    func agentsSideBySideAreTheSameOnAnyNumberOfRanks(base: String) throws {
      let configuration = """
        model: {name: lorenz63}
        members: 5
        methods: [rl, etkf]
        filter: {half_width: none, inflation: 1.1}
        truths: {training: 2, training_cycles: 60, test: 1, cycles: 40, spinup_cycles: 5}
        agents:
          base: \(base)
          filter: etkf
          window: 1
          warm_start: {steps: 60, batch: 4}
          ppo: {iterations: 2, horizon: 4, sequences: 2}
        """
      let (files, methods) = try run("side-\(base)-1", configuration, ranks: 1)
      #expect(try #require((methods["rl"]?["rmse"] as? [String: Double])?["X"]) < 1)
      for ranks in 2...3 {
        let again = try run("side-\(base)-\(ranks)", configuration, ranks: ranks)
        #expect(differences(files, again.files) == [], "\(ranks) ranks")
      }
    }

    /// What agents cannot correct is refused before nature runs take their time.
    @Test(arguments: ["run", "train"]) func modelsWithoutABaseAreRefusedAtOnce(command: String) throws {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace("no-base-\(command)")
      let job = try workshop.job(
        2, [command, "--set", "model.name=convection", "--set", "methods=[rl]", "--output", "out"], in: place)
      #expect(job.status == 65 && job.stderr.contains("convection"), "\(job.stderr)")
      #expect(!job.stderr.contains("nature runs"), "\(job.stderr)")
    }

    /// In one run every method does what it does in a run of its own with its settings.
    @Test func methodsOfOneRunHaveSettingsOfTheirOwn() throws {
      let configuration = """
        model: {name: lorenz96, cells: 16}
        members: 6
        methods: [eakf, letkf, rank-histogram]
        observations: {networks: [{field: X, every: 2, sd: 0.5, law: laplace}]}
        truths: {training: 1, test: 1, cycles: 40, spinup_cycles: 10}
        filter:
          half_width: 3
          by_method: [{method: letkf, half_width: 4, inflation: 1.05, additive: 0.05}, {method: rank-histogram, rtps: 0.4}]
        """
      let (_, together) = try run("own-settings", configuration, ranks: 2)
      let alone = ["filter.by_method=[]", "filter.half_width=4", "filter.inflation=1.05", "filter.additive=0.05", "methods=[letkf]"]
      let (_, letkf) = try run("own-settings-letkf", configuration, ranks: 1, alone.flatMap { ["--set", $0] })
      let relaxed = ["filter.by_method=[]", "filter.rtps=0.4", "methods=[rank-histogram]"]
      let (_, histogram) = try run("own-settings-histogram", configuration, ranks: 1, relaxed.flatMap { ["--set", $0] })
      let (_, plain) = try run("own-settings-none", configuration, ranks: 1, ["--set", "filter.by_method=[]"])
      func error(_ methods: [String: [String: Any]], _ name: String) throws -> Double {
        try #require((methods[name]?["rmse"] as? [String: Double])?["X"])
      }
      #expect(try error(together, "letkf") == error(letkf, "letkf"))
      #expect(try error(together, "rank-histogram") == error(histogram, "rank-histogram"))
      #expect(try error(together, "eakf") == error(plain, "eakf"))
      #expect(try error(together, "letkf") != error(plain, "letkf"))
    }

    private static let small = """
      members: 4
      initial: {climatology_runs: 4}
      truths: {training: 2, training_cycles: 40, test: 1, cycles: 30, spinup_cycles: 5}
      agents:
        warm_start: {steps: 40, batch: 4}
        ppo: {iterations: 2, horizon: 4, sequences: 2}

      """

    /// Agents that correct a filter's analysis, with noise in the model and a bound on what they set, are the same on any
    /// number of ranks, from training to their own files' use, and say so where they correct another filter's.
    @Test func agentsCorrectAFiltersAnalysis() throws {
      let configuration = """
        methods: [rl, constrained-eakf]
        filter: {rtps: 0.3}

        """ + Self.small + "  base: analysis\n"
      let (files, methods) = try run("analysis-1", configuration, ranks: 1)
      #expect(try #require((methods["rl"]?["rmse"] as? [String: Double])?["a"]) < 0.5)
      #expect(try #require(methods["rl"]?["min_a"] as? Double) >= 1e-4)
      for invariant in ["K-R", "Z-K"] { #expect(try error(methods["rl"], invariant) < 1e-12, "\(invariant)") }
      let again = try run("analysis-3", configuration, ranks: 3)
      #expect(differences(files, again.files) == [])
      let workshop = try workshop()
      try workshop.write(
        configuration.replacingOccurrences(of: "rtps: 0.3", with: "rtps: 0.5"), to: "analysis-1/other.yaml")
      func assimilate(_ configuration: String) throws -> (status: Int32, stderr: String) {
        let simulated = try workshop.daunce(
          1, "simulate", "--config", configuration, "--output", "simulated", in: "analysis-1")
        try #require(simulated.status == 0, "\(simulated.stderr)")
        let result = try workshop.daunce(
          2, "assimilate", "--config", configuration, "--method", "rl", "--agents", "out/agents", "--initial",
          "simulated/initial.nc", "--observations", "simulated/observations.nc", "--output", "again", in: "analysis-1")
        return (result.status, result.stderr)
      }
      #expect(try assimilate("job.yaml").status == 0)
      let other = try assimilate("other.yaml")
      #expect(other.status == 0 && other.stderr.contains("were trained on analyses of"), "\(other.stderr)")
    }

    /// A filter that fails on training truths ends the training of agents that learn from its states, but not of those that
    /// correct its analysis: they start from what it did before.
    @Test func agentsComeThroughWhereTheirFilterFails() throws {
      let workshop = try workshop()
      try FileManager.default.createDirectory(
        at: workshop.folder.appending(path: "failing"), withIntermediateDirectories: true)
      try workshop.write(
        """
        model: {name: lorenz96}
        members: 4
        initial: {kind: climatology, climatology_runs: 4}
        observations: {networks: [{field: X, every: 4, interval: 3, sd: 0.7}]}
        filter: {half_width: 8, inflation: 1.6}
        truths: {training: 3, training_cycles: 60}
        agents:
          filter: eakf
          warm_start: {steps: 20, batch: 4}
          ppo: {iterations: 0}

        """, to: "failing/job.yaml")
      func train(_ base: String) throws -> (status: Int32, stderr: String) {
        let result = try workshop.daunce(
          2, "train", "--config", "job.yaml", "--set", "agents.base=\(base)", "--output", base, in: "failing")
        return (result.status, result.stderr)
      }
      let refused = try train("coarse-step")
      #expect(refused.status == 65 && refused.stderr.contains("no history to train on"), "\(refused.stderr)")
      let trained = try train("analysis")
      #expect(trained.status == 0 && trained.stderr.contains("eakf failed on 3 of 3 training truths"), "\(trained.stderr)")
    }

    /// Agents see what is observed of a function of the state beside the state itself, and say so in their files.
    @Test func agentsTakeSeveralKindsOfObservations() throws {
      let configuration = """
        model: {name: lorenz96}
        methods: [rl]
        observations:
          networks: [{field: X, every: 2, sd: 1}, {field: X, cells: [1, 5, 9], function: absolute, sd: 0.5}]

        """
      let (files, methods) = try run("kinds-1", configuration + Self.small, ranks: 1)
      #expect(try #require((methods["rl"]?["rmse"] as? [String: Double])?["X"]) < 6)
      let again = try run("kinds-3", configuration + Self.small, ranks: 3)
      #expect(differences(files, again.files) == [])
      let path = try workshop().folder.appending(path: "kinds-1/out/agents/agent-0002.nc").path
      let agent = try ArrayFile.read(path)
      #expect(try agent.text("observed") == "X absolute_X")
      #expect(try agent.text("observed_operators") == "identity X; absolute X")
      #expect(try agent.doubles("observed_error_variances") == [1, 0.25])
      #expect(try agent.integers("observed_error_inputs") == [0, 0])
      // Forecast 5, observation 5 and flag, mean 3, spread 2, innovation 2; of |X| 5, flag and two innovations.
      #expect(try agent.integers("policy_sizes")[0] == 26)
    }

    /// Two fields, each with its own errors, one of them with two: an input more.
    @Test func agentsTakeErrorsThatDiffer() throws {
      let configuration = """
        methods: [rl, floored-eakf]
        observations:
          networks:
            - {field: a, every: 1, sd: 0.08}
            - {field: K, every: 4, relative_sd: 0.3}
            - {field: K, cells: [1, 3, 5], relative_sd: 0.6}

        """
      let (files, methods) = try run("errors-1", configuration + Self.small, ranks: 1)
      for (method, entry) in methods {
        #expect(entry["failed"] as? [Int] ?? [] == [], "\(method)")
        for field in ["K", "a"] {
          #expect(try #require((entry["rmse"] as? [String: Double])?[field]).isFinite, "\(method) \(field)")
        }
      }
      let again = try run("errors-2", configuration + Self.small, ranks: 2)
      #expect(differences(files, again.files) == [])
      let workshop = try workshop()
      let agent = try ArrayFile.read(workshop.folder.appending(path: "errors-1/out/agents/agent-0000.nc").path)
      #expect(try agent.text("controls") == "K a" && agent.integers("observed_error_inputs") == [1, 0])
      // What was written can be used, with the observations of another file; other experiments refuse it.
      for (agents, status) in [("errors-1/out/agents", 0), ("made/agents", 65)] {
        let result = try workshop.daunce(
          2, "assimilate", "--config", "../errors-1/job.yaml", "--method", "rl", "--agents", "../\(agents)",
          "--initial", "initial.nc", "--observations", "observations.nc", "--output", "again", in: try start())
        #expect(result.status == status, "\(agents): \(result.stderr)")
        #expect(!result.stderr.contains("error variance"), "\(result.stderr)")
      }
    }

    /// A folder with an initial ensemble and observations of both fields.
    private func start() throws -> String {
      let workshop = try workshop()
      let place = "errors-start"
      if FileManager.default.fileExists(atPath: workshop.folder.appending(path: place).path) { return place }
      let made = try workshop.makePlace(place)
      let result = try workshop.daunce(
        1, "simulate", "--config", "../errors-1/job.yaml", "--output", ".", "--quiet", in: made)
      try #require(result.status == 0, "\(result.stderr)")
      return made
    }
  }
}
