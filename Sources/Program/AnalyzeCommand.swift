public import ArgumentParser
import DaunceArchive
import DaunceEnsemble
public import DaunceExperiment
import DaunceMPI
import DaunceSettings
import Foundation
import Logging

struct Analyze: ProgramCommand {
  static let configuration = CommandConfiguration(
    abstract: "One analysis of the ensemble in a model's own files.",
    discussion: "Writes the analysed ensemble under the names of its files, increments.nc and observations.nc.")

  @Option(help: "How the ensemble is updated (default: the configuration's, letkf).")
  var method: AnalysisConfiguration.Method?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "One NetCDF file with a dimension of members, or one for each member, such as 'run/mem*/restart.nc'.",
      valueName: "file"))
  var ensemble: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Observations: points or fields in NetCDF, CF point data, IODA, DART obs_seq, CSV.", valueName: "file"))
  var observations: [String] = []

  @Option(help: ArgumentHelp("Folder for everything that is written.", valueName: "folder"))
  var output = "results"

  @Flag(help: "Read everything, print what would be done, and change nothing.")
  var check = false

  @Option(help: ArgumentHelp("YAML file with the settings that differ from the defaults.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any key of the configuration, such as filter.half_width=7.5; can be repeated.", valueName: "key=value"))
  var settings: [Setting] = []

  @Option(help: ArgumentHelp("Seed of perturbed observations and random rotations (default: 1).", valueName: "number"))
  var seed: UInt64?

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  @Option(help: "Least severity of what is logged.")
  var logLevel = Logger.Level.notice

  @Flag(help: "Print every key of the configuration with its value and meaning, and stop.")
  var printConfig = false

  var identity: String { "Analyze \(check)" }

  func validate() throws {
    if printConfig { return }
    for (option, files) in [("--ensemble", ensemble), ("--observations", observations)] where files.isEmpty {
      throw ValidationError("Missing expected argument '\(option) <file> ...'")
    }
  }

  func prepare() throws -> Job {
    let overrides =
      [
        method.map { ConfigurationOverride(option: "--method", key: "method", value: $0.rawValue) },
        seed.map { ConfigurationOverride.seed($0) },
      ].compactMap { $0 } + settings.map { ConfigurationOverride(option: "--set", key: $0.key, value: $0.value) }
    let configuration = try AnalysisConfiguration.load(path: config, overrides: overrides)
    if printConfig {
      // What was asked for, and the only thing on standard output.
      if Launch.rank == 0 { print(configuration.yaml, terminator: "") }
      throw ExitCode.success
    }
    let progress = ProgressLine(isShown: Launch.rank == 0 && !quiet, isBar: Launch.hasTerminal)
    return Job(logger: Session.logger(quiet: quiet, level: logLevel)) { environment in
      let stage = AnalyzeStage(
        configuration, inputs: .init(ensemble: ensemble, observations: observations),
        communicator: environment.world, progress: progress)
      let provenance = Provenance(
        title: "", version: Version.number, commit: Build.commit,
        history: CommandLine.arguments.joined(separator: " "), seed: configuration.seed,
        configuration: configuration.yaml)
      let text = try check ? stage.check() : stage.run(folder: URL(filePath: output), provenance: provenance)
      if Launch.rank == 0, check || !quiet { tell(text, on: .standardOutput) }
    }
  }
}

extension AnalysisConfiguration.Method: ExpressibleByArgument {}
