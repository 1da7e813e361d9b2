// The program that tests run to see what a cycle allocates and sends: `daunce-mpi benchmark` with a counter of heap
// allocations, on a small experiment.
//
//     CycleProbe FOLDER KEY=VALUE... METHOD...

import AllocationCounter
import DaunceArchive
import DaunceBenchmark
import DaunceExperiment
import DaunceSettings
import Foundation
import DaunceNumerics
import DaunceMPI

func run(_ environment: DaunceMPI.Environment) throws {
  let arguments = CommandLine.arguments.dropFirst()
  let overrides = arguments.dropFirst().filter { $0.contains("=") }.map { argument in
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    return ConfigurationOverride(option: "CycleProbe", key: parts[0], value: parts[1])
  }
  let methods = arguments.dropFirst().filter { !$0.contains("=") }.compactMap(Configuration.Method.init(rawValue:))
  let configuration = try Configuration.load(path: nil, overrides: overrides)
  let context = try ExperimentContext(configuration: configuration, communicator: environment.world)
  let provenance = Provenance(
    title: "", version: "0", commit: "", history: "CycleProbe", seed: configuration.seed, configuration: "")
  let output = try OutputFolder(
    URL(filePath: arguments.first ?? "."), provenance: provenance, communicator: environment.world)
  let inputs = BenchmarkStage.Inputs(
    methods: methods, agents: nil, slowCycles: 2, repeats: 2, allocations: { daunce_allocations() })
  let report = try BenchmarkStage(context, inputs: inputs).run(output: output)
  if environment.world.isRoot { print(try report.json()) }
}

LinearAlgebra.useOneThread()
do {
  let environment = try DaunceMPI.Environment()
  try run(environment)
  try environment.finalize()
} catch {
  DaunceMPI.Environment.abort(code: 65) { FileHandle.standardError.write(Data("CycleProbe: \(error)\n".utf8)) }
}
