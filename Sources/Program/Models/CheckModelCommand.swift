import ArgumentParser
import DaunceExperiment
import DaunceMPI
import DaunceModels

struct CheckModel: StageCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-model",
    abstract: "Whether a model is what filters, agents and checkpoints take it for: a table, line by line.",
    discussion: """
      Layout, the same bits for the same seed, nothing kept besides the state or memory that can be saved and restored, \
      bounds, invariants, the coarse forecast, speed, memory that is lost. Exit code 65 if a line is broken.
      """)

  @Flag(help: "Print the lines as JSON in place of the table.")
  var json = false

  @OptionGroup(title: "Common options") var common: CommonOptions

  func perform(_ session: Session, context: ExperimentContext) throws {
    guard context.communicator.size == 1 else {
      throw ExperimentError(.data, "check-model: found \(context.communicator.size) ranks; expected one, without mpirun or by mpirun -np 1")
    }
    var contract = ModelContract(context)
    let report = contract.run()
    session.say(json ? try report.json() : report.text)
    if !report.holds { throw ExperimentError(.data, "check-model: \(context.model.name) breaks its contract") }
  }
}
