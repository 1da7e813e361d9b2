import DaunceAgents
import DaunceExperiment
import DaunceSettings
import DaunceState
import Testing

@Suite struct ContradictionTests {
  @Test func defaultsAreValid() throws {
    try Configuration().validate()
  }

  @Test func lorenz96NeedsNothingButItsName() throws {
    try Configuration(yaml: "model: {name: lorenz96}", source: "l96.yaml").validate()
  }

  @Test func advectionHasNoiseAndAFloorAndNoEnergy() throws {
    let configuration = try Configuration(
      yaml: "model: {name: advection1d, noise_amplitude: 2, floor: 0.01}", source: "adv.yaml")
    try configuration.validate()
    #expect(configuration.cells == 64 && configuration.energy == .off)
  }

  @Test(arguments: [
    ("truths: {spinup_cycles: 450}", ["truths.spinup_cycles", "truths.cycles"]),
    (
      "truths: {training_cycles: 40}\nagents: {ppo: {iterations: 0}}",
      ["truths.spinup_cycles", "truths.training_cycles"]
    ),
    ("model: {name: lorenz96}\nconstraints: {energy: conserved}", ["model.name", "constraints.energy"]),
    ("model: {name: lorenz96, units: standard}", ["model.name", "model.units"]),
    ("model: {name: lorenz96, background: warm-pool}", ["model.name", "model.background"]),
    ("model: {name: lorenz96, noise_amplitude: 2}", ["model.name", "model.noise_amplitude"]),
    ("model: {name: lorenz96, noise_scheme: feller}", ["model.name", "model.noise_scheme"]),
    ("model: {name: lorenz96, floor: 0.1}", ["model.name", "model.floor"]),
    ("model: {name: advection1d}\nconstraints: {energy: printed}", ["model.name", "constraints.energy"]),
    ("model: {name: advection1d, units: standard}", ["model.name", "model.units"]),
    ("model: {name: advection1d, background: warm-pool}", ["model.name", "model.background"]),
    ("model: {name: advection1d, noise_scheme: feller}", ["model.name", "model.noise_scheme"]),
    ("model: {name: advection1d, forcing: 7}", ["model.name", "model.forcing"]),
    ("model: {forcing: 7}", ["model.name", "model.forcing"]),
    ("model: {name: lorenz96, levels: 20}", ["model.name", "model.levels"]),
    ("model: {noise_scheme: feller, noise_amplitude: 0}", ["model.noise_scheme", "model.noise_amplitude"]),
    ("constraints: {energy: none, band: [0, 1]}", ["constraints.energy", "constraints.band"]),
    ("initial: {kind: climatology, spread: 0.5}", ["initial.kind", "initial.spread"]),
    ("initial: {kind: climatology, centre: truth}", ["initial.kind", "initial.centre"]),
    ("observations: {networks: [{field: a, every: 1, sd: 1}], interval: 4}", ["observations.networks", "observations.interval"]),
    (
      "observations: {networks: [{field: a, every: 1, sd: 1}], error_variance: 4}",
      ["observations.networks", "observations.error_variance"]
    ),
    ("filter: {update: all, half_widths: [{field: a}]}", ["filter.half_widths", "filter.update"]),
    ("filter: {half_width: 17}", ["filter.half_width", "model.cells"]),
    ("filter: {half_widths: [{field: a, half_width: 17}]}", ["filter.half_widths", "model.cells"]),
    ("filter: {by_method: [{method: rl, rtps: 0.5}]}", ["filter.by_method", "methods"]),
    ("filter: {by_method: [{method: eakf}, {method: eakf, rtps: 0.5}]}", ["filter.by_method", "methods"]),
    ("filter: {rtpp: 0.1, by_method: [{method: eakf, rtps: 0.5}]}", ["filter.by_method", "filter.rtps"]),
    ("filter: {by_method: [{method: eakf, adaptive: 0.5, inflation: 1.1}]}", ["filter.by_method", "filter.inflation"]),
    ("filter: {by_method: [{method: eakf, half_width: 17}]}", ["filter.by_method", "model.cells"]),
    ("filter: {proposal: optimal}", ["filter.proposal", "filter.additive"]),
    ("filter: {proposal: optimal, additive: 0.1, rtps: 0.1}", ["filter.proposal", "filter.inflation"]),
    ("filter: {by_method: [{method: particle-filter, proposal: optimal}]}", ["filter.proposal", "filter.additive"]),
    ("agents: {inputs: literal}", ["agents.inputs", "agents.base"]),
    ("agents: {base: analysis, inputs: covariances}", ["agents.inputs", "agents.base"]),
    ("{agents: {base: analysis}, filter: {adaptive: 0.6}}", ["agents.base", "filter.adaptive"]),
    ("agents: {filter: rl}", ["agents.filter", "methods"]),
    ("agents: {filter: constrained-eakf-large}", ["agents.filter", "methods"]),
    ("agents: {ppo: {reward: ensemble-crps}, inputs: member}", ["agents.ppo.reward", "agents.inputs"]),
    ("agents: {ppo: {reward: ensemble-crps}, target: reference}", ["agents.ppo.reward", "agents.target"]),
    ("agents: {ppo: {reward: crps, reward_window: 3}}", ["agents.ppo.reward_window", "agents.ppo.reward"]),
    ("agents: {ppo: {reward: ensemble-crps, reward_window: 65}}", ["agents.ppo.reward_window", "model.cells"]),
    ("agents: {draws: anomalies, inputs: member}", ["agents.draws", "agents.inputs"]),
    ("agents: {base: analysis, rank_persistence: 0.5}", ["agents.rank_persistence", "agents.draws"]),
    ("agents: {rank_persistence: 0.1, draws: independent}", ["agents.rank_persistence", "agents.draws"]),
    ("agents: {rank_persistence: 0.1, inputs: member}", ["agents.rank_persistence", "agents.inputs"]),
    ("agents: {window: 65}", ["agents.window", "model.cells"]),
    ("truths: {training_cycles: 81}", ["agents.ppo.horizon", "truths.training_cycles"]),
    ("agents: {ppo: {minibatches: 513}}", ["agents.ppo.minibatches", "agents.ppo.sequences"]),
    ("agents: {warm_start: {steps: 0}, ppo: {iterations: 0}}", ["agents.warm_start.steps", "agents.ppo.iterations"]),
    ("agents: {multipliers: {form: none}}", ["methods", "agents.multipliers.form"]),
    ("agents: {multipliers: {regularisation: 0.1}}", ["agents.multipliers.form", "agents.multipliers.regularisation"]),
  ])
  func bothKeysAreNamed(text: String, keys: [String]) throws {
    let configuration = try Configuration(yaml: text, source: "bad.yaml")
    let error = try #require(throws: ConfigurationError.self) {
      try configuration.validate(source: .file("bad.yaml"))
    }
    #expect(error.problems.map(\.kind) == [.contradiction])
    #expect(error.problems.map(\.keys) == [keys])
    #expect(error.description.hasPrefix("bad.yaml: \(keys[0]), \(keys[1]): found "), "\(error)")
  }

  @Test(arguments: ["{field: K, sd: 1}", "{field: K, every: 2, random: 3, sd: 1}", "{field: K, every: 2}"])
  func networksSayWhereAndHowWell(network: String) throws {
    let text = "methods: [free]\nobservations: {networks: [\(network)]}"
    let configuration = try Configuration(yaml: text, source: "bad.yaml")
    let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(error.problems.map(\.kind) == [.contradiction])
  }

  /// One step inside each limit.
  @Test(arguments: [
    "truths: {spinup_cycles: 449}", "filter: {half_width: 16, half_widths: [{field: a, half_width: 16}]}", "agents: {window: 63}",
    "agents: {base: persistence, inputs: literal}", "truths: {training_cycles: 82}",
    "agents: {ppo: {minibatches: 512}}", "agents: {rank_persistence: 0, draws: independent, inputs: member}", "constraints: {energy: printed, band: [0, 1]}",
    "methods: [rl]\nagents: {multipliers: {form: none}}",
    "methods: [eakf]\nagents: {warm_start: {steps: 0}, ppo: {iterations: 0}}",
    "agents: {multipliers: {form: regularised, regularisation: 0.1}}",
    "filter: {rtps: 0.1, by_method: [{method: eakf, rtps: 0, rtpp: 0.5}, {method: letkf, half_width: 16}]}",
    "filter: {rtps: 0.1, by_method: [{method: particle-filter, rtps: 0, proposal: optimal, additive: 0.1}]}",
  ])
  func limitsAreNotTooTight(text: String) throws {
    try Configuration(yaml: text, source: "good.yaml").validate()
  }

  /// A method has its own settings, those of the section where it has none, and others are left alone.
  @Test func methodsHaveSettingsOfTheirOwn() throws {
    let configuration = try Configuration(
      yaml: """
        filter:
          half_width: 3
          inflation: 1.1
          nonlinear: {jitter: 0.7}
          by_method:
            - {method: letkf, half_width: 5, rtps: 0.2}
            - {method: diffusion, inflation: 1, window: 0.5, steps: 4}
        """, source: "own.yaml")
    try configuration.validate()
    var letkf = configuration.filter
    (letkf.halfWidth, letkf.rtps) = (5, 0.2)
    #expect(configuration.filter.settings(of: .letkf) == letkf)
    var diffusion = configuration.filter
    (diffusion.inflation, diffusion.nonlinear.window, diffusion.nonlinear.steps) = (1, 0.5, 4)
    #expect(configuration.filter.settings(of: Configuration.Method("diffusion")) == diffusion)
    #expect(configuration.filter.settings(of: .eakf) == configuration.filter)
    #expect(configuration.settled(for: .letkf).filter == letkf)
  }

  @Test func programsAreHeldToTheSameRules() throws {
    var configuration = Configuration()
    configuration.observations.errorVariance = -1
    configuration.nature.spinup = .nan
    configuration.constraints.band = Interval(lower: 2, upper: 1)
    let error = try #require(throws: ConfigurationError.self) { try configuration.validate() }
    #expect(
      error.problems.map(\.keys) == [["nature.spinup"], ["observations.error_variance"], ["constraints.band"]])
    #expect(error.problems.allSatisfy { $0.kind == .outOfRange && $0.source == .program })
  }

  @Test func controlledVariablesFollowTheBase() throws {
    let layout = StateLayout(
      ring: 8, length: 1,
      fields: ["K", "R", "Z", "a"].map { Field(name: $0, longName: $0, scale: 1) })
    var configuration = Configuration()
    #expect(try configuration.controlledVariables(in: layout, observed: [3]) == [3])
    configuration.agents.controls = ["a", "Z"]
    #expect(try configuration.controlledVariables(in: layout, observed: [3]) == [2, 3])
    configuration.agents.base = .persistence
    let error = try #require(throws: ConfigurationError.self) {
      try configuration.controlledVariables(in: layout, observed: [3])
    }
    #expect(error.problems.map(\.keys) == [["agents.base", "agents.controls"]])
    configuration.agents.controls = nil
    #expect(try configuration.controlledVariables(in: layout, observed: [3]) == [0, 1, 2, 3])
    configuration.agents.controls = ["a", "q"]
    let unknown = try #require(throws: ConfigurationError.self) {
      try configuration.controlledVariables(in: layout, observed: [3])
    }
    #expect(unknown.problems.map(\.found) == ["q"])
  }
}
