import ArgumentParser
import DaunceExperiment
import DaunceMPI
import Foundation
import Logging

struct Inspect: ProgramCommand {
  static let configuration = CommandConfiguration(
    abstract: "What trained agents are, what they were trained for, and which inputs matter to them.",
    discussion: """
      Everything is read from the agents' own files. An input matters by how much the likelihood of the truth falls when \
      it is put in from another cell and time.
      """)

  @Argument(help: ArgumentHelp("Trained agents.", valueName: "folder"))
  var agents: String

  @Option(help: ArgumentHelp("Unseen truths that inputs are tried on; 0: none.", valueName: "count"))
  var truths = 2

  @Option(help: ArgumentHelp("Cycles of each.", valueName: "count"))
  var cycles = 100

  @Flag(help: "Write nothing but errors and what was asked for.")
  var quiet = false

  var identity: String { "Inspect \(truths) \(cycles)" }

  func validate() throws {
    if !(0...1000).contains(truths) { throw ValidationError("--truths: found \(truths), expected 0 to 1000.") }
    if !(2...100_000).contains(cycles) { throw ValidationError("--cycles: found \(cycles), expected 2 to 100000.") }
  }

  func prepare() throws -> Job {
    let progress = ProgressLine(isShown: Launch.rank == 0 && !quiet, isBar: Launch.hasTerminal)
    let folder = URL(filePath: agents)
    return Job(logger: Session.logger(quiet: quiet, level: .notice)) { environment in
      let world = environment.world
      let configuration = try world.collectively { try InspectStage.configuration(ofAgentsIn: folder) }
      let context = try ExperimentContext(configuration: configuration, communicator: world, progress: progress)
      let text = try InspectStage(context, folder: folder).run(truths: truths, cycles: cycles)
      if Launch.rank == 0 { print(text) }
    }
  }
}
