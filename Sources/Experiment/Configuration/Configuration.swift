public import DaunceAgents
public import DaunceCoupling
public import DaunceSettings

/// Everything that decides what an experiment computes; the defaults are the paper's experiment.
///
/// Each key is declared once, here: its default, its meaning with the unit, and the values it may take. Everything else
/// follows from the declaration: the YAML key (`errorVariance` is `error_variance` in files), the commented text of
/// `--print-config`, the check of a user's file, and the messages when something is wrong with it. The text in `@Key`
/// is the property's documentation.
///
/// An optional value is one that the program chooses (`auto`) or leaves out (`none`) when it is `nil`; the resolved
/// values are in `ConfigurationResolution.swift`, rules that tie keys together in `ConfigurationValidation.swift`.
public struct Configuration: ConfigurationRoot {
  @Key("seed of every random stream of the experiment")
  public var seed: UInt64 = 1
  @Key("ensemble members, one agent each", .atLeast(2))
  public var members = 10
  @Key("methods that assimilate the test truths", .distinct)
  public var methods: [Method] = [.rl, .rlUnconstrained, .constrainedEAKF, .largeConstrainedEAKF, .eakf]

  /// The forecast model and its stochastic scheme.
  public var model = Model()
  /// What is done about forecasts that fail.
  public var forecasts = Forecasts()
  /// How a truth is started.
  public var nature = Nature()
  /// How a truth is observed.
  public var observations = Observations()
  /// How many truths, and for how long.
  public var truths = Truths()
  /// How an ensemble is started.
  public var initial = Initial()
  /// The ensemble Kalman filters.
  public var filter = Filter()
  /// What an analysis has to respect besides the variables' lower bounds.
  public var constraints = Constraints()
  /// What the agents see, what they correct, how they learn.
  public var agents = Agents()
  /// What is written besides means, spreads and scores.
  public var output = Output()

  /// The defaults.
  public init() {}

  /// Former names of keys and the new ones.
  public static let renamed = ["agents.order_kept": "agents.rank_persistence"]

  /// The forecast model and its stochastic scheme.
  public struct Model: Codable, Sendable, Hashable {
    @Key("forecast model")
    public var name = Name.mjoSkeleton
    @Key("shared library of the models plugin and bmi, relative to the working folder", absent: "none")
    public var library: String?
    @Key("what the library is given; its own documentation says which there are")
    public var parameters = ParameterTable()
    @Key("function of the library that fills in the table of BMI's functions", absent: "none")
    public var register: String?
    @Key("file that a model with BMI is initialised with", absent: "none")
    public var config: String?
    @Key("prognostic variables of a model with BMI: its state")
    public var variables: [BMIVariable] = []
    @Key("file that describes the model external", absent: "none")
    public var description: String?
    @Key("NetCDF file with the arrays that the description names", absent: "none")
    public var arrays: String?
    @Key("program that carries a state; with a worker: what it is asked", absent: "none")
    public var command: String?
    @Key("program, or request, that makes an initial state for nature runs", absent: "none")
    public var start: String?
    @Key("program, or request, that carries a state coarsely, for agents to correct", absent: "none")
    public var coarse: String?
    @Key("program that stays alive and answers requests", absent: "none")
    public var worker: String?
    @Key("folder with the files that every member's folder has", absent: "none")
    public var template: String?
    @Key("names in the template that are copied and not linked, such as *.nml")
    public var copied: [String] = []
    @Key("folder that members of the model external have their folders in")
    public var folder = "members"
    @Key("how a state is handed over: a NetCDF file, or its doubles one after the other")
    public var format = ExternalSettings.Format.netcdf
    @Key("fields in files of the model's own, in place of that")
    public var files: [FieldFile] = []
    @Key("files that a member takes from one forecast to the next")
    public var keeps: [String] = []
    @Key("longest time of a forecast by the model external, in seconds", .positive, absent: "none")
    public var timeLimit: Double?
    @Key("cores of the model external, for one member", .atLeast(1))
    public var cores = 1
    @Key("memory that each of its processes may have, in gigabytes of addresses", .positive, absent: "none")
    public var memory: Double?
    @Key("members at a time on a node; auto: as many as it has cores for", .atLeast(1))
    public var atOnce: Int?
    @Key("variables that the model external finds beside those of the job")
    public var environment = ParameterTable()
    @Key("unit system of the MJO skeleton: the paper's or the standard one (1500 km, 8.33 h)")
    public var units = Units.paper
    @Key("large-scale source of the MJO skeleton, (4.9) for the warm pool")
    public var background = Background.homogeneous
    @Key(
      "cells along the periodic axis; auto: 40 for lorenz96, 1 for lorenz63, which has no other, 300 for convection, 64 otherwise",
      .within(8...65_536))
    public var cells: Int?
    @Key("factor on the noise's standard deviation", .nonNegative)
    public var noiseAmplitude = 1.0
    @Key("how the square-root noise is sampled")
    public var noiseScheme = NoiseScheme.eulerFloor
    @Key("smallest admissible value of a in mjo-skeleton, of u in advection1d", .positive)
    public var floor = 1.0e-4
    @Key("forcing F of lorenz96")
    public var forcing = 8.0
    @Key("damping of lorenz96; without it and without forcing the model conserves its energy", .nonNegative)
    public var damping = 1.0
    @Key("levels of convection in 20 km of height", .within(8...80))
    public var levels = 40
    @Key("wind of convection above 2.5 km less that at the ground, in m/s", .within(0...40))
    public var shear = 12.0
  }

