import Foundation
import TestSupport
import Testing

extension JobTests {
  /// `benchmark`: what it says, not how fast anything is.
  @Suite struct BenchmarkTests {
    static let parts = ["forecast", "waiting", "reduction", "update", "diagnosis", "output"]

    @Test(arguments: [1, 3])
    func everyMethodIsTimedPartByPart(ranks: Int) throws {
      let workshop = try workshop()
      let methods = ["rl", "eakf", "constrained-eakf"]
      let result = try workshop.job(
        ranks,
        ["benchmark", "--config", "small.yaml", "--output", "timed-\(ranks)", "--agents", "made/agents", "--quiet"]
          + ["--json", "--methods"] + methods)
      try #require(result.status == 0 && result.stderr.isEmpty, "\(result.stderr)")
      let report = try object(Data(result.stdout.utf8))
      #expect(report["members"] as? Int == 10 && report["ranks"] as? Int == ranks && report["cycles"] as? Int == 15)
      #expect(report["cores"] as? Int ?? 0 >= 1)
      let timings = try #require(report["methods"] as? [String: [String: Any]])
      #expect(timings.keys.sorted() == methods.sorted())
      for (method, timing) in timings { try check(timing, method, rl: try #require(timings["rl"])) }
      let network = try #require(report["policy_network"] as? [String: Double])
      // 27 x 16 + 16 x 16 + 16 x 2
      #expect(network["multiply_adds_per_cell"] == 296)
      let speed = try #require(network["gflops"])
      let peak = try #require(network["peak_gflops"])
      let ratio = try #require(network["peak_ratio"])
      #expect(speed > 0 && abs(peak / speed / ratio - 1) < 1e-9)
      // Unbounded, the filter makes activity negative at once.
      #expect(methods.map { timings[$0]?["floored"] as? Bool } == [false, true, false])
      #expect(timings["constrained-eakf"]?["solver"] as? String == "dual")
      // The same in the file, and nothing else is left behind.
      let files = try workshop.contents("timed-\(ranks)")
      #expect(files.keys.sorted() == ["benchmark.json"])
      let stored = try object(try #require(files["benchmark.json"]))
      #expect(stored as NSDictionary == report as NSDictionary)
    }

    private func check(_ timing: [String: Any], _ method: String, rl: [String: Any]) throws {
      func number(_ key: String, _ entry: [String: Any]) throws -> Double {
        try #require(entry[key] as? Double, "\(method): \(key)")
      }
      let parts = try #require(timing["parts"] as? [String: Any])
      #expect(parts.keys.sorted() == Self.parts.sorted())
      let seconds = try Self.parts.map { try number($0, parts) }
      #expect(seconds.allSatisfy { $0 > 0 }, "\(method): \(seconds)")
      let whole = try number("seconds_per_cycle", timing)
      #expect(abs(seconds[..<4].reduce(0, +) - whole) < 1e-9 * whole)
      #expect(abs(seconds.reduce(0, +) - (try number("seconds_with_output", timing))) < 1e-9 * whole)
      #expect(try number("fastest_cycle", timing) <= whole * (1 + 1e-9))
      let ratio = whole / (try number("seconds_per_cycle", rl))
      #expect(abs(try number("ratio_to_rl", timing) / ratio - 1) < 1e-9)
      #expect(timing["cycles"] as? Int == 15)
      let share = seconds[5] / seconds.reduce(0, +)
      #expect(abs(try number("output_share", timing) / share - 1) < 1e-9)
      let messages = try #require(timing["messages"] as? [String: [String: Double]])
      #expect(messages.keys.sorted() == ["analysis", "output", "vote"])
      for (part, traffic) in messages where part != "output" {
        #expect(traffic["collectives"] == 1 && traffic["bytes"] ?? 0 > 0, "\(method): \(part)")
      }
      let run = try #require(timing["whole_cycles"] as? [String: Any])
      for key in ["cycles_per_second", "cpu_seconds_per_member_cycle"] { #expect(try number(key, run) > 0) }
      // Without a counter nothing is said of allocations.
      #expect(run["user_seconds_per_member_cycle"] != nil && run["allocations_per_cycle"] == nil)
    }

    /// Agents of its own, and the slow solver for fewer cycles.
    @Test func agentsAreTrainedInTheSameRunAndTheSlowSolverTakesFewCycles() throws {
      let result = try workshop().daunce(
        2, "benchmark", "--config", "small.yaml", "--output", "timed", "--members", "3", "--set", "model.cells=16",
        "--methods", "constrained-enkf", "rl", "--slow-cycles", "2")
      try #require(result.status == 0, "\(result.stderr)")
      #expect(result.lines.count == 4 && Set(result.lines[..<3].map(\.count)).count == 1, "\(result.stdout)")
      #expect(result.lines.last?.hasPrefix("policy network: 296 multiply-adds a cell, ") == true)
      for name in Self.parts + ["s/cycle", "over rl", "messages", "bytes", "cycles/s"] { #expect(result.lines.first?.contains(name) == true, "\(name)") }
      #expect(result.lines[1...2].map { $0.hasPrefix("rl ") } == [false, true], "in the order asked for")
      #expect(result.lines[1].hasPrefix("constrained-enkf (slsqp) ") && result.lines[1].hasSuffix(" 2"))
      #expect(result.lines[2].contains("  1.0  ") && result.lines[2].hasSuffix(" 15"), "\(result.stdout)")
      #expect(result.stderr.contains("warm start"))
    }

    private func object(_ data: Data) throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
  }
}
