import DaunceArchive
import ArgumentParser
import DaunceEnsemble
import DaunceExperiment
import DaunceSettings
import Foundation
import Logging
import DaunceMPI
import DaunceModels

/// What a stage is given: everything that the command line decides.
struct Session {
  let configuration: Configuration
  let output: URL
  let progress: any ProgressReporter
  let logger: Logger
  /// The command as it was typed, for the files' `history`.
  private(set) var commandLine: String

  init(_ options: CommonOptions) throws(ConfigurationError) {
    configuration = try Configuration.load(path: options.config, overrides: options.overrides)
    output = URL(filePath: options.output)
    progress = ProgressLine(isShown: Launch.rank == 0 && !options.quiet, isBar: Launch.hasTerminal)
    logger = Self.logger(quiet: options.quiet, level: options.logLevel)
    commandLine = CommandLine.arguments.joined(separator: " ")
  }

  /// Writes to standard error, with the rank.
  static func logger(quiet: Bool, level: Logger.Level) -> Logger {
    var logger = Logger(label: "daunce-mpi", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = quiet ? max(level, .error) : level
    logger[metadataKey: "rank"] = "\(Launch.rank)"
    return logger
  }

  /// What files say of their origin.
  var provenance: Provenance {
    Provenance(
      title: "", version: Version.number, commit: Build.commit, history: commandLine, seed: configuration.seed,
      configuration: configuration.yaml)
  }

  /// The folder for everything that is written. Collective.
  func makeOutput(_ context: ExperimentContext) throws -> OutputFolder {
    try OutputFolder(output, provenance: provenance, communicator: context.communicator)
  }

  /// Gives the stages of `context` a place for checkpoints: a folder of the output folder, or beside an output file.
  /// Collective.
  ///
  /// - Returns: this session, with the command line that the job was begun with.
  func withCheckpoints(_ options: CheckpointOptions, identity: String, context: ExperimentContext) throws -> Session {
    let folder =
      output.pathExtension == "nc"
      ? URL(filePath: output.path + ".checkpoints") : output.appending(path: "checkpoints")
    if options.rerunFailed {
      guard let model = context.model as? any SideBySideModel else {
        throw ExperimentError(
          .data, "--rerun-failed: found the model \(context.model.name), which runs no programs; expected model.name: external, or --resume")
      }
      model.reusesFinished = true
    }
    context.checkpoints = try Checkpoints(
      folder: folder, schedule: options.checkpointEvery, identity: identity, resumes: options.resume || options.rerunFailed,
      context: context,
      provenance: provenance, isInterrupted: { Signals.isAskedToStop })
    var session = self
    session.commandLine = context.checkpoints.command ?? commandLine
    return session
  }

  /// Prints a result, on rank 0 only.
  func say(_ text: String) {
    if Launch.rank == 0, !text.isEmpty { tell(text, on: .standardOutput) }
  }
}

/// A subcommand that does something.
protocol ProgramCommand: ParsableCommand {
  /// What all ranks have to agree about beside the configuration. Places of files may differ from machine to machine.
  var identity: String { get }

  /// Whether the command saves checkpoints and so can be asked to stop.
  var isResumable: Bool { get }

  /// Everything that can fail alike on all ranks, before MPI is started.
  ///
  /// - Throws: `ConfigurationError`, or `ExitCode.success` when the configuration was only to be printed.
  func prepare() throws -> Job
}

/// What is left to do once MPI is started.
struct Job {
  let logger: Logger
  /// Does the work, on all ranks.
  let perform: (Environment) throws -> Void
}

extension ProgramCommand {
  var identity: String { "\(Self.self)" }
  var isResumable: Bool { false }

  /// Digest of `identity`.
  var digest: UInt64 { Digest.xxh64(Array(identity.utf8)) }
}

/// A subcommand of experiments, with the common options.
protocol StageCommand: ProgramCommand {
  var common: CommonOptions { get }

  /// Does the work, on all ranks with the same session.
  func perform(_ session: Session, context: ExperimentContext) throws
}

extension StageCommand {
  func prepare() throws -> Job {
    let session = try Session(common)
    if common.printConfig {
      // What was asked for, and the only thing on standard output.
      if Launch.rank == 0 { print(session.configuration.yaml, terminator: "") }
      throw ExitCode.success
    }
    return Job(logger: session.logger) { environment in
      let context = try ExperimentContext(
        configuration: session.configuration, communicator: environment.world, progress: session.progress)
      session.announce(try JobLayout(environment, members: context.distribution.members))
      try perform(session, context: context)
    }
  }
}
