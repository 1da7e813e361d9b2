import DaunceArchive
import ArgumentParser
import DaunceAssimilation
import DaunceCoupling
import DaunceEnsemble
import DaunceExperiment
import DaunceSettings
import Foundation
import DaunceMPI
import DaunceModels

/// Exit codes of the program, numbered as in sysexits.h.
enum ExitStatus: Int32 {
  /// The command line is wrong.
  case usage = 64
  /// A file's contents are wrong.
  case badData = 65
  /// The program is wrong.
  case bug = 70
  /// A file cannot be read or written.
  case io = 74
  /// The job was asked to stop and can be gone on with.
  case interrupted = 75

  /// The one place that says which error ends in which code.
  init(of error: any Error) {
    switch error {
    case let error as ConfigurationError:
      self = error.problems.map(ExitStatus.init(of:)).max { $0.rawValue < $1.rawValue } ?? .badData
    case let error as ArchiveError:
      self = error.kind == .inputOutput ? .io : .badData
    case let error as ExperimentError:
      switch error.kind {
      case .data: self = .badData
      case .inputOutput: self = .io
      case .bug: self = .bug
      }
    case is DistributionError:
      self = .usage
    case let error as MPIError:
      switch error {
      case .rankFailed(let failure): self = failure.underlying.map(ExitStatus.init(of:)) ?? .bug
      case .disagreement, .unsupported: self = .usage
      case .call: self = .bug
      }
    case is Interruption:
      self = .interrupted
    case is SnapshotError:
      self = .badData
    case is ModelError, is AssimilationError, is CouplingError:
      self = .badData
    case let error as ForecastFailure:
      self = ExitStatus(of: error.cause)
    case is CocoaError, is POSIXError:
      self = .io
    default:
      self = .bug
    }
  }

  private init(of problem: ConfigurationError.Problem) {
    switch (problem.kind, problem.source) {
    case (.unreadable, _): self = .io
    case (_, .option): self = .usage
    default: self = .badData
    }
  }
}

/// Ends this process for an error that every rank has alike, MPI not being started: rank 0 tells it. Help and version
/// are such "errors" of the parser too.
func conclude(beforeStart error: any Error) -> Never {
  let parserCode = RootCommand.exitCode(for: error)
  let isParsers = parserCode != .failure
  if Launch.rank == 0 {
    let message = isParsers ? RootCommand.fullMessage(for: error) : "daunce-mpi: \(error)"
    if !message.isEmpty { tell(message, on: parserCode == .success ? .standardOutput : .standardError) }
    let code = isParsers ? parserCode.rawValue : ExitStatus(of: error).rawValue
    if code != 0 { Environment.abort(code: code) }
  } else if parserCode != .success {
    // The launcher ends all ranks as soon as one of them fails: let rank 0 be that one, after it has spoken.
    Thread.sleep(forTimeInterval: 5)
  }
  exit(isParsers ? parserCode.rawValue : ExitStatus(of: error).rawValue)
}

/// Ends all ranks for an error of this one.
func conclude(afterStart error: any Error) -> Never {
  Signals.obeyTermination()
  if case .rankFailed(let failure)? = error as? MPIError, failure.underlying == nil {
    // Another rank has the error itself and knows the exit code; this is only for the case that it cannot tell.
    Thread.sleep(forTimeInterval: 5)
  }
  Environment.abort(code: ExitStatus(of: error).rawValue) {
    tell("daunce-mpi: \(message(for: error))", on: .standardError)
  }
}

/// Ends all ranks for a job that can be gone on with: all of them come here together, and rank 0 tells it.
func conclude(_ interruption: Interruption, in environment: Environment) throws -> Never {
  // A rank whose last files are not closed yet must not be ended by the others.
  try environment.world.barrier()
  Signals.obeyTermination()
  Environment.abort(code: ExitStatus.interrupted.rawValue) {
    if environment.world.rank == 0 { tell("daunce-mpi: \(interruption)", on: .standardError) }
  }
}

/// What the user is told. Rank 0 speaks for all, so only another rank is named.
private func message(for error: any Error) -> String {
  if case .rankFailed(let failure)? = error as? MPIError, failure.rank == 0 { return failure.message }
  return "\(error)"
}

/// Writes a message and a line end; a closed stream is no reason to fail.
func tell(_ message: String, on stream: FileHandle) {
  try? stream.write(contentsOf: Data((message + "\n").utf8))
}
