public import ArgumentParser
public import DaunceExperiment
import DaunceSettings
import Foundation
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

/// What the subcommands understand that save checkpoints.
struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How often a checkpoint is written: a number of cycles or training steps (500), or wall time (30s, 10min, 2h); 0 for "
        + "none but on SIGUSR1 and SIGTERM.", valueName: "interval"))
  var checkpointEvery = CheckpointSchedule.seconds(300)

  @Flag(help: "Go on from the newest whole checkpoint in the output folder.")
  var resume = false

  @Flag(
    help: "Go on after a member's program has failed, and run no others again: forecasts that were finished then are taken.")
  var rerunFailed = false
}

extension CheckpointSchedule: ExpressibleByArgument {
  /// Cycles, or wall time with its unit; `nil` for anything else.
  public init?(argument: String) {
    let units: [(suffix: String, seconds: Double)] = [("min", 60), ("s", 1), ("h", 3600)]
    if let cycles = Int(argument) {
      guard cycles >= 0 else { return nil }
      self = cycles == 0 ? .onInterruption : .cycles(cycles)
    } else if let unit = units.first(where: { argument.hasSuffix($0.suffix) }),
      let number = Double(argument.dropLast(unit.suffix.count)), number.isFinite, number > 0
    {
      self = .seconds(number * unit.seconds)
    } else {
      return nil
    }
  }

  /// As it would be typed.
  public var defaultValueDescription: String {
    switch self {
    case .cycles(let count): "\(count)"
    case .seconds(let seconds): seconds < 60 ? "\(seconds)s" : String(format: "%gmin", seconds / 60)
    case .onInterruption: "0"
    }
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
