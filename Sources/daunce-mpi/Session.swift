import Archive
import ArgumentParser
import Experiment
import Foundation
import Logging
import MPI

/// What a stage is given: everything that the command line decides.
struct Session {
  let configuration: Configuration
  let output: URL
  let progress: any ProgressReporter
  let logger: Logger
  /// The command as it was typed, for the files' `history`.
  let commandLine: String

  init(_ options: CommonOptions) throws(ConfigurationError) {
    configuration = try Configuration.load(path: options.config, overrides: options.overrides)
    output = URL(filePath: options.output)
    progress = ProgressLine(isShown: Launch.rank == 0 && !options.quiet, isBar: Launch.hasTerminal)
    var logger = Logger(label: "daunce-mpi", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = options.quiet ? max(options.logLevel, .error) : options.logLevel
    logger[metadataKey: "rank"] = "\(Launch.rank)"
    self.logger = logger
    commandLine = CommandLine.arguments.joined(separator: " ")
  }

  /// What files say of their origin.
  var provenance: Provenance {
    Provenance(
      title: "", version: Version.number, commit: Build.commit, history: commandLine, seed: configuration.seed,
      configuration: configuration.yaml)
  }

  /// The folder for everything that is written. Collective.
  func makeOutput(_ setup: Setup) throws -> OutputFolder {
    try OutputFolder(output, provenance: provenance, communicator: setup.communicator)
  }

  /// Prints a result, on rank 0 only.
  func say(_ text: String) {
    if Launch.rank == 0, !text.isEmpty { tell(text, on: .standardOutput) }
  }
}

/// A subcommand with the common options.
protocol StageCommand: ParsableCommand {
  var common: CommonOptions { get }

  /// What all ranks have to agree about beside the configuration. Places of files may differ from machine to machine.
  var identity: String { get }

  /// Does the work, on all ranks with the same session.
  func perform(_ session: Session, setup: Setup) throws
}

extension StageCommand {
  var identity: String { "\(Self.self)" }

  /// Digest of `identity`.
  var digest: UInt64 { Digest.xxh64(Array(identity.utf8)) }

  /// Everything that can fail alike on all ranks, before MPI is started.
  ///
  /// - Throws: `ConfigurationError`, or `ExitCode.success` when the configuration was only to be printed.
  func prepare() throws -> Session {
    let session = try Session(common)
    if common.printConfig {
      if Launch.rank == 0 { print(session.configuration.yaml, terminator: "") }
      throw ExitCode.success
    }
    return session
  }
}
