// The program that tests run under mpirun. It prints what the collectives gave, and the tests compare. By hand,
// `MPIProbe benchmark` tells what reductions cost.

import DaunceEnsemble
import Foundation
import DaunceMPI

/// Prints one line on rank 0.
func report(_ key: String, _ value: some Any, _ world: Communicator) {
  if world.isRoot { print(key, value, separator: ": ") }
}

func reportProblem(_ error: any Error) {
  FileHandle.standardError.write(Data("MPIProbe: \(error)\n".utf8))
}

do {
  let environment = try Environment()
  let world = environment.world
  switch CommandLine.arguments.dropFirst().first ?? "collectives" {
  case "environment": reportEnvironment(environment)
  case "layout":
    reportEnvironment(environment)
    let layout = try JobLayout(environment, members: 7)
    report("layout", layout, world)
    report("differs", try world.anyRank("\(layout)" != (try world.broadcast("\(layout)"))), world)
  case "collectives": try exerciseCollectives(world)
  case "agreement": try exerciseAgreement(world)
  case "ensemble": try exerciseEnsemble(world)
  case "benchmark": try benchmark(world)
  case "hang": while true { try world.barrier() }
  case "fail-alone": try fail(world, on: [world.size - 1])
  case "fail-alike": try fail(world, on: Array(0..<world.size))
  case let other: throw ProbeError(text: "unknown exercise \(other)")
  }
  try environment.finalize()
} catch {
  Environment.abort(code: 65) { reportProblem(error) }
}

struct ProbeError: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}
