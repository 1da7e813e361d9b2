import Foundation
import TestSupport
import Testing

extension JobTests {
  /// docs/experiments/squall-line-small.yaml with fewer members and cycles.
  @Suite struct SquallLineTests {
    @Test func aSmallLineHasTheSameScoresOnAnyNumberOfRanks() throws {
      let workshop = try workshop()
      let config = sourceFolder.appending(path: "docs/experiments/squall-line-small.yaml").path
      let settings = [
        "methods=[free, letkf, rank-histogram, transport]", "truths.test=1", "truths.cycles=2", "truths.spinup_cycles=1",
      ]
      var known: NSDictionary?
      for ranks in [1, 2] {
        let place = try workshop.makePlace("squall-\(ranks)")
        let result = try workshop.job(
          ranks,
          ["run", "--config", config, "--members", "10", "--output", "out", "--quiet"]
            + settings.flatMap { ["--set", $0] }, in: place)
        try #require(result.status == 0, "\(result.stderr)")
        #expect(result.stdout.contains("water change"))
        let scores = workshop.folder.appending(path: "\(place)/out/scores.json")
        let report = try JSONSerialization.jsonObject(with: Data(contentsOf: scores)) as? [String: Any]
        var methods = try #require(report?["methods"] as? [String: [String: Any]])
        for method in methods.keys { methods[method]?["seconds_per_cycle"] = nil }
        #expect(known == nil || known == methods as NSDictionary)
        known = methods as NSDictionary
        for (method, entry) in methods { try check(method, entry) }
      }
    }

    /// A field's scores at 20 observed and 64 x 19 - 20 other cells make up those of all; water stays, or is told of.
    private func check(_ method: String, _ entry: [String: Any]) throws {
      #expect(entry["diverged"] as? Double == 0, "\(method)")
      for field in ["q_v", "q_c", "q_i", "q_r", "q_s"] {
        #expect(try #require(entry["min_\(field)"] as? Double) >= 0, "\(method) \(field)")
      }
      func part(_ name: String, _ key: String) throws -> Double {
        try #require((entry[name] as? [String: [String: Any]])?["w"]?[key] as? Double)
      }
      func whole(_ key: String) throws -> Double { try #require((entry[key] as? [String: Double])?["w"]) }
      let (here, others, all) = (20.0, 1196.0, 1216.0)
      let squares = try here * pow(part("at_observations", "rmse"), 2) + others * pow(part("elsewhere", "rmse"), 2)
      #expect(abs((squares / all).squareRoot() - (try whole("rmse"))) < 1e-12, "\(method)")
      for key in ["crps", "bias"] {
        let sum = try here * part("at_observations", key) + others * part("elsewhere", key)
        #expect(abs(sum / all - (try whole(key))) < 1e-12, "\(method) \(key)")
      }
      for (budget, limit) in [("dry_air", 1e-2), ("water", 0.1), ("condensate", 1)] {
        let change = try #require((entry["update_change"] as? [String: [String: Double]])?[budget])
        let (mean, size) = (try #require(change["mean"]), try #require(change["size"]))
        #expect(abs(mean) <= size && size < limit, "\(method) \(budget)")
        #expect((size > 0) == (method != "free"), "\(method) \(budget)")
      }
    }
  }
}
