public import ArgumentParser
public import Experiment
public import Logging

/// What every subcommand understands.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("YAML file with the settings that differ from the defaults.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp("Ensemble members, one agent each (default: \(Configuration().members)).", valueName: "count"))
  var members: Int?

  @Option(
    help: ArgumentHelp(
      "Assimilation cycles of each test truth (default: \(Configuration().truths.cycles)).", valueName: "count"))
  var cycles: Int?

  @Option(help: ArgumentHelp("Seed of every random stream (default: \(Configuration().seed)).", valueName: "number"))
  var seed: UInt64?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Any key of the configuration, such as agents.ppo.clip=0.1; can be repeated.", valueName: "key=value"))
  var settings: [Setting] = []

  @Option(help: ArgumentHelp("Folder for everything that is written.", valueName: "folder"))
  var output = "results"

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  @Option(help: "Least severity of what is logged.")
  var logLevel = Logger.Level.notice

  @Flag(help: "Print every key of the configuration with its value and meaning, and stop.")
  var printConfig = false

  /// The command line's settings, the general ones last.
  var overrides: [ConfigurationOverride] {
    [members.map { .members($0) }, cycles.map { .cycles($0) }, seed.map { .seed($0) }].compactMap { $0 }
      + settings.map { ConfigurationOverride(option: "--set", key: $0.key, value: $0.value) }
  }
}

/// One `key=value` of `--set`.
struct Setting: ExpressibleByArgument {
  let key: String
  let value: String

  init?(argument: String) {
    guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else { return nil }
    key = String(argument[..<sign])
    value = String(argument[argument.index(after: sign)...])
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension Configuration.Method: ExpressibleByArgument {}
