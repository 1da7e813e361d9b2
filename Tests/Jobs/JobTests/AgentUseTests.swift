import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Agents that learn together, act where they did not learn, and go on learning elsewhere.
  @Suite struct AgentUseTests {
    private static let lorenz = """
      model: {name: lorenz96}
      members: 4
      methods: [rl]
      initial: {kind: climatology, climatology_runs: 4}
      observations: {networks: [{field: X, every: 2, interval: 2, sd: 0.7}]}
      filter: {half_width: 4, inflation: 1.05}
      truths: {training: 3, training_cycles: 40, test: 1, cycles: 40, spinup_cycles: 5}
      agents:
        base: analysis
        filter: eakf
        hidden: [12]
        common: {steps: 60, batch: 5}
        warm_start: {steps: 0}
        review: {truths: 1, cycles: 20, times: 4}

      """

    private static let many =
      lorenz.replacing("every: 2,", with: "every: 1,")
      .replacing(
        "steps: 60, batch: 5",
        with: "steps: 60, batch: 5, members: [2, 5, 9], intervals: [1, 2], coverage: [0.2, 1], error_factors: [0.5, 2], "
          + "gaps: 0.1, starts: [climatology, perturbed]")

    private func place(_ name: String, _ configuration: String) throws -> String {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace(name)
      try workshop.write(configuration, to: "\(place)/tiny.yaml")
      return place
    }

    @discardableResult
    private func job(_ ranks: Int, _ place: String, _ arguments: [String], status: Int32 = 0) throws -> JobResult {
      let result = try JobTests.workshop().job(ranks, arguments, in: place)
      try #require(result.status == status, "\(result.stderr)")
      return result
    }

    /// One policy from ensembles that are spread over ranks, in one situation and in many: the same bits however they are
    /// spread, and when the training is interrupted and gone on with.
    @Test(arguments: [false, true]) func commonTrainingHasTheSameBitsEverywhere(isVaried: Bool) throws {
      let workshop = try JobTests.workshop()
      // Long enough for a request that takes its time from mpirun to the ranks.
      let configuration = (isVaried ? Self.many : Self.lorenz).replacing("steps: 60,", with: "steps: 500,")
      var known: [String: Data]?
      for ranks in [1, 2, 4] {
        let run = try InterruptedRun(workshop, "common-\(isVaried)-\(ranks)", command: ["train"], configuration: configuration)
        if ranks == 4 {
          let first = try run.start(ranks: 3)
          run.waitForCheckpoint(4, of: first)
          first.signalLauncher(SIGUSR1)
          try #require(try first.wait().status == 75)
        }
        let result = try run.job(ranks: ranks, resumes: ranks == 4)
        try #require(result.status == 0, "\(result.stderr)")
        let files = try run.files()
        #expect(known == nil || differences(files, known ?? [:]) == [], "\(ranks)")
        known = files
      }
      #expect(known?["agents/agent-0003.nc"] != nil)
    }

    /// What is learned together is learned: the loss falls, and the ensemble is nearer to a truth that was kept back than
    /// the filter that is corrected.
    @Test func learningTogetherBeatsTheFilter() throws {
      let place = try place("common-learns", Self.lorenz)
      try job(2, place, ["train", "--config", "tiny.yaml", "--output", "out", "--set", "agents.common.steps=1500"])
      let text = try #require(try JobTests.workshop().contents("\(place)/out")["training.json"])
      let training = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      let reviews = try #require(training["reviews"] as? [[String: Any]])
      let teacher = try #require(training["teacher"] as? [String: Double])
      #expect(reviews.count >= 5)
      #expect(try #require(reviews.last?["crps"] as? Double) < 0.9 * teacher["crps", default: 0])
      #expect(abs(try #require(reviews[0]["crps"] as? Double) / teacher["crps", default: 0] - 1) < 0.1)
    }

    private func simulate(_ place: String, _ settings: [String]) throws {
      let more = settings.flatMap { ["--set", $0] }
      try job(1, place, ["simulate", "--config", "tiny.yaml", "--output", "simulated", "--quiet"] + more)
    }

    private func assimilate(_ settings: [String]) -> [String] {
      [
        "assimilate", "--config", "tiny.yaml", "--method", "rl", "--agents", "out/agents", "--initial",
        "simulated/initial.nc", "--observations", "simulated/observations.nc", "--output", "again",
      ] + settings.flatMap { ["--set", $0] }
    }

    /// Other numbers of members, networks and intervals: agents act, on any number of ranks with the same bits; those
    /// that were not trained for it say so.
    @Test(arguments: [false, true]) func agentsActElsewhere(isVaried: Bool) throws {
      let place = try place("elsewhere-\(isVaried)", isVaried ? Self.many : Self.lorenz)
      try job(2, place, ["train", "--config", "tiny.yaml", "--output", "out", "--quiet"])
      let workshop = try JobTests.workshop()
      for settings in [
        ["members=7"], ["members=2"], ["members=7", "observations.networks=[{field: X, every: 5, interval: 3, sd: 1.5}]"],
        ["initial.kind=perturbed"],
      ] {
        try simulate(place, settings)
        var known: Data?
        for ranks in [1, 2] {
          let result = try job(ranks, place, assimilate(settings))
          let isWarned = result.stderr.contains("have not learned") || result.stderr.contains("were trained with")
          #expect(isWarned == (!isVaried && settings[0].hasPrefix("members")), "\(settings): \(result.stderr)")
          let written = try #require(try workshop.contents("\(place)/again")["analysis-rl.nc"])
          if known == nil { known = written }
          #expect(differences(["analysis": written], ["analysis": try #require(known)]) == [], "\(settings)")
        }
      }
      // Another model's field is not theirs.
      let refused = try job(
        1, place, assimilate(["model.name=advection1d", "observations.networks=[]"]), status: 65)
      #expect(refused.stderr.contains("attribute model"), "\(refused.stderr)")
    }

    /// A training that begins with other agents goes on where they are: on another resolution, with more members, and not
    /// with agents of another kind.
    @Test func trainingGoesOnFromOtherAgents() throws {
      let place = try place("from", Self.lorenz)
      try job(
        2, place, ["train", "--config", "tiny.yaml", "--output", "out", "--quiet", "--set", "agents.common.steps=600"])
      func first(_ output: String, _ more: [String], _ settings: [String]) throws -> Double {
        let own = ["model.cells=48", "members=6", "agents.common.steps=20"] + settings
        try job(
          2, place,
          ["train", "--config", "tiny.yaml", "--output", output, "--quiet"] + own.flatMap { ["--set", $0] } + more)
        let text = try #require(try JobTests.workshop().contents("\(place)/\(output)")["training.json"])
        let training = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        return try #require((training["reviews"] as? [[String: Any]])?.first?["crps"] as? Double)
      }
      let (anew, onward) = (try first("anew", [], []), try first("onward", ["--from", "out/agents"], []))
      #expect(onward < 0.95 * anew, "\(onward) \(anew)")
      for (key, value) in [("agents.hidden", "[13]"), ("agents.window", "3"), ("agents.base", "coarse-step")] {
        let refused = try job(
          2, place,
          [
            "train", "--config", "tiny.yaml", "--output", "refused", "--from", "out/agents", "--set", "\(key)=\(value)",
            "--set", "agents.common.steps=0", "--set", "agents.warm_start.steps=5",
          ], status: 65)
        #expect(refused.stderr.contains(key), "\(refused.stderr)")
      }
      let missing = try job(
        1, place, ["train", "--config", "tiny.yaml", "--output", "refused", "--from", "nowhere"], status: 74)
      #expect(missing.stderr.contains("nowhere"), "\(missing.stderr)")
      #expect(!FileManager.default.fileExists(atPath: try JobTests.workshop().folder.path + "/\(place)/refused"))
    }

    /// What agents are is told from their own files, on any number of ranks alike, and which inputs they go by.
    @Test func inspectSaysWhatAgentsAre() throws {
      let place = try place("inspect", Self.many)
      try job(2, place, ["train", "--config", "tiny.yaml", "--output", "out", "--quiet"])
      var texts: [String] = []
      for ranks in [1, 3] {
        let result = try job(ranks, place, ["inspect", "out/agents", "--cycles", "20", "--truths", "1", "--quiet"])
        texts.append(result.stdout)
      }
      #expect(texts[0] == texts[1])
      for words in [
        "the analysis of eakf", "2 5 9 members", "an observation every 2 4 time steps", "shares of the network 0.2 1.0",
        "error variances times 0.5 2.0", "number of members", "X: innovation", "rise",
      ] { #expect(texts[0].contains(words), "\(words)") }
      let missing = try job(1, place, ["inspect", "nowhere"], status: 74)
      #expect(missing.stderr.contains("no such folder"))
      try JobTests.workshop().write("not an agent", to: "\(place)/out/agents/agent-0000.nc")
      let broken = try job(1, place, ["inspect", "out/agents"], status: 65)
      #expect(broken.stderr.contains("agent-0000.nc"))
    }

    private static let conserving =
      lorenz.replacing("{name: lorenz96}", with: "{name: lorenz96, forcing: 0, damping: 0}")
      + """
          sees_constraints: true
          multipliers: {in_warm_start: true, tolerance: 0.5, initial: 0.2, rate: 0.001}
        constraints: {energy: kinetic, band: [6.5, 6.7]}

        """

    private func lastReview(_ place: String) throws -> [String: Any] {
      let text = try #require(try JobTests.workshop().contents("\(place)/out")["training.json"])
      let training = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      return try #require((training["reviews"] as? [[String: Any]])?.last)
    }

    /// Where the model conserves its energy, multipliers bring members into a narrow band that few are in without them;
    /// several functions each have a multiplier of their own.
    @Test func multipliersHoldNarrowBands() throws {
      var shares: [String: [Double]] = [:]
      for (name, more) in [
        ("none", ["agents.multipliers.form=none"]), ("direct", []), ("pid", ["agents.multipliers.form=pid"]),
        ("both", ["constraints.further=[mean]", "constraints.band_quantiles=[0.2, 0.8]"]),
      ] {
        let place = try place("conserving-\(name)", Self.conserving)
        let settings = ["agents.common.steps=1200", "agents.review.truths=3", "agents.review.patience=0"] + more
        try job(2, place, ["train", "--config", "tiny.yaml", "--output", "out", "--quiet"] + settings.flatMap { ["--set", $0] })
        shares[name] = try #require(try lastReview(place)["in_bands"] as? [Double])
      }
      let none = try #require(shares["none"]?.first)
      #expect(none < 0.5, "\(shares)")
      for name in ["direct", "pid", "both"] { #expect(try #require(shares[name]?.first) > none + 0.3, "\(shares)") }
      #expect(shares["both"]?.count == 2)
    }

    /// Agents that see constraints and have multipliers of several functions: the same bits everywhere, and from a
    /// checkpoint.
    @Test func constrainedTrainingHasTheSameBitsEverywhere() throws {
      let workshop = try JobTests.workshop()
      let configuration = Self.conserving.replacing("kinetic, band: [6.5, 6.7]", with: "kinetic, band: [6.5, 6.7], further: [mean]")
      var known: [String: Data]?
      for ranks in [1, 3] {
        let run = try InterruptedRun(
          workshop, "conserving-bits-\(ranks)", command: ["train"],
          configuration: configuration.replacing("warm_start: {steps: 0}", with: "warm_start: {steps: 30, batch: 4}"))
        if ranks == 3 {
          let first = try run.start(ranks: 2)
          run.waitForCheckpoint(4, of: first)
          first.signalLauncher(SIGUSR1)
          try #require(try first.wait().status == 75)
        }
        let result = try run.job(ranks: ranks, resumes: ranks == 3)
        try #require(result.status == 0, "\(result.stderr)")
        let files = try run.files()
        #expect(known == nil || differences(files, known ?? [:]) == [])
        known = files
      }
    }

    /// A run with trained agents scores them as the run that trained them did, and refuses other methods of agents.
    @Test func runTakesTrainedAgents() throws {
      let place = try place("with-agents", Self.conserving)
      try job(2, place, ["run", "--config", "tiny.yaml", "--output", "out", "--quiet"])
      let result = try job(
        1, place, ["run", "--config", "tiny.yaml", "--output", "again", "--agents", "out/agents", "--quiet"])
      let workshop = try JobTests.workshop()
      func errors(_ output: String) throws -> [String: Any] {
        let text = try #require(try workshop.contents("\(place)/\(output)")["scores.json"])
        let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let methods = try #require(scores["methods"] as? [String: [String: Any]])
        return try #require(methods["rl"]?["rmse"] as? [String: Any])
      }
      #expect(NSDictionary(dictionary: try errors("out")) == NSDictionary(dictionary: try errors("again")), "\(result.stderr)")
      let refused = try job(
        1, place,
        ["run", "--config", "tiny.yaml", "--output", "third", "--agents", "out/agents", "--set", "methods=[eakf]"], status: 65)
      #expect(refused.stderr.contains("key methods"), "\(refused.stderr)")
    }
  }
}
