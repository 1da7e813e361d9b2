import Foundation
import TestSupport
import Testing

extension JobTests {
  /// What training is worth, on truths that it has not seen.
  @Suite struct TrainingTests {
    private func scores(_ workshop: Workshop, iterations: Int) throws -> [String: Any] {
      let place = try workshop.makePlace("training-\(iterations)")
      try workshop.write(Self.persistence, to: "\(place)/persistence.yaml")
      let result = try workshop.daunce(
        2, "run", "--config", "persistence.yaml", "--set", "agents.ppo.iterations=\(iterations)", "--output", "out",
        in: place)
      try #require(result.status == 0, "\(result.stderr)")
      let text = try #require(try workshop.contents("\(place)/out")["scores.json"])
      return try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
    }

    /// With the paper's base, the present state, nothing holds an agent on course but its own policy. Without reviews, which
    /// would keep agents from early in the warm start.
    static let persistence = """
      methods: [rl]
      members: 2
      model: {cells: 32}
      nature: {spinup: 5.0}
      truths: {training: 8, training_cycles: 300, test: 2, cycles: 600, spinup_cycles: 50}
      agents:
        base: persistence
        inputs: member
        hidden: [16]
        warm_start: {steps: 500, batch: 32, closed_loop_rounds: 0}
        ppo: {iterations: 160}
        review: {truths: 0}
      """

    /// The warm start alone fails in closed loop on every truth; PPO's result comes through all of them.
    @Test func reinforcementLearningTurnsAFailingPolicyStable() throws {
      let workshop = try JobTests.workshop()
      func rl(_ scores: [String: Any]) throws -> [String: Any] {
        try #require((scores["methods"] as? [String: [String: Any]])?["rl"])
      }
      let warm = try rl(try scores(workshop, iterations: 0))
      #expect(warm["diverged"] as? Double == 1)
      #expect((warm["first_failure_cycle"] as? Int ?? 0) > 1)
      let trained = try scores(workshop, iterations: 160)
      let score = try rl(trained)
      #expect(score["diverged"] as? Double == 0)
      #expect((score["mjo_corr"] as? Double ?? 0) > 0.5)
      #expect((score["min_a"] as? Double ?? 0) > 0)
      let training = try #require(trained["training"] as? [String: Any])
      let first = try #require(training["reward_first"] as? Double)
      let last = try #require(training["reward_last"] as? Double)
      #expect(last > first)
    }

    private static let worth = """
      methods: [rl-unconstrained]
      members: 4
      truths: {training: 4, training_cycles: 200, test: 1, cycles: 100, spinup_cycles: 40}
      agents:
        warm_start: {steps: 100, closed_loop_rounds: 0}
        ppo: {iterations: 40, horizon: 16, learning_rate: 1.0e-3, reward: ensemble-crps, reward_window: 3}
        review: {truths: 2, cycles: 100, times: 4, patience: 0}
      """

    /// A short warm start that has not been in closed loop: what members are worth to their ensemble takes its score in all
    /// fields, on truths that were kept back, to less than two thirds; the same bits on any number of ranks.
    @Test func membersLearnWhatTheyAreWorth() throws {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace("worth")
      try workshop.write(Self.worth, to: "\(place)/worth.yaml")
      var known: [String: Data]?
      for ranks in [1, 2, 4] {
        let result = try workshop.job(ranks, ["train", "--config", "worth.yaml", "--output", "out", "--quiet"], in: place)
        try #require(result.status == 0, "\(result.stderr)")
        let files = try workshop.contents("\(place)/out")
        let agents = files.filter { $0.key.hasSuffix(".nc") }
        #expect(known == nil || differences(agents, known ?? [:]) == [], "\(ranks)")
        known = agents
        guard ranks == 1 else { continue }
        let text = try #require(files["training.json"])
        let training = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        let reviews = try #require(training["reviews"] as? [[String: Any]]).filter { $0["stage"] as? String == "PPO" }
        let scores = reviews.compactMap { $0["crps"] as? Double }
        #expect(scores.count == 5)
        #expect(try #require(scores.last) < 0.65 * (try #require(scores.first)), "\(scores)")
      }
    }
  }
}
