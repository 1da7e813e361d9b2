import ArgumentParser
import DaunceArchive
import DaunceExperiment
import DaunceMPI
import DaunceSettings
import Foundation
import Logging

struct Uncertainty: ProgramCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predictive laws of a table's new rows or of agents' fields, and where their uncertainty comes from.",
    discussion: """
      Networks are trained on one table and tried on another; a column NAME_error is the standard deviation of NAME's \
      error. Writes prediction.nc, and scores.json where the new table has the outputs too.

      With --agents it is trained agents' fields, over time and place: of truths of their experiment that they have not \
      seen, or of an initial ensemble and observations in files.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Trained agents, of one or several trainings, in place of tables.", valueName: "folder"))
  var agents: [String] = []

  @Option(help: ArgumentHelp("With --agents: the initial ensemble.", valueName: "file"))
  var initial: String?

  @Option(help: ArgumentHelp("With --agents: what is observed.", valueName: "file"))
  var observations: String?

  @Option(help: ArgumentHelp("Rows that networks are trained on (CSV or NetCDF).", valueName: "file"))
  var training: String?

  @Option(help: ArgumentHelp("Rows that show how far networks miss (CSV or NetCDF).", valueName: "file"))
  var testing: String?

  @Option(help: ArgumentHelp("Rows that are predicted (CSV or NetCDF).", valueName: "file"))
  var new: String?

  @Option(parsing: .upToNextOption, help: ArgumentHelp("Columns that are predicted.", valueName: "column"))
  var outputs: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Columns that they are predicted from (default: all others but errors).", valueName: "column"))
  var inputs: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Other methods to try beside: minimum, bagging, deep-ensemble, mc-dropout, importance, tempered, transport, stein.", valueName: "method"))
  var compare: [String] = []

  @Option(help: ArgumentHelp("Folder for everything that is written.", valueName: "folder"))
  var output = "results"

  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions

  @Option(help: ArgumentHelp("YAML file with the settings that differ from the defaults.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any key of the configuration, such as networks.each=20; can be repeated.", valueName: "key=value"))
  var settings: [Setting] = []

  @Option(help: ArgumentHelp("Seed of every random stream (default: 1).", valueName: "number"))
  var seed: UInt64?

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  @Option(help: "Least severity of what is logged.")
  var logLevel = Logger.Level.notice

  @Flag(help: "Print every key of the configuration with its value and meaning, and stop.")
  var printConfig = false

  var isResumable: Bool { true }

  var identity: String { agents.isEmpty ? "Uncertainty" : "Uncertainty of agents" }

  func validate() throws {
    if printConfig { return }
    guard agents.isEmpty else { return try validateAgents() }
    if initial != nil || observations != nil {
      throw ValidationError("--initial and --observations belong to --agents.")
    }
    for (option, file) in [("--training", training), ("--testing", testing), ("--new", new)] where file == nil {
      throw ValidationError("Missing expected argument '\(option) <file>'")
    }
  }

  private func validateAgents() throws {
    let ofTables: [(String, Bool)] = [
      ("--training", training != nil), ("--testing", testing != nil), ("--new", new != nil), ("--outputs", !outputs.isEmpty),
      ("--inputs", !inputs.isEmpty), ("--compare", !compare.isEmpty),
    ]
    if let option = ofTables.first(where: \.1) {
      throw ValidationError("--agents and \(option.0): found both, expected agents or tables.")
    }
    guard (initial == nil) == (observations == nil) else {
      throw ValidationError("--initial and --observations: found one, expected both or none.")
    }
  }

  func prepare() throws -> Job {
    func list(_ names: [String]) -> String {
      let separated = names.flatMap { $0.split(separator: ",").map(String.init) }
      return "[\(separated.map { "'\($0.replacing("'", with: "''"))'" }.joined(separator: ", "))]"
    }
    let overrides =
      [
        outputs.isEmpty ? nil : ConfigurationOverride(option: "--outputs", key: "outputs", value: list(outputs)),
        inputs.isEmpty ? nil : ConfigurationOverride(option: "--inputs", key: "inputs", value: list(inputs)),
        compare.isEmpty
          ? nil : ConfigurationOverride(option: "--compare", key: "comparison.methods", value: list(compare)),
        seed.map { ConfigurationOverride.seed($0) },
      ].compactMap { $0 } + settings.map { ConfigurationOverride(option: "--set", key: $0.key, value: $0.value) }
    let configuration = try UncertaintyConfiguration.load(path: config, overrides: overrides)
    if printConfig {
      // What was asked for, and the only thing on standard output.
      if Launch.rank == 0 { print(configuration.yaml, terminator: "") }
      throw ExitCode.success
    }
    let progress = ProgressLine(isShown: Launch.rank == 0 && !quiet, isBar: Launch.hasTerminal)
    let files = UncertaintyStage.Inputs(training: training ?? "", testing: testing ?? "", new: new ?? "")
    return Job(logger: Session.logger(quiet: quiet, level: logLevel)) { environment in
      let world = environment.world
      let folder = URL(filePath: output)
      let provenance = Provenance(
        title: "", version: Version.number, commit: Build.commit,
        history: CommandLine.arguments.joined(separator: " "), seed: configuration.seed,
        configuration: configuration.yaml)
      let own = try Checkpoints(
        folder: folder.appending(path: "checkpoints"), schedule: checkpoints.checkpointEvery, identity: identity,
        resumes: checkpoints.resume, configuration: configuration.canonicalText, communicator: world, progress: progress,
        provenance: provenance, isInterrupted: { Signals.isAskedToStop })
      var begun = provenance
      begun.history = own.command ?? provenance.history
      let text: String
      if agents.isEmpty {
        let stage = UncertaintyStage(configuration, inputs: files, communicator: world, progress: progress)
        text = try stage.run(folder: folder, provenance: begun, checkpoints: own)
      } else {
        let series = zip([initial].compactMap { $0 }, [observations].compactMap { $0 }).map {
          AgentUncertaintyStage.Series(initial: URL(filePath: $0), observations: URL(filePath: $1))
        }.first
        let stage = AgentUncertaintyStage(
          configuration, agents: agents.map { URL(filePath: $0) }, series: series, communicator: world, progress: progress)
        text = try stage.run(folder: folder, provenance: begun, checkpoints: own)
      }
      if Launch.rank == 0, !quiet { tell(text, on: .standardOutput) }
    }
  }
}
