import DaunceArchive
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
          try checkRecords(scores, in: workshop.folder.appending(path: "\(place)/out"))
          try checkFailure(scores)
          reference = (files, withoutSeconds(scores))
        }
      }
    }

    /// What is put around filters does not touch members that nothing updates.
    @Test func aFreeRunIsNotInflated() throws {
      let workshop = try workshop()
      let means = try [[], ["filter.additive=0.3", "filter.adaptive=0.5"]].enumerated().map { k, settings in
        let keys = ["model.name=lorenz96", "methods=[free]", "members=4", "truths.test=1"] + settings
        let result = try workshop.job(
          2, ["run", "--config", "small.yaml", "--output", "free-\(k)", "--quiet"] + keys.flatMap { ["--set", $0] })
        try #require(result.status == 0, "\(result.stderr)")
        let path = workshop.folder.appending(path: "free-\(k)/analysis-free.nc").path
        return try DatasetReader(path: path).values("X_mean", of: Double.self)
      }
      #expect(means[0] == means[1] && Set(means[0]).count > 20)
    }

    private func checkNames(_ files: [String: Data]) {
      var expected = ["nature.nc", "observations.nc", "scores.nc", "training.nc", "training-unconstrained.nc"]
      expected += Self.methods.map { "analysis-\($0).nc" }
      for member in 0..<10 {
        expected += ["agents", "agents-unconstrained"].map { "\($0)/agent-000\(member).nc" }
      }
      #expect(files.keys.sorted() == expected.sorted())
    }

    /// What scores.nc and training.nc say truth by truth and agent by agent has the means that the JSON file gives.
    private func checkRecords(_ scores: [String: Any], in folder: URL) throws {
      let entry = try #require((scores["methods"] as? [String: [String: Any]])?["rl"])
      let file = try DatasetReader(path: folder.appending(path: "scores.nc").path)
      // The first method's scores of two truths and five fields, of which the MJO is the last.
      let normalised = try file.values("normalised_rmse", of: Double.self)
      #expect(normalised.count == 4 * 2 * 5)
      #expect(areClose([normalised[4], normalised[9]], entry["mjo_rmse_by_truth"]))
      let a = try file.values("rmse", of: Double.self)
      #expect(areClose([(a[3] + a[8]) / 2], [(entry["rmse"] as? [String: Double])?["a"]]))
      let ranks = try file.values("rank_histogram", of: Int64.self)
      #expect(ranks.count == 4 * 2 * 4 * 11)
      let sum = zip(ranks[33..<44], ranks[77..<88]).map { $0 + $1 }
      #expect(sum == (entry["rank_histogram"] as? [String: [Int64]])?["a"] && sum.reduce(0, +) == 2 * 15 * 64)
      // The unconstrained EAKF has failed everywhere.
      #expect(normalised[30...].allSatisfy(\.isNaN) && ranks[(3 * 88)...].allSatisfy { $0 == 0 })
      #expect(try file.values("failure_cycle", of: Int64.self).map { $0 > 0 } == (0..<8).map { $0 > 5 })
      let band = try #require(scores["energy_band"] as? [String: Any])
      #expect(areClose(try file.values("energy_band", of: Double.self), [band["lower"], band["upper"]]))

      let training = try #require(scores["training"] as? [String: Any])
      let history = try DatasetReader(path: folder.appending(path: "training.nc").path)
      let reward = try history.values("reward", of: Double.self)
      #expect(reward.count == 2 * 10 && Set(reward).count == 20)
      let means = [reward[..<10], reward[10...]].map { $0.reduce(0, +) / 10 }
      #expect(areClose(means, training["reward"]))
      let evaluation = try history.values("evaluation_reward", of: Double.self)
      let ends = [evaluation[..<10], evaluation[10...]].map { $0.reduce(0, +) / 10 }
      #expect(areClose(ends, [training["reward_first"], training["reward_last"]]))
      let multiplier = try history.values("multiplier", of: Double.self)
      #expect(areClose(Array(multiplier[10...]), training["multiplier_last"]))
      // The direct form: what a multiplier moved by is its rate times the deviation over the tolerance.
      let deviation = try history.values("deviation", of: Double.self)
      for m in 0..<10 {
        #expect(abs(multiplier[10 + m] - max(0, multiplier[m] + 0.05 * (deviation[10 + m] - 1))) < 1e-14)
      }
      let loss = try history.values("warm_start_loss", of: Double.self)
      #expect(loss.count == 2 * 10 * 60)
      let last = try #require(training["warm_start_loss"] as? [Double])
      for round in 0..<2 {
        var sum = 0.0
        for m in 0..<10 { sum += loss[((round * 10 + m) * 60 + 54)..<((round * 10 + m + 1) * 60)].reduce(0, +) }
        #expect(abs(sum / 60 - last[round]) < 1e-12)
      }
      let other = try DatasetReader(path: folder.appending(path: "training-unconstrained.nc").path)
      #expect(try other.values("multiplier", of: Double.self).allSatisfy { $0 == 0 })
    }

    /// Whether numbers are those of a JSON file, whose reader rounds the last digit.
    private func areClose(_ numbers: [Double], _ json: Any?) -> Bool {
      guard let others = json as? [Double], others.count == numbers.count else { return false }
      return zip(numbers, others).allSatisfy { abs($0 - $1) <= 1e-14 * abs($1) }
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
        #expect(Set(errors.keys) == ["rmse", "bias", "energy_in_band", "crps_a", "spread_error_ratio_a"], "\(method)")
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
      let made = try workshop.contents("made").filter { !$0.key.contains("agent") && !$0.key.hasPrefix("training.") }
      #expect(differences(try workshop.contents("\(place)/made"), made) == [])
    }

    /// The yardstick is the same filter on the same truths, observations and noise, only with more members.
    @Test func theLargeFilterIsTheFilterWithMoreMembers() throws {
      let workshop = try workshop()
      func scores(_ name: String, _ settings: String...) throws -> [String: [String: Any]] {
        let result = try workshop.job(
          2, ["run", "--config", "small.yaml", "--quiet", "--output", name] + settings.flatMap { ["--set", $0] })
        try #require(result.status == 0, "\(result.stderr)")
        let text = try #require(try workshop.contents(name)["scores.json"])
        let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        return try #require(scores["methods"] as? [String: [String: Any]])
      }
      let both = try scores(
        "large", "members=4", "filter.large_members=6", "methods=[constrained-eakf-large, constrained-eakf]")
      let alone = try scores("six", "members=6", "methods=[constrained-eakf]")
      func rest(_ entry: [String: Any]?) -> NSDictionary { withoutSeconds(entry ?? [:]) }
      #expect(rest(both["constrained-eakf-large"]) == rest(alone["constrained-eakf"]))
      #expect(rest(both["constrained-eakf"]) != rest(alone["constrained-eakf"]))
      #expect(both["constrained-eakf"]?["members"] as? Int == 4)
      #expect(both["constrained-eakf-large"]?["members"] as? Int == 6)
      let file = try DatasetReader(path: workshop.folder.appending(path: "large/scores.nc").path)
      #expect(try file.values("members", of: Int64.self) == [6, 4])
      let ranks = try file.values("rank_histogram", of: Int64.self)
      #expect(ranks.count == 2 * 2 * 4 * 7)
      // The smaller ensemble has two ranks fewer.
      #expect(ranks[54...55] != [0, 0] || ranks[61...62] != [0, 0])
      #expect(stride(from: 56 + 6, to: 112, by: 7).allSatisfy { ranks[$0] == 0 && ranks[$0 - 1] == 0 })
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
