import DaunceArchive
import ArgumentParser
import DaunceEnsemble
import DaunceExperiment
import Foundation
import DaunceNumerics
import Logging
import DaunceMPI

// This program starts itself for files that are not to be read in a rank.
if let code = ForeignFile.serve(Array(CommandLine.arguments.dropFirst())) { exit(code) }
ForeignFile.isolate()

// Parsing and checking come before MPI is started: all ranks read the same words and come to the same end, so rank 0
// speaks for all of them and nobody waits for anybody.
let command: any StageCommand
let session: Session
do {
  var parsed = try RootCommand.parseAsRoot()
  guard let stage = parsed as? any StageCommand else {
    // Help and the like, which end by throwing what is to be printed.
    try parsed.run()
    throw ExitCode.success
  }
  command = stage
  session = try stage.prepare()
} catch {
  conclude(beforeStart: error)
}

if command.isResumable { Signals.watch() }

// A BLAS with threads of its own would sum in an order that depends on the cores that mpirun leaves to a rank.
LinearAlgebra.useOneThread()

do {
  let environment = try Environment()
  session.logger.info(
    "started",
    metadata: [
      "ranks": "\(environment.world.size)", "host": "\(environment.hostname)", "mpi": "\(environment.libraryVersion)",
      "blas threads": "\(LinearAlgebra.threads)",
    ])
  let setup = try Setup(
    configuration: session.configuration, communicator: environment.world, progress: session.progress)
  // One job may start its ranks with different command lines.
  try setup.communicator.agree(on: command.digest, about: "the command")
  session.announce(try JobLayout(environment, members: setup.distribution.members))
  do {
    try command.perform(session, setup: setup)
  } catch let interruption as Interruption {
    // All ranks come here together, so they can end in order.
    try environment.finalize()
    conclude(interruption)
  }
  session.logger.info("finished", metadata: ["peak_memory_kilobytes": "\(Launch.peakMemory)"])
  try environment.finalize()
} catch {
  conclude(afterStart: error)
}
