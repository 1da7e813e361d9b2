import ArgumentParser
import DaunceBenchmark
import DaunceExperiment
import Foundation

/// The program; `run` if no subcommand is named.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "daunce-mpi",
    abstract: "Ensembles of reinforcement-learning agents for data assimilation, one agent and member to an MPI rank.",
    discussion: "Start it with mpirun -np 10 daunce-mpi, or with launch/run.",
    version: Version.description,
    subcommands: [Run.self, Simulate.self, Train.self, Assimilate.self, Analyze.self, Score.self, Uncertainty.self, Weigh.self, Benchmark.self, Inspect.self,
      CheckModel.self, NewModel.self,
    ],
    defaultSubcommand: Run.self)
}

struct Run: StageCommand {
  static let configuration = CommandConfiguration(
    abstract: "The whole experiment: nature, reference filter, training, assimilation of unseen truths, scores.")

  @Option(
    help: ArgumentHelp(
      "Trained agents for the method rl, in place of a training; the other methods of agents need one.", valueName: "folder"))
  var agents: String?

  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  var isResumable: Bool { true }

  var identity: String { agents == nil ? "Run" : "Run with agents" }

  func perform(_ session: Session, context: ExperimentContext) throws {
    if agents != nil {
      let others = context.configuration.methods.filter { $0.isAgents && $0 != .rl }
      guard others.isEmpty, context.configuration.methods.contains(.rl) else {
        throw ExperimentError(
          .data,
          "key methods: found \(context.configuration.methods.map(\.rawValue).joined(separator: ", ")); expected rl, and no "
            + "other method of agents, with --agents")
      }
    }
    let session = try session.withCheckpoints(checkpoints, identity: identity, context: context)
    // Before anything is written.
    let known = try agents.map { try context.agentsToAct(from: URL(filePath: $0)) }
    let output = try session.makeOutput(context)
    let table = try RunStage(context, output: output, agents: known).run()
    session.say(table.text)
  }
}

struct Simulate: StageCommand {
  static let configuration = CommandConfiguration(abstract: "A nature run and its observations, as files.")

  @OptionGroup(title: "Common options") var common: CommonOptions

  func perform(_ session: Session, context: ExperimentContext) throws {
    try SimulateStage(context, output: session.makeOutput(context)).run()
    session.say("nature.nc, observations.nc and initial.nc in \(common.output)")
  }
}

struct Train: StageCommand {
  static let configuration = CommandConfiguration(abstract: "Agents from a reference run, in the folder agents.")

  @Option(
    help: ArgumentHelp(
      "Agents to begin with, in place of new ones: of another background, resolution, network or number of members, too.",
      valueName: "folder"))
  var from: String?

  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  var isResumable: Bool { true }

  var identity: String { from == nil ? "Train" : "Train from" }

  func perform(_ session: Session, context: ExperimentContext) throws {
    let session = try session.withCheckpoints(checkpoints, identity: identity, context: context)
    // Before anything is written.
    let start = try from.map { try context.agentsToLearn(from: URL(filePath: $0)) }
    session.say(try TrainStage(context, output: session.makeOutput(context), from: start).run())
  }
}

struct Assimilate: StageCommand {
  static let configuration = CommandConfiguration(
    abstract: "An ensemble through a file of observations, by a filter or by trained agents.")

  @Option(help: "How the ensemble is updated.")
  var method = Configuration.Method.rl

  @Option(help: ArgumentHelp("Trained agents, for the methods rl and rl-unconstrained.", valueName: "folder"))
  var agents: String?

  @Option(help: ArgumentHelp("Initial ensemble (NetCDF).", valueName: "file"))
  var initial: String

  @Option(help: ArgumentHelp("Observations in any format that analyze reads.", valueName: "file"))
  var observations: String

  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions
  @OptionGroup(title: "Common options") var common: CommonOptions

  var isResumable: Bool { true }

  var identity: String { "Assimilate \(method.rawValue)" }

