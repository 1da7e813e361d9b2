import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceNumerics
import DaunceObservations
import DaunceState

extension Configuration.Agents.Common {
  /// Whether agents are trained for more than the experiment itself, and so see what they are in.
  var isVaried: Bool {
    members != nil || starts != nil || intervals != [1] || coverage != [1] || errorFactors != [1] || gaps > 0
  }
}

extension ExperimentContext {
  /// Lets a trainer's agents learn one policy together, if `agents.common.steps` asks for it. Collective.
  func learnTogether(_ trainer: AgentTrainer, _ truths: [Trajectory], band: Band?) throws {
    let common = configuration.agents.common
    guard common.steps > 0 else { return }
    guard let lone = try communicator.split(color: communicator.rank) else {
      throw ExperimentError(.bug, "a rank has no communicator of its own")
    }
    let cases = TrainingCases(configuration, truths, band: band, on: lone)
    try trainer.learnTogether(
      CommonSettings(steps: common.steps, batch: common.batch, learningRate: common.learningRate),
      makeCase: cases.make(ensemble:))
    try lone.free()
  }
}

/// The situations that agents are trained for: ensemble sizes in turn, the rest at random, for every ensemble its own.
private final class TrainingCases {
  private let configuration: Configuration
  private let common: Configuration.Agents.Common
  private let truths: [Trajectory]
  private let band: Band?
  private let lone: Communicator
  private var known: [Situation: (context: ExperimentContext, base: FilteredBase)] = [:]
  private let climatology = Climatology()

  /// What sets one ensemble's experiment apart from others.
  private struct Situation: Hashable {
    let members: Int
    let interval: Int
    let errorFactor: Double
    let start: Configuration.Initial.Kind
  }

  init(_ configuration: Configuration, _ truths: [Trajectory], band: Band?, on lone: Communicator) {
    (self.configuration, common) = (configuration, configuration.agents.common)
    (self.truths, self.band, self.lone) = (truths, band, lone)
  }

  func make(ensemble: Int) throws -> TrainingCase {
    let stream = RandomStream(seed: configuration.seed, purpose: .trainingCase, member: ensemble)
    func choose<Choice>(_ choices: [Choice], at index: Int) -> Choice { choices[stream.integer(below: choices.count, at: index)] }
    let sizes = common.members ?? [configuration.members]
    let situation = Situation(
      members: sizes[ensemble % sizes.count], interval: choose(common.intervals, at: 0),
      errorFactor: choose(common.errorFactors, at: 1), start: choose(common.starts ?? [configuration.initial.kind], at: 2))
    let (context, base) = try known[situation] ?? makeContext(situation)
    known[situation] = (context, base)
    return TrainingCase(
      base: base, distribution: context.distribution, communicator: lone,
      cycles: truths[0].cycles / situation.interval,
      truths: truths.map { thinned($0.states, by: situation.interval, count: context.layout.count) },
      observations: { [self, context] in observations(of: $0, run: $1, situation, ensemble, context) },
      start: { [truths, context] k in
        try context.makeInitialEnsemble(around: truths[k].initial(context.layout), seed: truths[k].seed).states
      })
  }

  /// The experiment of a situation, with all members on one rank.
  private func makeContext(_ situation: Situation) throws -> (ExperimentContext, FilteredBase) {
    var own = configuration
    own.members = situation.members
    own.initial.kind = situation.start
    if own.initial.kind == .climatology {
      let defaults = Configuration.Initial()
      (own.initial.spread, own.initial.centre) = (defaults.spread, defaults.centre)
    }
    let natural = try ExperimentContext(configuration: configuration, communicator: lone)
    own.stretchObservations(
      by: situation.interval, errorFactor: situation.errorFactor, observing: natural.observing,
      natural: natural.traits.observing)
    let context = try ExperimentContext(configuration: own, communicator: lone)
    context.climatology = climatology
    return (context, try FilteredBase(context, band: band, origin: 0))
  }

