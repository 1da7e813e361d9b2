import ArgumentParser
import DaunceArchive
import DaunceExperiment
import DaunceMPI
import DaunceSettings
import Foundation
import Logging

struct Weigh: ProgramCommand {
  static let configuration = CommandConfiguration(
    abstract: "Importance weights of trained agents, by truths that they have not seen.",
    discussion: """
      Writes weights.nc: proper weights, which often leave one agent alone, and tempered ones, which leave a stated share. \
      Key agents.weights takes them into account.
      """)

  @Option(help: ArgumentHelp("Trained agents.", valueName: "folder"))
  var agents: String

  @Option(help: ArgumentHelp("Held-back truths that agents are weighed on.", valueName: "count"))
  var truths = 4

  @Option(help: ArgumentHelp("Cycles of each.", valueName: "count"))
  var cycles = 100

  @Option(help: ArgumentHelp("Share of the agents that tempered weights leave, as their effective number.", valueName: "share"))
  var share = 0.5

  @Option(help: ArgumentHelp("Folder for weights.nc (default: the agents').", valueName: "folder"))
  var output: String?

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  var identity: String { "Weigh \(truths) \(cycles) \(share)" }

  func validate() throws {
    if !(1...1000).contains(truths) { throw ValidationError("--truths: found \(truths), expected 1 to 1000.") }
    if !(2...100_000).contains(cycles) { throw ValidationError("--cycles: found \(cycles), expected 2 to 100000.") }
    if !(share > 0 && share <= 1) { throw ValidationError("--share: found \(share), expected a number above 0, 1 at most.") }
  }

  func prepare() throws -> Job {
    let progress = ProgressLine(isShown: Launch.rank == 0 && !quiet, isBar: Launch.hasTerminal)
    let folder = URL(filePath: agents)
    return Job(logger: Session.logger(quiet: quiet, level: .notice)) { environment in
      let world = environment.world
      let configuration = try world.collectively { try InspectStage.configuration(ofAgentsIn: folder) }
      let context = try ExperimentContext(configuration: configuration, communicator: world, progress: progress)
      let provenance = Provenance(
        title: "", version: Version.number, commit: Build.commit,
        history: CommandLine.arguments.joined(separator: " "), seed: configuration.seed,
        configuration: configuration.yaml)
      let target = try OutputFolder(
        URL(filePath: output ?? agents), provenance: provenance, communicator: world)
      let text = try WeighStage(context, folder: folder).run(
        truths: truths, cycles: cycles, share: share, to: target.url.appending(path: "weights.nc").path,
        provenance: provenance)
      if Launch.rank == 0 { print(text) }
    }
  }
}