  /// What is done about forecasts that fail.
  public struct Forecasts: Codable, Sendable, Hashable {
    @Key("times that the program of a model external is run again after a failure", .atLeast(0))
    public var retries = 0
    @Key("what becomes of a member whose forecast fails: the job stops, others go on without it, or it is replaced by another, perturbed one")
    public var onFailure = OnFailure.stop
    @Key("fewest members to go on with; auto: half of them, at least 2", .atLeast(2))
    public var leastMembers: Int?
    @Key("size of a replaced member's perturbation, in the ensemble's spread", .nonNegative)
    public var perturbation = 0.1
  }

  /// How a truth is started.
  public struct Nature: Codable, Sendable, Hashable {
    @Key(
      "spin-up of every nature run, in the model's time units; auto: 2000 in standard units, 40 for advection1d, 3000 (s) for convection, or 20",
      .nonNegative)
    public var spinup: Double?
  }

  /// How a truth is observed.
  public struct Observations: Codable, Sendable, Hashable {
    @Key("time steps between observations; auto: the model's (20 in paper units)", .atLeast(1))
    public var interval: Int?
    @Key("error variance, in the observed variable's unit squared; auto: the model's (0.0063)", .positive)
    public var errorVariance: Double?
    @Key("networks that observe the truth; none: the model's own, one variable at every cell")
    public var networks: [NetworkSettings] = []
  }

  /// How many truths, and for how long.
  public struct Truths: Codable, Sendable, Hashable {
    @Key("truths that agents learn from", .within(1...10_000))
    public var training = 16
    @Key("assimilation cycles of each training truth", .within(1...1_000_000))
    public var trainingCycles = 500
    @Key("truths that no agent has seen, for the scores", .within(1...10_000))
    public var test = 10
    @Key("assimilation cycles of each test truth", .within(1...1_000_000))
    public var cycles = 450
    @Key("first cycles of each test truth that are left out of the scores", .atLeast(0))
    public var spinupCycles = 50
  }

  /// How an ensemble is started.
  public struct Initial: Codable, Sendable, Hashable {
    @Key("where the members come from: the truth with perturbations, or nature runs of their own, which know nothing of it")
    public var kind = Kind.perturbed
    @Key("size of the initial members' perturbations, of the climate's spectrum: 1 is to know nothing", .positive)
    public var spread = 0.1
    @Key("nature runs that the climate's spectrum is estimated from", .within(2...10_000))
    public var climatologyRuns = 32
    @Key("what the members are scattered around: the truth, or a state as far from it as they are from each other")
    public var centre = Centre.perturbed
  }

  /// The ensemble Kalman filters.
  public struct Filter: Codable, Sendable, Hashable {
    @Key(
      "Gaspari-Cohn half-width, in cells (support ends at twice that); none: no localization", .positive,
      absent: "none")
    public var halfWidth: Double? = 2.0
    @Key("half-widths of single variables, in cells, with update: own")
    public var halfWidths: [VariableHalfWidth] = []
    @Key("variables updated by an observation: its own or all")
    public var update = Update.own
    @Key("factor on the forecast's anomalies", .atLeast(1))
    public var inflation = 1.0
    @Key("relaxation of the analysis spread to the forecast's", .fraction)
    public var rtps = 0.0
    @Key("relaxation of the analysis perturbations to the forecast's", .fraction)
    public var rtpp = 0.0
    @Key("share of the observations' localized innovation that nudging moves members by, at every observation time", .fraction)
    public var nudging = 0.2
    @Key("size of random perturbations, of the climate's spectrum, that are added to every forecast before its update; 0: none", .nonNegative)
    public var additive = 0.0
    @Key("particle-filter: what particles are drawn from: the forecast, or given the observations too, with the noise of additive")
    public var proposal = Proposal.prior
    @Key("adaptive inflation: standard deviation of the prior of its factors (Anderson 2009); 0: none", .nonNegative)
    public var adaptive = 0.0
    @Key("share of an adaptive inflation that is kept from one analysis to the next", .fraction)
    public var adaptiveDamping = 0.9
    @Key("rotate the members of the etkf at random, keeping their mean")
    public var rotation = false
    @Key("solver of the constrained analysis")
    public var solver = Solver.dual
    @Key("members of constrained-eakf-large", .atLeast(2))
    public var largeMembers = 100
    /// Of the nonlinear updates.
    public var nonlinear = NonlinearSettings()
    @Key("settings that single methods have in place of these")
    public var byMethod: [MethodSettings] = []
  }

