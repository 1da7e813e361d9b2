import ArgumentParser
import DaunceExperiment
import Foundation
import DaunceMPI

/// Exit codes of the program: what an error is about, as every part of it tells.
typealias ExitStatus = FailureKind

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
