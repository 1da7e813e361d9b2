import DaunceArchive
import DaunceAssimilation
import DaunceCoupling
import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceSettings
import Foundation

/// What an error is about, numbered as in sysexits.h: exit codes of the program, and codes that the library returns.
public enum FailureKind: Int32, Sendable {
  /// The command line, or a call, is wrong.
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
  public init(of error: any Error) {
    switch error {
    case let error as ConfigurationError:
      self = error.problems.map(FailureKind.init(of:)).max { $0.rawValue < $1.rawValue } ?? .badData
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
      case .rankFailed(let failure): self = failure.underlying.map(FailureKind.init(of:)) ?? .bug
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
      self = FailureKind(of: error.cause)
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
