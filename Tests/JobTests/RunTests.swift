import Foundation
import TestSupport
import Testing

extension JobTests {
  /// `run` at several rank counts from several folders: everything it leaves behind.
  @Suite struct RunTests {
    static let methods = ["rl", "rl-unconstrained", "constrained-eakf", "eakf"]

    @Test func anyNumberOfRanksWritesTheSameBits() throws {
      let workshop = try workshop()
      var reference: (files: [String: Data], scores: NSDictionary)?
      for ranks in [1, 2, 3, 10] {
        let place = try workshop.makePlace("run-\(ranks)")
        let result = try workshop.daunce(ranks, "run", "--config", "small.yaml", "--output", "out", in: place)
        try #require(result.status == 0, "\(result.stderr)")
        var files = try workshop.contents("\(place)/out")
        let text = try #require(files["scores.json"])
        files["scores.json"] = nil
        let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        checkTable(result)
        checkProgress(result)
        if let reference {
          #expect(differences(files, reference.files) == [], "\(ranks) ranks")
          #expect(withoutSeconds(scores) == reference.scores, "\(ranks) ranks")
        } else {
          checkNames(files)
          checkKeys(scores)
          try checkFailure(scores)
          reference = (files, withoutSeconds(scores))
        }
      }
    }

    /// The scores without what a clock has measured.
    private func withoutSeconds(_ object: [String: Any]) -> NSDictionary {
      var kept: [String: Any] = [:]
      let measured: Set = ["seconds", "seconds_per_cycle", "samples_per_second", "samples_per_processor_second"]
      for (key, value) in object where !measured.contains(key) {
        kept[key] = (value as? [String: Any]).map { withoutSeconds($0) } ?? value
      }
      return kept as NSDictionary
    }

    private func checkNames(_ files: [String: Data]) {
      var expected = ["nature.nc", "observations.nc"] + Self.methods.map { "analysis-\($0).nc" }
      for member in 0..<10 {
        expected += ["agents", "agents-unconstrained"].map { "\($0)/agent-000\(member).nc" }
      }
      #expect(files.keys.sorted() == expected.sorted())
    }

    /// Standard output is the table and nothing else.
    private func checkTable(_ result: JobResult) {
      #expect(result.lines.count == 1 + Self.methods.count)
      #expect(result.lines.first?.hasPrefix("method ") == true)
      #expect(result.lines.dropFirst().compactMap { $0.split(separator: " ").first.map(String.init) } == Self.methods)
      #expect(result.lines.first?.contains("s/cycle") == true)
      #expect(Set(result.lines.map(\.count)).count == 1, "columns of equal width")
    }

    /// Where no terminal is watched: whole lines, one a stage for stages this short, no control characters.
    private func checkProgress(_ result: JobResult) {
      let lines = result.stderr.split(separator: "\n")
      #expect(lines.contains { $0.hasPrefix("nature runs: 2/2, ") })
      #expect(lines.contains { $0.hasPrefix("PPO: 2/2, ") })
      #expect(lines.count <= 20, "\(result.stderr)")
      #expect(!result.stderr.contains("\r") && !result.stderr.contains("\u{1B}"))
    }

    private func checkKeys(_ scores: [String: Any]) {
      let keys = ["members", "cycles", "spinup_cycles", "seed", "units", "truths", "methods", "training"]
      #expect(Set(scores.keys).isSuperset(of: keys))
      #expect(scores["members"] as? Int == 10 && scores["cycles"] as? Int == 20)
      #expect(scores["spinup_cycles"] as? Int == 5 && scores["seed"] as? Int == 1)
      #expect(scores["units"] as? String == "paper")
      #expect((scores["truths"] as? [Int])?.count == 2)
      let methods = scores["methods"] as? [String: [String: Any]] ?? [:]
      #expect(Set(methods.keys) == Set(Self.methods))
      for (method, entry) in methods {
        let keys = [
          "mjo_rmse", "mjo_corr", "rmse", "crps_a", "spread_error_ratio_a", "energy_in_band", "min_a", "diverged",
          "first_failure_cycle", "seconds_per_cycle",
        ]
        #expect(Set(keys).subtracting(entry.keys) == [], "\(method)")
        #expect((entry["rmse"] as? [String: Any]).map { Set($0.keys) } == ["K", "R", "Z", "a"], "\(method)")
        let errors = entry["standard_error"] as? [String: Any] ?? [:]
        #expect(Set(errors.keys) == ["rmse", "energy_in_band", "crps_a", "spread_error_ratio_a"], "\(method)")
        #expect((errors["rmse"] as? [String: Any]).map { Set($0.keys) } == ["K", "R", "Z", "a"], "\(method)")
      }
      let training = scores["training"] as? [String: Any] ?? [:]
      let expected = ["seconds", "ppo_iterations", "reward_first", "reward_last", "multiplier_last"]
      #expect(Set(training.keys).isSuperset(of: expected))
      #expect(training["ppo_iterations"] as? Int == 2)
      // 64 cells, 10 members, 2 sequences of 4 cycles, 2 iterations.
      #expect(training["samples"] as? Int == 64 * 10 * 2 * 4 * 2)
      #expect((training["samples_per_second"] as? Double ?? 0) > 0)
      #expect((training["samples_per_processor_second"] as? Double ?? 0) > 0)
      #expect((training["multiplier_last"] as? [Double])?.count == 10)
    }

