import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceObservations
import DaunceState
import DaunceUncertainty

/// All ensembles of a design on one series, in step. Every rank carries some of them whole, and has after each cycle all
/// members of all ensembles at some elements of the state.
final class AgentEnsembles {
  let design: PairedDesign
  /// Elements of this rank, `[element][ensemble][member]`.
  let values: PartialEnsemble
  /// Elements of every rank.
  let parts: [Range<Int>]

  private let trainings: AgentTrainings
  private let band: Band?
  private let communicator: Communicator
  private let transposition: Transposition
  /// Ensembles of this rank.
  private let local: Range<Int>
  private var methods: [AssimilationMethod] = []
  private var ensembles: [DistributedEnsemble] = []

  private var context: ExperimentContext { trainings.context }

  init(_ trainings: AgentTrainings, _ settings: UncertaintyConfiguration.Agents, communicator: Communicator) throws {
    (self.trainings, self.communicator) = (trainings, communicator)
    let design = PairedDesign(
      members: trainings.context.configuration.members, trainings: trainings.trained.count, pairings: settings.pairings,
      draws: settings.draws)
    self.design = design
    // Only filters that agents correct hold a band.
    band = try communicator.collectively {
      trainings.trained[0].settings.base == .analysis ? try trainings.context.bandOfAgents() : nil
    }
    let size = communicator.size
    let held = (0..<size).map { design.ensembles * $0 / size..<design.ensembles * ($0 + 1) / size }
    local = held[communicator.rank]
    let layout = trainings.context.layout
    transposition = Transposition(
      layout: layout, owners: held.map { $0.lowerBound * design.members..<$0.upperBound * design.members },
      communicator: communicator)
    parts = (0..<size).map { [partition = transposition.partition] in partition.elements(of: $0) }
    values = PartialEnsemble(elements: parts[communicator.rank], members: design.count)
  }

  /// Puts all ensembles at the beginning of a series. Collective.
  ///
  /// - Parameters:
  ///   - initial: states of the members (`[member][layout.count]`).
  ///   - seed: of the series; the first ensemble is the one that `run` and `assimilate` would carry.
  ///   - origin: time before the first cycle, in time steps.
  func begin(_ initial: [[Double]], seed: UInt64, origin: Int = 0) throws {
    (methods, ensembles) = ([], [])
    try communicator.collectively {
      for number in local {
        let place = design.place(of: number)
        let training = trainings.trained[place.training]
        let agents = (0..<design.members).map { training.agents[design.agent(of: $0, pairing: place.pairing)] }
        methods.append(
          try .agents(
            TrainedAgents(settings: training.settings, agents: agents), name: "agents", context: context,
            seed: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15, band: band, origin: origin))
        var ensemble = context.makeEnsemble()
        ensemble.states = initial
        ensembles.append(ensemble)
      }
    }
  }

  /// Carries all of them over one cycle. Collective.
  func advance(_ observations: ObservationSet, cycle: Int) throws {
    try communicator.collectively {
      for k in ensembles.indices {
        let broken = try methods[k].cycle(&ensembles[k], observations: observations, number: cycle)
        guard broken == nil, context.isSound(ensembles[k]) else {
          let place = design.place(of: local.lowerBound + k)
          throw ExperimentError(
            .data, "agents of training \(place.training + 1)",
            found: "a member that is not finite, negative where it must not be, or far from the climate, at cycle \(cycle)",
            expected: "agents that last")
        }
      }
    }
    let (members, first) = (design.members, local.lowerBound)
    try transposition.collect(into: values) { number, state in
      let own = ensembles[number / members - first].states[number % members]
      for i in own.indices { state[i] = own[i] }
    }
  }
}
