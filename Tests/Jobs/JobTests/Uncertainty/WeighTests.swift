import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Importance weights of trained agents.
  @Suite struct WeighTests {
    @Test func weightsHaveTheSumOneAndRanksMakeNoDifference() throws {
      let workshop = try workshop()
      var known: (file: Data, text: String)?
      for ranks in [1, 2, 4] {
        let result = try workshop.daunce(
          ranks, "weigh", "--agents", "made/agents", "--truths", "1", "--cycles", "10", "--share", "0.4", "--output", "weighed-\(ranks)",
          "--quiet")
        try #require(result.status == 0, "\(result.stderr)")
        let file = try Data(contentsOf: workshop.folder.appending(path: "weighed-\(ranks)/weights.nc"))
        if let known { #expect(result.stdout == known.text) }
        known = (file, result.stdout)
      }
      let reader = try DatasetReader(path: workshop.folder.appending(path: "weighed-1/weights.nc").path)
      let (proper, tempered) = (try reader.field("proper_weight"), try reader.field("tempered_weight"))
      #expect(abs(proper.reduce(0, +) - 1) < 1e-12 && abs(tempered.reduce(0, +) - 1) < 1e-12)
      let size = 1 / tempered.reduce(0) { $0 + $1 * $1 }
      let least = 0.4 * Double(proper.count)
      #expect(size >= least - 1e-6)
      let exponent = try reader.field("exponent")[0]
      #expect(exponent == 1 || abs(size / least - 1) < 1e-3)
      // Logarithms of both kinds go together.
      let logarithms = try zip(zip(reader.field("log_likelihood"), reader.field("log_prior")), reader.field("log_proposal"))
        .map { $0.0 + $0.1 - $1 }
      for m in logarithms.indices.dropFirst() {
        let expected = exponent * (logarithms[m] - logarithms[0])
        #expect(abs(log(tempered[m] / tempered[0]) - expected) < 1e-6 * max(1, abs(expected)))
      }
    }

    /// Analyses by weighted agents, each number worked out from the members.
    @Test func analysesHaveTheWeightsBesideEqualOnes() throws {
      let workshop = try workshop()
      let folder = workshop.folder
      try FileManager.default.copyItem(at: folder.appending(path: "made/agents"), to: folder.appending(path: "weighted-agents"))
      func assimilate(_ more: String...) throws -> JobResult {
        try workshop.job(
          2,
          ["assimilate", "--config", "small.yaml", "--agents", "weighted-agents", "--initial", "made/initial.nc", "--observations"]
            + ["made/observations.nc", "--output", "weighted", "--quiet"] + more)
      }
      let refused = try assimilate("--set", "agents.weights=tempered")
      #expect(refused.status == 74 && refused.stderr.contains("weights.nc") && refused.stderr.contains("daunce-mpi weigh"))
      let weighed = try workshop.daunce(
        2, "weigh", "--agents", "weighted-agents", "--truths", "1", "--cycles", "10", "--share", "0.4", "--quiet")
      try #require(weighed.status == 0, "\(weighed.stderr)")
      let result = try assimilate(
        "--set", "agents.weights=tempered", "--set", "output.members=true", "--set", "output.covariance=true")
      try #require(result.status == 0, "\(result.stderr)")
      let file = try DatasetReader(path: folder.appending(path: "weighted/analysis-rl.nc").path)
      let weights = try file.field("weight")
      #expect(weights == (try DatasetReader(path: folder.appending(path: "weighted-agents/weights.nc").path).field("tempered_weight")))
      let (members, cells, times) = (weights.count, 64, try file.field("time").count)
      let states = try file.field("K")
      let (mean, spread) = (try file.field("K_mean_weighted"), try file.field("K_spread_weighted"))
      let (quantile, weighted) = (try file.field("K_quantile"), try file.field("K_quantile_weighted"))
      let (covariance, own) = (try file.field("covariance"), try file.field("covariance_weighted"))
      let (equalSpread, count) = (try file.field("K_spread"), Int(Double(covariance.count / times).squareRoot()))
      let unbiased = 1 - weights.reduce(0) { $0 + $1 * $1 }
      for (t, c) in [(0, 0), (times - 1, 17)] {
        let values = (0..<members).map { states[(t * members + $0) * cells + c] }
        let average = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 }
        let variance = zip(values, weights).reduce(0) { $0 + $1.1 * ($1.0 - average) * ($1.0 - average) } / unbiased
        #expect(abs(mean[t * cells + c] - average) < 1e-12)
        #expect(abs(spread[t * cells + c] - variance.squareRoot()) < 1e-12)
        #expect(abs(own[(t * count + c) * count + c] / variance - 1) < 1e-9)
        let equal = equalSpread[t * cells + c] * equalSpread[t * cells + c]
        #expect(abs(covariance[(t * count + c) * count + c] / equal - 1) < 1e-9)
        for all in [quantile, weighted] {
          let five = Array(all[(t * cells + c) * 5..<(t * cells + c + 1) * 5])
          #expect(zip(five, five.dropFirst()).allSatisfy { $0 <= $1 })
          #expect(five.allSatisfy { $0 >= (values.min() ?? 0) && $0 <= (values.max() ?? 0) })
        }
        let sorted = values.sorted()
        let middle = members % 2 == 0 ? 0.5 * (sorted[members / 2 - 1] + sorted[members / 2]) : sorted[members / 2]
        #expect(abs(quantile[(t * cells + c) * 5 + 2] - middle) < 1e-12)
      }
      // A file with weights is scored like any other.
      let scores = try workshop.daunce(
        1, "score", "--config", "small.yaml", "--truth", "made/nature.nc", "weighted/analysis-rl.nc", "--set", "truths.spinup_cycles=1")
      #expect(scores.status == 0, "\(scores.stderr)")
    }

    /// Agents with equal weights, by transport and by flow: the same bits on any number of ranks, agents that act, and others than before.
    @Test func agentsMayBeMovedInPlaceOfWeighed() throws {
      let workshop = try workshop()
      let own = try workshop.contents("made/agents")
      var known: [String: Data]?
      for ranks in [1, 3] {
        let place = try workshop.makePlace("moved-\(ranks)")
        let result = try workshop.daunce(
          ranks, "weigh", "--agents", "../made/agents", "--truths", "1", "--cycles", "10", "--prior-gain", "1", "--steps", "3",
          "--transport", "transported", "--flow", "flowed", "--output", "weighed", "--quiet", in: place)
        try #require(result.status == 0, "\(result.stderr)")
        var files: [String: Data] = [:]
        for kind in ["transported", "flowed"] {
          for (name, data) in try workshop.contents("\(place)/\(kind)") { files["\(kind)/\(name)"] = data }
        }
        #expect(files.count == 2 * own.keys.count { $0.hasPrefix("agent-") })
        #expect(known == nil || known == files, "\(ranks) ranks")
        known = files
      }
      for kind in ["transported", "flowed"] {
        let policies = try ["moved-1/\(kind)", "made/agents"].map {
          try ArrayFile.read(workshop.folder.appending(path: "\($0)/agent-0000.nc").path).floats("policy_parameters")
        }
        #expect(policies[0].count == policies[1].count && policies[0] != policies[1])
        let run = try workshop.daunce(
          2, "assimilate", "--config", "small.yaml", "--agents", "moved-1/\(kind)", "--initial", "made/initial.nc", "--observations",
          "made/observations.nc", "--output", "moved-\(kind)", "--quiet")
        #expect(run.status == 0, "\(run.stderr)")
      }
    }

    @Test func badRequestsAreRefused() throws {
      let workshop = try workshop()
      for (arguments, status, words) in [
        (["--agents", "nowhere"], 74, "no such folder"), (["--agents", "made/agents", "--share", "0"], 64, "--share"),
        (["--agents", "made/agents", "--truths", "0"], 64, "--truths"),
        (["--agents", "made/agents", "--transport", "made/../made/agents"], 64, "--agents and --transport"),
        (["--agents", "made/agents", "--transport", "moved", "--flow", "moved"], 64, "--transport and --flow"),
        (["--agents", "made/agents", "--steps", "0"], 64, "--steps"), (["--agents", "made/agents", "--prior-gain", "-1"], 64, "--prior-gain"),
      ] as [([String], Int32, String)] {
        let result = try workshop.job(2, ["weigh"] + arguments)
        #expect(result.status == status && result.stderr.contains(words), "\(result.stderr)")
      }
    }
  }
}
