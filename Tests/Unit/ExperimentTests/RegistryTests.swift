import DaunceEnsemble
import DaunceExperiment
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceSettings
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

  /// The program's own registries are left alone: other tests have tables of their names.
  @Test func entriesKeepTheirOrderAndAreReplacedByName() {
    let models = Registry([
      ModelEntry("a", "first", cells: 8) { _ in Still() },
      ModelEntry("b", "second", cells: 8) { _ in Still() },
    ])
    models.register(ModelEntry("c", "third", cells: 9) { _ in Still() })
    models.register(ModelEntry("a", "again", cells: 10) { _ in Still() })
    #expect(models.names == ["a", "b", "c"])
    #expect(models["a"]?.cells == 10 && models["c"]?.cells == 9 && models["d"] == nil)
    let methods = Registry([MethodEntry("nothing", "does nothing") { _ in Nothing() }])
    #expect(methods.names == ["nothing"] && methods["nothing"]?.isConstrained == false)
  }

  @Test func keysOfOtherModelsAreRefusedWithTheirOwners() throws {
    let configuration = try Configuration(yaml: "model: {name: lorenz96, floor: 0.1}\nmethods: [eakf]", source: "test")
    do {
      try configuration.validate()
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("expected mjo-skeleton or advection1d for this key"), "\(error)")
    }
    #expect(configuration.cells == 40 && configuration.energy == .off)
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
