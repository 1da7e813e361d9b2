import Foundation
import TestSupport
import Testing

extension JobTests {
  /// Other models and other constraints through the same agents, filters and configuration.
  @Suite struct GeneralisationTests {
    static let advection = """
      model: {name: advection1d, floor: 0.02}
      nature: {spinup: 10}
      members: 4
      methods: [rl, constrained-eakf, floored-eakf]
      truths: {training: 2, training_cycles: 40, test: 1, cycles: 30, spinup_cycles: 5}
      agents:
        warm_start: {steps: 40, batch: 4}
        ppo: {iterations: 2, horizon: 4, sequences: 2, reward: crps}
      """

    private func run(
      _ name: String, _ configuration: String, ranks: Int, _ settings: [String] = []
    ) throws -> (files: [String: Data], methods: [String: [String: Any]]) {
      let workshop = try JobTests.workshop()
      let place = try workshop.makePlace(name)
      try workshop.write(configuration, to: "\(place)/job.yaml")
      let result = try workshop.job(
        ranks, ["run", "--config", "job.yaml", "--output", "out", "--quiet"] + settings, in: place)
      try #require(result.status == 0, "\(result.stderr)")
      var files = try workshop.contents("\(place)/out")
      let text = try #require(files["scores.json"])
      files["scores.json"] = nil
      let scores = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
      return (files, try #require(scores["methods"] as? [String: [String: Any]]))
    }

    private func error(_ entry: [String: Any]?, _ invariant: String) throws -> Double {
      try #require((entry?["invariant_error"] as? [String: Double])?[invariant])
    }

    /// Agents and constrained filters conserve mass and respect the bound, at any number of ranks; cutting off at the
    /// bound makes mass.
    @Test func advectionConservesMass() throws {
      let (files, methods) = try run("advection-1", Self.advection, ranks: 1)
      for method in ["rl", "constrained-eakf"] {
        #expect(try error(methods[method], "mass") < 1e-12, "\(method)")
        #expect(try #require(methods[method]?["min_u"] as? Double) >= 0.02, "\(method)")
        #expect(try #require((methods[method]?["rmse"] as? [String: Double])?["u"]) < 1, "\(method)")
      }
      #expect(try error(methods["floored-eakf"], "mass") > 1e-3)
      let again = try run("advection-3", Self.advection, ranks: 3)
      #expect(differences(files, again.files) == [])
    }

    /// The layer that conserves mass is what does it.
    @Test func withoutInvariantsAgentsLoseMass() throws {
      let (_, methods) = try run(
        "advection-free", Self.advection, ranks: 2,
        ["--set", "constraints.invariants=false", "--set", "methods=[rl]", "--set", "agents.ppo.iterations=0"])
      #expect(try error(methods["rl"], "mass") > 1e-4)
    }

    /// With the paper's base agents set K, R and Z too, and the skeleton's two invariants hold all the same.
    @Test func persistenceHoldsTheSkeletonsInvariants() throws {
      let (_, methods) = try run(
        "persistence", Workshop.configuration, ranks: 2,
        ["--set", "methods=[rl]", "--set", "agents.base=persistence", "--members", "3"])
      for invariant in ["K-R", "Z-K"] { #expect(try error(methods["rl"], invariant) < 1e-12, "\(invariant)") }
    }
  }
}
