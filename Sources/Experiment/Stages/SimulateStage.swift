import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceState

/// A nature run, its observations and an initial ensemble, as files.
public struct SimulateStage {
  let context: ExperimentContext
  let output: OutputFolder

  /// - Parameter output: where the files are written.
  public init(_ context: ExperimentContext, output: OutputFolder) {
    self.context = context
    self.output = output
  }

  /// Writes nature.nc, observations.nc and initial.nc of the first test truth. Collective.
  public func run() throws {
    context.progress.begin("nature run", total: 1)
    let truth = try context.simulateTruths([context.testSeeds[0]], cycles: context.configuration.truths.cycles)[0]
    let summary = AnalysisSummary(context)
    try summary.summarise(try context.makeInitialEnsemble(around: truth.initial(context.layout), seed: truth.seed))
    context.progress.end()
    guard context.communicator.isRoot else { return }
    let times = context.times(cycles: truth.cycles)
    try context.writeNature(
      [truth], times: times, to: output.path("nature.nc"), asSeries: false, provenance: output.provenance)
    try context.writeObservations(
      [truth], times: times, to: output.path("observations.nc"), asSeries: false, provenance: output.provenance)
    let initial = EnsembleFile(
      time: context.spinup, cycle: 0, memberCount: context.configuration.members,
      members: summary.members)
    try initial.write(
      to: output.path("initial.nc"), layout: context.layout, clock: context.clock,
      provenance: output.provenance.titled("initial ensemble"))
  }
}
