import DaunceArchive
import Foundation
import TestSupport
import Testing

extension JobTests {
  /// `simulate`, `train`, `assimilate` and `score`, each a job of its own that reads the files of the one before.
  @Suite struct StageTests {
    static let filters = ["constrained-eakf", "enkf", "floored-eakf", "constrained-enkf"]

    @Test func stagesWriteTheSameBitsOnAnyNumberOfRanks() throws {
      let workshop = try workshop()
      var reference: [String: Data]?
      for ranks in [1, 3, 10] {
        let place = try workshop.makePlace("stages-\(ranks)")
        for stage in ["simulate", "train"] {
          let result = try workshop.daunce(ranks, stage, "--config", "small.yaml", "--output", "out", in: place)
          try #require(result.status == 0, "\(stage): \(result.stderr)")
        }
        // Three ranks hold unequal numbers of members; what differs then differs in the strictest method.
        let filters = ranks == 3 ? ["constrained-enkf"] : Self.filters
        for method in [["rl", "--agents", "out/agents"]] + filters.map({ [$0] }) {
          let arguments = [
            "assimilate", "--initial", "out/initial.nc", "--observations", "out/observations.nc", "--output", "out",
            "--config", "small.yaml", "--set", "output.members=true", "--method",
          ]
          let result = try workshop.job(ranks, arguments + method, in: place)
          // A filter without constraints may fail on so rough a state; then it does so everywhere alike.
          try #require(result.status == 0 || method[0] == "enkf" && result.status == 65, "\(method): \(result.stderr)")
        }
        var files = try workshop.contents("\(place)/out")
        files["training.json"] = nil
        if let reference {
          let written = reference.filter { !$0.key.hasPrefix("analysis-") || files[$0.key] != nil }
          #expect(differences(files, written) == [], "\(ranks) ranks")
          #expect(files.count == (ranks == 3 ? reference.count - 3 : reference.count))
        } else {
          reference = files
          #expect(files.keys.filter { $0.hasPrefix("analysis-") }.count == 5)
        }
      }
    }

    @Test func analysesAreScored() throws {
      let workshop = try workshop()
      for method in ["floored-eakf", "constrained-eakf"] {
        let result = try workshop.daunce(
          2, "assimilate", "--method", method, "--initial", "made/initial.nc", "--observations",
          "made/observations.nc", "--output", "scored", "--config", "small.yaml")
        try #require(result.status == 0, "\(result.stderr)")
        #expect(result.lines.count == 1 && result.stdout.hasPrefix("\(method): 20 analyses of 1280 observations in "))
      }
      let result = try workshop.daunce(
        2, "score", "--truth", "made/nature.nc", "scored/analysis-floored-eakf.nc",
        "scored/analysis-constrained-eakf.nc", "--config", "small.yaml")
      #expect(result.status == 0, "\(result.stderr)")
      // A header, then five fields of two files, with the times after spin-up.
      #expect(result.lines.count == 11)
      for line in result.lines.dropFirst() {
        #expect(line.hasSuffix(" 15"))
        #expect(line.split(separator: " ")[2...5].allSatisfy { Double($0) != nil }, "\(line)")
      }
    }

    /// A file's name as destination, and a folder that is not there yet.
    @Test func destinationMayBeAFile() throws {
      let workshop = try workshop()
      let result = try workshop.daunce(
        1, "assimilate", "--method", "floored-eakf", "--initial", "made/initial.nc", "--observations",
        "made/observations.nc", "--output", "deep/er/mine.nc", "--config", "small.yaml", "--quiet")
      #expect(result.status == 0 && result.stderr.isEmpty, "\(result.stderr)")
      #expect(try workshop.contents("deep").keys.sorted() == ["er/mine.nc"])
    }
  }
}
