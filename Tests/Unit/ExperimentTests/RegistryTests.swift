import DaunceEnsemble
import DaunceExperiment
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceState
import Testing

/// Models and methods by name.
@Suite struct RegistryTests {
  private final class Still: ForecastModel {
    let name = "still"
    let layout = StateLayout(ring: 8, length: 1, fields: [Field(name: "s")])
    let timeStep = 1.0
    func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) {}
  }
  private final class Nothing: EnsembleUpdate {
    func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) {}
  }

  @Test func whatIsRegisteredIsKnownToConfigurations() throws {
    ModelEntry.registry.register(
      ModelEntry("still", "stays", keys: ["forcing"], cells: 8, spinup: { _ in 3 }) { _ in Still() })
    MethodEntry.registry.register(MethodEntry("nothing", "does nothing") { _ in Nothing() })
    let text = "model: {name: still, forcing: 2}\nmethods: [nothing, eakf]"
    let configuration = try Configuration(yaml: text, source: "test")
    try configuration.validate()
    #expect(configuration.cells == 8 && configuration.spinup == 3 && configuration.energy == .off)
    #expect(configuration.methods.map(\.rawValue) == ["nothing", "eakf"] && !configuration.methods[0].isAgents)
    #expect(Configuration.keys.first { $0.key == "model.name" }?.expected.hasSuffix("| still") == true)
    // A key of another model is refused, with its owner.
    do {
      try Configuration(yaml: "model: {name: still, floor: 0.1}\nmethods: [eakf]", source: "test").validate()
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("expected mjo-skeleton or advection1d for this key"), "\(error)")
    }
  }

  @Test func unknownNamesAreRefusedWithTheKnownOnes() {
    do {
      _ = try Configuration(yaml: "methods: [kalman]", source: "test")
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("rl | rl-unconstrained | eakf"), "\(error)")
    }
  }

  @Test func aModelWithoutCapabilitiesHasEmptyOnes() {
    let traits = ModelTraits(of: Still())
    #expect(traits.invariants.isEmpty && traits.energies.isEmpty && traits.diagnostics.isEmpty)
    #expect(traits.units == "nondimensional" && traits.observing.stepsBetween == 1)
  }

  /// Random sums of runs have the runs' covariance, and keep what all runs have in common.
  @Test func anomaliesHaveTheCovarianceOfTheRuns() {
    let states = [1, 4, 5, 3, 2, 5, 8, 0, 8].map(Double.init)
    // x + y = z in each run.
    let climate = ClimatologicalAnomalies(states, count: 3)
    let n = 20_000
    var (xx, xy) = (0.0, 0.0)
    for k in 0..<n {
      var state = [0.0, 0, 0]
      climate.perturb(&state, by: 1, RandomStream(seed: 1, purpose: .test, member: k))
      #expect(abs(state[0] + state[1] - state[2]) < 1e-12)
      xx += state[0] * state[0]
      xy += state[0] * state[1]
    }
    // x = 1, 3, 8 around 4: 13; y = 4, 2, 0 around 2: covariance -7.
    #expect(abs(xx / Double(n) / 13 - 1) < 0.05)
    #expect(abs(xy / Double(n) / -7 - 1) < 0.05)
  }
}
