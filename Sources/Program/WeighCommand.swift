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

  @Option(
    help: ArgumentHelp("Folder for agents with equal weights that the tempered ones are transported to.", valueName: "folder"))
  var transport: String?

  @Option(
    help: ArgumentHelp("Folder for agents with equal weights that flow to what truths say (Stein variational training).", valueName: "folder"))
  var flow: String?

  @Option(help: ArgumentHelp("Steps of the flow.", valueName: "count"))
  var steps = 200

  @Option(
    help: ArgumentHelp("Gain of the prior's output layer (default: 0.01, as policies are initialised).", valueName: "gain"))
  var priorGain: Double?

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  var identity: String {
    "Weigh \(truths) \(cycles) \(share) \(transport ?? "") \(flow ?? "") \(steps) \(priorGain ?? 0)"
  }

  func validate() throws {
    if !(1...1000).contains(truths) { throw ValidationError("--truths: found \(truths), expected 1 to 1000.") }
    if !(2...100_000).contains(cycles) { throw ValidationError("--cycles: found \(cycles), expected 2 to 100000.") }
    if !(1...100_000).contains(steps) { throw ValidationError("--steps: found \(steps), expected 1 to 100000.") }
    if let priorGain, !(priorGain > 0 && priorGain.isFinite) {
      throw ValidationError("--prior-gain: found \(priorGain), expected a number above 0.")
    }
    let folders = [("--agents", agents), ("--transport", transport), ("--flow", flow)].compactMap { option, path in
      path.map { (option: option, path: URL(filePath: $0).standardizedFileURL.path) }
    }
    for (k, one) in folders.enumerated() {
      if let other = folders[..<k].first(where: { $0.path == one.path }) {
        throw ValidationError("\(other.option) and \(one.option): found the same folder, expected agents that are not overwritten.")
      }
    }
    if !(share > 0 && share <= 1) { throw ValidationError("--share: found \(share), expected a number above 0, 1 at most.") }
  }

  func prepare() throws -> Job {
    let progress = ProgressLine(isShown: Launch.rank == 0 && !quiet, isBar: Launch.hasTerminal)
    let agents = URL(filePath: agents)
    return Job(logger: Session.logger(quiet: quiet, level: .notice)) { environment in
      let world = environment.world
      let configuration = try world.collectively { try InspectStage.configuration(ofAgentsIn: agents) }
      let context = try ExperimentContext(configuration: configuration, communicator: world, progress: progress)
      let provenance = Provenance(
        title: "", version: Version.number, commit: Build.commit,
        history: CommandLine.arguments.joined(separator: " "), seed: configuration.seed,
        configuration: configuration.yaml)
      let target = try OutputFolder(
        output.map { URL(filePath: $0) } ?? agents, provenance: provenance, communicator: world)
      func folder(_ path: String?) throws -> URL? {
        try path.map { try OutputFolder(URL(filePath: $0), provenance: provenance, communicator: world).url }
      }
      var request = WeighStage.Request()
      (request.truths, request.cycles, request.share, request.priorGain) = (truths, cycles, share, priorGain)
      (request.transported, request.flowed, request.steps) = (try folder(transport), try folder(flow), steps)
      let text = try WeighStage(context, folder: agents).run(
        request, to: target.url.appending(path: "weights.nc").path, provenance: provenance)
      if Launch.rank == 0 { print(text) }
    }
  }
}
