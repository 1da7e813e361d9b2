import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Predictive laws of agents' fields by the command `uncertainty`.
  @Suite struct AgentUncertaintyTests {
    /// Small enough to be run many times.
    static let settings = [
      "--set", "agents.held_back=3", "--set", "agents.pairings=2", "--set", "agents.cycles=12", "--set", "agents.samples=4",
    ]

    /// Agents of a second training, made once.
    private static func second(_ workshop: Workshop) throws -> String {
      let name = "second-training"
      guard !FileManager.default.fileExists(atPath: workshop.folder.appending(path: name).path) else { return "\(name)/agents" }
      let result = try workshop.daunce(2, "train", "--config", "small.yaml", "--seed", "2", "--output", name, "--quiet")
      try #require(result.status == 0, "\(result.stderr)")
      return "\(name)/agents"
    }

    /// The file as the reference has it, its parts adding up, and the same bits at any number of ranks.
    @Test func partsAddUpAndRanksMakeNoDifference() throws {
      let workshop = try workshop()
      let second = try Self.second(workshop)
      var known: [String: Data]?
      var text = ""
      for ranks in [1, 2, 3, 9] {
        let place = try workshop.makePlace("agents-\(ranks)")
        let result = try workshop.job(
          ranks, ["uncertainty", "--agents", "../made/agents", "../\(second)", "--output", "out"] + Self.settings, in: place)
        try #require(result.status == 0, "\(result.stderr)")
        let files = try workshop.contents("\(place)/out")
        #expect(Set(files.keys) == ["prediction.nc", "scores.json"])
        #expect(known == nil || known == files, "\(ranks) ranks")
        #expect(text.isEmpty || text == result.stdout)
        (known, text) = (files, result.stdout)
      }
      let file = try DatasetReader(path: workshop.folder.appending(path: "agents-1/out/prediction.nc").path)
      let (truths, times, cells) = (2, 12, 64)
      #expect(try file.texts("source_name") == ["new input", "testing data", "training data", "weights", "function"])
      for name in ["K", "R", "Z", "a"] {
        for (part, shape) in [
          ("mean", [truths, times, cells]), ("variance", [truths, times, cells]), ("truth", [truths, times, cells]),
          ("variance_by_source", [5, truths, times, cells]), ("interaction", [truths, times, cells]),
          ("quantile", [truths, times, cells, 9]), ("sample", [truths, times, cells, 4]),
        ] { #expect(try file.variable("\(name)_\(part)").shape == shape, "\(name)_\(part)") }
        let variance = try file.field("\(name)_variance")
        let (parts, interaction) = (try file.field("\(name)_variance_by_source"), try file.field("\(name)_interaction"))
        let (quantiles, samples) = (try file.field("\(name)_quantile"), try file.field("\(name)_sample"))
        for k in variance.indices {
          let sum = (0..<5).reduce(interaction[k]) { $0 + parts[$1 * variance.count + k] }
          #expect(abs(sum - variance[k]) <= 1e-5 * variance[k])
          let own = quantiles[k * 9..<(k + 1) * 9]
          #expect(zip(own, own.dropFirst()).allSatisfy { $0 <= $1 })
          // Samples are quantiles at an eighth, three eighths and so on.
          let drawn = samples[k * 4..<(k + 1) * 4].sorted()
          #expect(drawn[0] >= quantiles[k * 9 + 2] && drawn[3] <= quantiles[k * 9 + 6])
        }
        // A draw keeps its place among the others from one time to the next, as the member that it follows does.
        if name == "Z" {
          func ranks(_ place: Int) -> [Int] {
            let own = Array(samples[place * 4..<(place + 1) * 4])
            return own.map { value in own.count { $0 < value } }
          }
          let pairs = (0..<(times - 1) * cells).map { zip(ranks($0), ranks($0 + cells)).count(where: { $0 == $1 }) }
          let share = Double(pairs.reduce(0, +)) / Double(4 * pairs.count)
          #expect(share > 0.45, "\(share)")
        }
        // At the first analysis members are told apart by where they began; all of a is observed and drawn.
        let share = (0..<cells).reduce(0) { $0 + parts[$1] } / variance[..<cells].reduce(0, +)
        if name == "K" { #expect(share > 0.3, "\(share)") }
      }
      #expect(try file.field("a_quantile").allSatisfy { $0 >= 1e-4 * 0.999 })
    }

    /// Files of the user's own, at the observations' times, as `assimilate` has them.
    @Test func seriesOfTheUsersOwn() throws {
      let workshop = try workshop()
      let arguments = [
        "uncertainty", "--agents", "../made/agents", "--initial", "../made/initial.nc", "--observations", "../made/observations.nc",
        "--output", "out", "--quiet",
      ]
      var known: Data?
      for ranks in [1, 3] {
        let place = try workshop.makePlace("series-\(ranks)")
        let result = try workshop.job(ranks, arguments + Self.settings, in: place)
        try #require(result.status == 0, "\(result.stderr)")
        let data = try Data(contentsOf: workshop.folder.appending(path: "\(place)/out/prediction.nc"))
        #expect(known == nil || known == data)
        known = data
      }
      let analysis = try workshop.daunce(
        1, "assimilate", "--config", "small.yaml", "--agents", "made/agents", "--initial", "made/initial.nc", "--observations",
        "made/observations.nc", "--output", "series-analysis", "--quiet")
      try #require(analysis.status == 0, "\(analysis.stderr)")
      let file = try DatasetReader(path: workshop.folder.appending(path: "series-1/out/prediction.nc").path)
      let other = try DatasetReader(path: workshop.folder.appending(path: "series-analysis/analysis-rl.nc").path)
      #expect(try file.field("time") == other.field("time"))
      let (mean, parts) = (try file.field("a_mean"), try file.field("a_variance_by_source"))
      #expect(try file.variable("a_mean").shape == [other.field("time").count, 64])
      // One training has no part.
      #expect(parts[2 * mean.count..<3 * mean.count].allSatisfy { $0 == 0 })
      #expect((try? file.field("a_truth")) == nil)
      // Not the same mean, for these are several ensembles; but of the same fields.
      let (own, single) = (mean, try other.field("a_mean"))
      let (middle, count) = (single.reduce(0, +) / Double(single.count), Double(single.count))
      let variance = single.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / count
      #expect(zip(own, single).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count < 0.5 * variance)
    }

    /// A job that is stopped and gone on with, on other numbers of ranks.
    @Test func goesOnToTheSameBits() throws {
      let workshop = try workshop()
      let second = try Self.second(workshop)
      let run = try InterruptedRun(
        workshop, "agents-resumed", command: ["uncertainty", "--agents", "../made/agents", "../\(second)"],
        configuration: "agents: {held_back: 4, pairings: 2, truths: 4, cycles: 12, samples: 4}")
      let once = try run.job(ranks: 2)
      try #require(once.status == 0, "\(once.stderr)")
      let reference = try workshop.contents("agents-resumed/out")
      try FileManager.default.removeItem(at: run.folder.appending(path: "out"))
      #expect(try run.interruptions(every: 1) > 0)
      let changed = differences(try workshop.contents("agents-resumed/out"), reference)
      #expect(changed == [])
    }

    @Test(arguments: [
      (["--agents", "nowhere"], 74, ["nowhere", "no such folder"]),
      (["--agents", "made/agents", "nowhere"], 74, ["nowhere", "no such folder"]),
      (["--agents", "made/agents", "made/agents"], 65, ["made/agents", "another training", "--seed"]),
      (["--agents", "made/agents", "--set", "agents.pairings=11"], 65, ["agents.pairings", "found 11", "at most 10"]),
      (["--agents", "made/agents", "--set", "agents.samples=5000"], 65, ["agents.samples", "found 5000"]),
      (["--agents", "made/agents", "--set", "agents.cycles=5"], 65, ["truths.spinup_cycles", "truths.cycles"]),
      (["--agents", "made/agents", "--training", "a.csv"], 64, ["--agents and --training"]),
      (["--agents", "made/agents", "--initial", "made/initial.nc"], 64, ["--initial and --observations"]),
      (["--initial", "made/initial.nc"], 64, ["belong to --agents"]),
      (
        ["--agents", "made/agents", "--initial", "made/nothing.nc", "--observations", "made/observations.nc"], 74,
        ["made/nothing.nc"]
      ),
      (
        ["--agents", "made/agents", "--initial", "made/observations.nc", "--observations", "made/observations.nc"], 65,
        ["made/observations.nc"]
      ),
    ] as [([String], Int32, [String])])
    func badRequestsAreRefused(_ arguments: [String], _ status: Int32, _ words: [String]) throws {
      let workshop = try workshop()
      let result = try workshop.job(2, ["uncertainty"] + arguments + ["--output", "refused"])
      #expect(result.status == status, "\(result.stderr)")
      for word in words { #expect(result.stderr.contains(word), "\(word) in: \(result.stderr)") }
      #expect(!FileManager.default.fileExists(atPath: workshop.folder.appending(path: "refused/prediction.nc").path))
    }
  }
}