    /// The unconstrained EAKF fails and is reported so; the others go on.
    private func checkFailure(_ scores: [String: Any]) throws {
      let methods = try #require(scores["methods"] as? [String: [String: Any]])
      let eakf = try #require(methods["eakf"])
      #expect(eakf["diverged"] as? Double == 1)
      #expect((eakf["first_failure_cycle"] as? Int).map { 1...8 ~= $0 } == true)
      #expect(eakf["mjo_rmse"] is NSNull)
      for method in ["rl", "constrained-eakf"] {
        let entry = try #require(methods[method])
        #expect(entry["diverged"] as? Double == 0, "\(method)")
        #expect(entry["first_failure_cycle"] is NSNull, "\(method)")
        #expect(try #require(entry["mjo_rmse"] as? Double) > 0, "\(method)")
        #expect(try #require(entry["min_a"] as? Double) >= 1e-4, "\(method)")
        #expect(try #require(entry["seconds_per_cycle"] as? Double) > 0, "\(method)")
      }
    }

    @Test func oneProcessWithoutMpirunHoldsAllMembers() throws {
      let workshop = try workshop()
      let place = try workshop.makePlace("alone")
      let result = try run(
        executable: "daunce-mpi", arguments: ["simulate", "--config", "small.yaml", "--output", "made", "--quiet"],
        in: workshop.folder.appending(path: place))
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result.stderr)")
      #expect(result.stdout == "nature.nc, observations.nc and initial.nc in made\n")
      // The same command under mpirun has made these.
      let made = try workshop.contents("made").filter { !$0.key.contains("agent") && $0.key != "training.json" }
      #expect(differences(try workshop.contents("\(place)/made"), made) == [])
    }

    @Test func lorenz96RunsThroughTheSameStages() throws {
      let workshop = try workshop()
      let settings = [
        "--config", "small.yaml", "--set", "model.name=lorenz96", "--set", "methods=[rl, eakf, constrained-eakf]",
        "--set", "filter.half_width=4", "--quiet",
      ]
      let whole = try workshop.job(2, ["run", "--output", "lorenz"] + settings)
      #expect(whole.status == 0, "\(whole.stderr)")
      #expect(whole.lines.count == 4)
      let text = try #require(try workshop.contents("lorenz")["scores.json"])
      let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      let methods = try #require(scores["methods"] as? [String: [String: Any]])
      for method in ["rl", "eakf"] { #expect(methods[method]?["diverged"] as? Double == 0, "\(method)") }
      #expect(try #require((methods["eakf"]?["rmse"] as? [String: Double])?["X"]) < 0.5)
      for stage in ["simulate", "train"] {
        let result = try workshop.job(2, [stage, "--output", "lorenz"] + settings)
        #expect(result.status == 0, "\(result.stderr)")
      }
      for method in [["rl", "--agents", "lorenz/agents"], ["eakf"]] {
        let result = try workshop.job(
          3,
          [
            "assimilate", "--initial", "lorenz/initial.nc", "--observations", "lorenz/observations.nc", "--output",
            "lorenz", "--method",
          ] + method + settings)
        #expect(result.status == 0, "\(result.stderr)")
      }
    }
  }
}

/// The workshop of this run of the tests, for suites inside.
func workshop() throws -> Workshop { try JobTests.workshop() }
