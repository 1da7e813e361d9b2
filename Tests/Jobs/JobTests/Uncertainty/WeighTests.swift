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

    @Test func badRequestsAreRefused() throws {
      let workshop = try workshop()
      for (arguments, status, words) in [
        (["--agents", "nowhere"], 74, "no such folder"), (["--agents", "made/agents", "--share", "0"], 64, "--share"),
        (["--agents", "made/agents", "--truths", "0"], 64, "--truths"),
      ] as [([String], Int32, String)] {
        let result = try workshop.job(2, ["weigh"] + arguments)
        #expect(result.status == status && result.stderr.contains(words), "\(result.stderr)")
      }
    }
  }
}