  /// Every `step`-th state of a truth, its first one included.
  private func thinned(_ states: [Double], by step: Int, count: Int) -> [Double] {
    guard step > 1 else { return states }
    return stride(from: 0, to: states.count / count, by: step).flatMap { states[$0 * count..<($0 + 1) * count] }
  }

  /// Observations of a truth, anew for every run where anything about them is drawn.
  private func observations(
    of truth: Int, run: Int, _ situation: Situation, _ ensemble: Int, _ context: ExperimentContext
  ) -> [ObservationSet] {
    guard common.isVaried else { return truths[truth].observations }
    let words = RandomStream(seed: truths[truth].seed, purpose: .trainingCase, member: ensemble, cycle: run).words(at: 0)
    let seed = UInt64(words.x) << 32 | UInt64(words.y)
    let states = thinned(truths[truth].states, by: situation.interval, count: context.layout.count)
    let all = context.observe(states, from: 0, seed: seed)
    let stream = RandomStream(seed: seed, purpose: .trainingCase)
    var selection = ObservationSelection(
      share: common.coverage[stream.integer(below: common.coverage.count, at: 0)], stream: stream)
    return all.enumerated().map { time, observed in
      stream.uniform(at: 1 << 20 + time) < common.gaps ? .none : selection.select(observed)
    }
  }
}

/// A random part of a network's observations, the same at all times: half of the parts are every so many, from a random
/// one on, the others are drawn one by one.
private struct ObservationSelection {
  let share: Double
  let stream: RandomStream
  private var known: [ObjectIdentifier: (whole: ObservationNetwork, part: ObservationNetwork, numbers: [Int])] = [:]

  init(share: Double, stream: RandomStream) { (self.share, self.stream) = (share, stream) }

  mutating func select(_ observed: ObservationSet) -> ObservationSet {
    guard share < 1, observed.count > 0 else { return observed }
    let network = observed.network
    let chosen = known[ObjectIdentifier(network)] ?? choose(network)
    known[ObjectIdentifier(network)] = chosen
    return ObservationSet(
      chosen.part, values: chosen.numbers.map { observed.values[$0] },
      errorVariances: chosen.numbers.map { observed.errorVariances[$0] })
  }

  private func choose(
    _ network: ObservationNetwork
  ) -> (whole: ObservationNetwork, part: ObservationNetwork, numbers: [Int]) {
    let step = max(1, Int((1 / max(share, 1e-6)).rounded()))
    let isRegular = stream.uniform(at: 1) < 0.5
    let first = stream.integer(below: step, at: 2)
    let numbers = (0..<network.count).filter { k in
      isRegular ? k % step == first : stream.uniform(at: 3 + k) < share
    }
    let part = ObservationNetwork(
      rows: network.rows.selecting(numbers), kinds: numbers.map { network.kinds[$0] },
      places: numbers.map { network.places[$0] }, laws: numbers.map { network.laws[$0] })
    return (network, part, numbers)
  }
}

extension Configuration {
  /// Multiplies intervals and error variances of everything that observes.
  ///
  /// - Parameters:
  ///   - observing: of this configuration.
  ///   - natural: the model's own.
  fileprivate mutating func stretchObservations(
    by factor: Int, errorFactor: Double, observing: ObservingSystem, natural: ObservingSystem
  ) {
    guard !observations.networks.isEmpty else {
      observations.interval = observing.stepsBetween * factor
      observations.errorVariance = observing.errorVariance * errorFactor
      return
    }
    let root = errorFactor.squareRoot()
    for i in observations.networks.indices {
      let network = observations.networks[i]
      observations.networks[i].interval = (network.interval ?? natural.stepsBetween) * factor
      observations.networks[i].sd = network.sd.map { $0 * root }
      observations.networks[i].relativeSd = network.relativeSd.map { $0 * root }
    }
  }
}
