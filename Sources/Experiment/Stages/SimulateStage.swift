import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceState

/// A nature run, its observations and an initial ensemble, as files.
public struct SimulateStage {
  let setup: Setup
  let output: OutputFolder

  public init(_ setup: Setup, output: OutputFolder) {
    self.setup = setup
    self.output = output
  }

  /// Writes nature.nc, observations.nc and initial.nc of the first test truth. Collective.
  public func run() throws {
    setup.progress.begin("nature run", total: 1)
    let truth = try setup.simulateTruths([setup.testSeeds[0]], cycles: setup.configuration.truths.cycles)[0]
    let summary = AnalysisSummary(setup)
    try summary.summarise(try setup.makeInitialEnsemble(around: truth.initial(setup.layout), seed: truth.seed))
    setup.progress.end()
    guard setup.communicator.isRoot else { return }
    let times = setup.times(cycles: truth.cycles)
    try setup.writeNature(
      [truth], times: times, to: output.path("nature.nc"), asSeries: false, provenance: output.provenance)
    try setup.writeObservations(
      [truth], times: times, to: output.path("observations.nc"), asSeries: false, provenance: output.provenance)
    let initial = EnsembleFile(
      time: setup.configuration.spinup, cycle: 0, memberCount: setup.configuration.members,
      members: summary.members)
    try initial.write(
      to: output.path("initial.nc"), layout: setup.layout, clock: setup.clock,
      provenance: output.provenance.titled("initial ensemble"))
  }
}