  /// What an analysis has to respect besides the variables' lower bounds.
  public struct Constraints: Codable, Sendable, Hashable {
    @Key("energy, or another function of the state, held in the band; auto: conserved for mjo-skeleton, none otherwise")
    public var energy: Energy?
    @Key("further functions of the state that agents hold in bands, each with a multiplier of its own")
    public var further: [Energy] = []
    @Key("energy band [lower, upper], in the energy's own unit; auto: from the training truths")
    public var band: Interval?
    @Key("quantiles of the training truths' energy that bound an automatic band", .fraction)
    public var bandQuantiles = Interval(lower: 0.005, upper: 0.995)
    @Key("share of its width that the band is widened by", .nonNegative)
    public var bandMargin = 0.1
    @Key("hold the model's linear invariants, in constrained filters and by agents")
    public var invariants = true
  }

  /// The agents: what they see, what they correct, how they learn.
  public struct Agents: Codable, Sendable, Hashable {
    @Key("state that an agent corrects: a coarse forecast step, the last analysis (the paper's), or a filter's analysis")
    public var base = AgentSettings.Base.coarseStep
    @Key("filter that agents learn from, and whose analysis they correct with base: analysis")
    public var filter = Method.constrainedEAKF
    @Key("what an agent sees: its own member, the ensemble's mean and spread too, its covariances too, or the paper's list")
    public var inputs = AgentSettings.Inputs.ensemble
    @Key("what an agent is rewarded for: the truth or the constrained filter's member (the paper's)")
    public var target = AgentSettings.Target.truth
    @Key("random numbers of the agents' samples: stratified over members, independent, or the members' own anomalies; auto: anomalies with base: analysis, else stratified")
    public var draws: AgentSettings.Draws?
    @Key("whether an agent sees how far its own state is from the middle of each band, and the functions' gradients")
    public var seesConstraints = false
    @Key("share of cells in which stratified draws keep the order of the forecasts; auto: measured in training", .fraction)
    public var rankPersistence: Double?
    @Key("how an action keeps the lower bound")
    public var bounds = AgentSettings.Bounds.truncated
    @Key("variables that an agent sets; auto: the observed ones, or all with base: persistence", .distinct)
    public var controls: [String]?
    @Key("units of each hidden layer", .within(1...4096))
    public var hidden = [8, 8]
    @Key("cells that an agent sees around its target cell", .odd)
    public var window = 5
    @Key("importance weights that members have in analyses beside equal ones, of weights.nc in the agents' folder (assimilate, run --agents)")
    public var weights = Weights.equal
    /// One policy that all agents start from, with base: analysis.
    public var common = Common()
    /// Supervised training before PPO.
    public var warmStart = WarmStart()
    /// Proximal policy optimisation in closed loop.
    public var ppo = PPO()
    /// Lagrange multipliers of the energy constraint.
    public var multipliers = Multipliers()
    /// How a training is watched, on truths that it does not learn from.
    public var review = Review()

    /// How a training is watched, on truths that it does not learn from and that no score is of.
    public struct Review: Codable, Sendable, Hashable {
      @Key("truths held back for it; 0: a training is not watched; auto: as many as agents learn from, 4 at most", .within(0...10_000))
      public var truths: Int?
      @Key("cycles of each, of which the spin-up, half of them at most, is left out; auto: a training truth's, 200 at most", .within(2...1_000_000))
      public var cycles: Int?
      @Key("reviews of each stage", .within(1...10_000))
      public var times = 12
      @Key("reviews in a row without a better one that bring a stage to its end; 0: never", .nonNegative)
      public var patience = 5
    }

