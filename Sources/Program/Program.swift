import DaunceArchive
import ArgumentParser
import DaunceEnsemble
import DaunceExperiment
import Foundation
import DaunceNumerics
import Logging
import DaunceMPI

/// The program `daunce-mpi`: its commands, its messages and its exit codes.
///
/// A program of one's own that registers a model or a method and then calls ``main()`` has all of them.
public enum Program {
  /// Runs the command line and ends the process.
  public static func main() -> Never {
    // This program starts itself for files that are not to be read in a rank.
    if let code = SandboxedReader.serve(Array(CommandLine.arguments.dropFirst())) { exit(code) }
    SandboxedReader.isolate()
    let (command, job) = parse()
    if command.isResumable { Signals.watch() }
    // A BLAS with threads of its own would sum in an order that depends on the cores that mpirun leaves to a rank.
    LinearAlgebra.useOneThread()
    do {
      try perform(job, of: command)
    } catch {
      conclude(afterStart: error)
    }
    exit(0)
  }

  /// Parsing and checking come before MPI is started: all ranks read the same words and come to the same end, so rank 0
  /// speaks for all of them and nobody waits for anybody.
  private static func parse() -> (any ProgramCommand, Job) {
    do {
      var parsed = try RootCommand.parseAsRoot()
      guard let command = parsed as? any ProgramCommand else {
        // Help and the like, which end by throwing what is to be printed.
        try parsed.run()
        throw ExitCode.success
      }
      return (command, try command.prepare())
    } catch {
      conclude(beforeStart: error)
    }
  }

  private static func perform(_ job: Job, of command: any ProgramCommand) throws {
    let environment = try Environment()
    job.logger.info(
      "started",
      metadata: [
        "ranks": "\(environment.world.size)", "host": "\(environment.hostname)", "mpi": "\(environment.libraryVersion)",
        "blas threads": "\(LinearAlgebra.threads)",
      ])
    // One job may start its ranks with different command lines.
    try environment.world.agree(on: command.digest, about: "the command")
    do {
      try job.perform(environment)
    } catch let interruption as Interruption {
      try conclude(interruption, in: environment)
    }
    job.logger.info("finished", metadata: ["peak_memory_kilobytes": "\(Launch.peakMemory)"])
    try environment.finalize()
  }
}
