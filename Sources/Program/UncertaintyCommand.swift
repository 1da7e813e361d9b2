import ArgumentParser
import DaunceArchive
import DaunceExperiment
import DaunceMPI
import DaunceSettings
import Foundation
import Logging

struct Uncertainty: ProgramCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predictive laws of a table's new rows, and where their uncertainty comes from.",
    discussion: """
      Networks are trained on one table and tried on another; a column NAME_error is the standard deviation of NAME's \
      error. Writes prediction.nc, and scores.json where the new table has the outputs too.
      """)

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
    help: ArgumentHelp("Usual methods to try beside: minimum, bagging, deep-ensemble, mc-dropout.", valueName: "method"))
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

  var identity: String { "Uncertainty" }

  func validate() throws {
    if printConfig { return }
    for (option, file) in [("--training", training), ("--testing", testing), ("--new", new)] where file == nil {
      throw ValidationError("Missing expected argument '\(option) <file>'")
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
      let stage = UncertaintyStage(configuration, inputs: files, communicator: world, progress: progress)
      var begun = provenance
      begun.history = own.command ?? provenance.history
      let text = try stage.run(folder: folder, provenance: begun, checkpoints: own)
      if Launch.rank == 0, !quiet { tell(text, on: .standardOutput) }
    }
  }
}