    /// One policy that all agents start from, learned in closed loop with whole ensembles (Adam, cosine decay).
    public struct Common: Codable, Sendable, Hashable {
      @Key("optimisation steps; 0: no common training, every agent starts by itself", .within(0...1_000_000))
      public var steps = 0
      @Key("ensembles side by side, a state of all cells each in every step", .within(1...65_535))
      public var batch = 24
      @Key("first step size", .positive)
      public var learningRate = 5.0e-3
      @Key("ensemble sizes to train for, taken in turn; auto: members", .within(2...16_384))
      public var members: [Int]?
      @Key("multiples of the observation interval to train for", .within(1...1_000))
      public var intervals = [1]
      @Key("shares of the networks' observations to train for: every run of an ensemble draws one, and which they are", .fraction)
      public var coverage = [1.0]
      @Key("factors on the observations' error variance to train for", .positive)
      public var errorFactors = [1.0]
      @Key("share of observation times without any observation", .fraction)
      public var gaps = 0.0
      @Key("starts to train for; auto: initial.kind", .distinct)
      public var starts: [Initial.Kind]?
    }

    /// Supervised training before PPO (Adam, cosine decay).
    public struct WarmStart: Codable, Sendable, Hashable {
      @Key("optimisation steps; 0: no warm start", .within(0...1_000_000))
      public var steps = 2500
      @Key("states in a step's batch, all cells each", .within(1...65_535))
      public var batch = 64
      @Key("first step size", .positive)
      public var learningRate = 3.0e-3
      @Key("further rounds on the agents' own closed-loop states; with base: analysis the first of them takes the place of the round before", .atLeast(0))
      public var closedLoopRounds = 1
      @Key("share of training states that lose observations, so that agents can do without", .fraction)
      public var missingFraction = 0.1
    }

    /// Proximal policy optimisation in closed loop.
    public struct PPO: Codable, Sendable, Hashable {
      @Key("rollouts with an update each; 0: no PPO; auto: 40, 0 with base: analysis", .within(0...4000))
      public var iterations: Int?
      @Key("cycles of a rollout", .within(1...65_535))
      public var horizon = 32
      @Key("cycles after which a sequence starts again from a state of the reference filter", .atLeast(1))
      public var episode = 128
      @Key("sequences rolled out side by side", .within(1...65_535))
      public var sequences = 16
      @Key("passes over a rollout", .atLeast(1))
      public var epochs = 4
      @Key("minibatches of a pass", .atLeast(1))
      public var minibatches = 4
      @Key("discount of later rewards", .fraction)
      public var discount = 0.9
      @Key("lambda of the generalised advantage estimate", .fraction)
      public var gaeLambda = 0.95
      @Key("clip range of the probability ratio", .positive)
      public var clip = 0.2
      @Key("step size of the policy", .positive)
      public var learningRate = 3.0e-4
      @Key("step size of the value function", .positive)
      public var valueLearningRate = 1.0e-3
      @Key("weight of the entropy bonus", .nonNegative)
      public var entropy = 0.0
      @Key("largest norm of a gradient", .positive)
      public var maxGradientNorm = 0.5
      @Key("Kullback-Leibler divergence that ends an update early, at 1.5 times its value", .positive)
      public var targetKL = 0.02
      @Key("reward of an action")
      public var reward = PPOSettings.Reward.squaredError
      @Key("reward ensemble-crps: cells around an action whose rewards count for it, along each dimension", .odd)
      public var rewardWindow = 1
    }

    /// Lagrange multipliers of the energy constraint (3.4-3.9, 3.11-3.18).
    public struct Multipliers: Codable, Sendable, Hashable {
      @Key("primal-dual form of the energy constraint")
      public var form = MultiplierForm.direct
      @Key("mean distance from the middle of the band that is allowed, as a share of its half-width", .positive)
      public var tolerance = 1.0
      @Key("multiplier at the start of training", .nonNegative)
      public var initial = 1.0
      @Key("step size alpha of the projected ascent", .positive)
      public var rate = 0.05
      @Key("form pid: factor on the violation itself", .nonNegative)
      public var proportional = 0.0
      @Key("form pid: factor on the violation's rise", .nonNegative)
      public var derivative = 0.0
      @Key("whether multipliers act in the common training and the warm start too, by the functions' gradients")
      public var inWarmStart = false
      @Key("weight beta of the regularised form", .nonNegative)
      public var regularisation = 0.01
      @Key("smallest energy deviation in the reciprocal forms", .positive)
      public var floor = 1.0e-6
    }
  }

  /// What is written besides means, spreads and scores.
  public struct Output: Codable, Sendable, Hashable {
    @Key("write every member of the analyses")
    public var members = false
    @Key("write the covariance of the members' elements at every time of the analyses")
    public var covariance = false
    @Key(
      "run writes truths, observations and analyses of every so many cycles; scores are of all cycles",
      .within(1...1_000_000))
    public var every = 1
  }
}