  func validate() throws {
    if method.isLarge {
      throw ValidationError(
        "--method \(method.rawValue) exists in run only; use constrained-eakf and a larger ensemble.")
    }
    let needsAgents = method.isAgents
    if needsAgents && agents == nil {
      throw ValidationError("--method \(method.rawValue) needs --agents <folder>.")
    }
    if !needsAgents && agents != nil {
      throw ValidationError("--agents has no meaning for --method \(method.rawValue).")
    }
  }

  func perform(_ session: Session, context: ExperimentContext) throws {
    let session = try session.withCheckpoints(checkpoints, identity: identity, context: context)
    let inputs = AssimilateStage.Inputs(
      method: method, agents: agents.map { URL(filePath: $0) }, initial: URL(filePath: initial),
      observations: URL(filePath: observations))
    session.say(
      try AssimilateStage(context, inputs: inputs).run(destination: session.output, provenance: session.provenance))
  }
}

struct Score: StageCommand {
  static let configuration = CommandConfiguration(abstract: "Analyses against the truth.")

  @Option(help: ArgumentHelp("Nature run (NetCDF).", valueName: "file"))
  var truth: String

  @Argument(help: ArgumentHelp("Analyses (NetCDF).", valueName: "file"))
  var analyses: [String]

  @OptionGroup(title: "Common options") var common: CommonOptions

  func perform(_ session: Session, context: ExperimentContext) throws {
    let stage = ScoreStage(
      context, truth: URL(filePath: truth), analyses: analyses.map { URL(filePath: $0) })
    session.say(try stage.run())
  }
}

struct Benchmark: StageCommand {
  static let configuration = CommandConfiguration(
    abstract: "Seconds of a cycle of every method, side by side in one run, and where the time goes.",
    discussion: "Everything is the configuration's; the first truths.spinup_cycles cycles are not timed.")

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Methods to time, the constrained EnKF with the solver slsqp.", valueName: "method"))
  var methods: [Configuration.Method] = [.rl, .eakf, .constrainedEAKF, .constrainedEnKF]

  @Option(
    help: ArgumentHelp(
      "Trained agents for the methods rl and rl-unconstrained (default: agents of a short training).",
      valueName: "folder"))
  var agents: String?

  @Option(help: ArgumentHelp("Timed cycles of methods with the solver slsqp.", valueName: "count"))
  var slowCycles = 3

  @Option(help: ArgumentHelp("Runs of whole cycles; the fastest counts.", valueName: "count"))
  var repeats = 3

  @Flag(help: "Also time the collectives of a cycle by the length of their messages.")
  var collectives = false

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Also time the EAKF's analysis of ensembles of these sizes, with members gathered and with moments reduced.",
      valueName: "members"))
  var reductions: [Int] = []

  @Flag(help: "Also compare the kernels with the limits of the machine.")
  var kernels = false

  @Flag(help: "Print the contents of benchmark.json in place of the table.")
  var json = false

  @OptionGroup(title: "Common options") var common: CommonOptions

  var identity: String {
    "Benchmark \(methods.map(\.rawValue)) \(slowCycles) \(agents != nil) \(repeats) \(collectives) \(reductions) \(kernels)"
  }

  func validate() throws {
    for (k, method) in methods.enumerated() where methods[..<k].contains(method) {
      throw ValidationError("--methods names \(method.rawValue) twice.")
    }
    if agents != nil, !methods.contains(where: \.isAgents) {
      throw ValidationError("--agents has no meaning without the method rl or rl-unconstrained.")
    }
    if slowCycles < 1 { throw ValidationError("--slow-cycles: found \(slowCycles), expected at least 1.") }
    if repeats < 1 { throw ValidationError("--repeats: found \(repeats), expected at least 1.") }
    if let size = reductions.first(where: { $0 < 2 || $0 > 16_384 }) {
      throw ValidationError("--reductions: found \(size), expected numbers of members from 2 to 16384.")
    }
  }

  func perform(_ session: Session, context: ExperimentContext) throws {
    let inputs = BenchmarkStage.Inputs(
      methods: methods, agents: agents.map { URL(filePath: $0) }, slowCycles: slowCycles, repeats: repeats,
      collectives: collectives, reductions: reductions, kernels: kernels)
    let report = try BenchmarkStage(context, inputs: inputs).run(output: session.makeOutput(context))
    session.say(json ? try report.json() : report.table)
  }
}
