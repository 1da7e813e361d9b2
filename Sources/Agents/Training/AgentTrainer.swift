public import DaunceConstraints
public import DaunceEnsemble
public import DaunceMPI
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// Trains the agents of the members held here. Every rank calls the same stages in the same order; agents share
/// nothing but what they see of the ensemble's forecasts: mean and spread, or with `inputs: covariances` all of them.
public final class AgentTrainer {
  /// What the agents are; how far draws keep the order of forecasts is measured on the way
  /// if it was left open.
  public internal(set) var settings: AgentSettings
  /// Agents of the local members.
  public internal(set) var agents: [Agent]
  /// What the training has done so far.
  public var report = TrainingReport()

  /// Called with the stage, the steps done and the stage's number of steps; once with 0 done.
  public var onStep: ((_ stage: String, _ done: Int, _ total: Int) -> Void)?

  /// Called after every Adam step of the warm start and every iteration of PPO, with a way to a snapshot of that moment,
  /// which all ranks take or none; an error that it throws ends the training.
  public var onBoundary: ((_ snapshot: () throws -> Snapshot) throws -> Void)?

  /// When agents are looked at on the way.
  public var reviews: ReviewSettings?

  /// Looks at agents, on truths that they do not learn from; `nil` where they fail. Collective.
  public var onReview: ((_ trained: TrainedPolicies) throws -> Finding?)?

  /// Told of every review.
  public var onReport: ((_ review: Review) -> Void)?

  /// Told what the user should know of a stage that has ended.
  public var onRemark: ((_ remark: String) -> Void)?

  /// When the last review ended, in nanoseconds of the system's clock.
  var lastReview: UInt64 = 0

  let data: TrainingData
  let base: any BaseForecast
  let bands: [Band]
  /// Mean deviation from the middle of a band that agents are allowed, as a share of the band's half-width.
  let tolerance: Double
  /// Whether multipliers act before PPO too, by the functions' gradients.
  let penalisesLikelihood: Bool
  let distribution: Distribution
  let communicator: Communicator
  let seed: UInt64
  /// Rollouts and random streams of this training, each with its own number.
  var tags = 0
  /// Whether how far draws keep the order of forecasts is to be measured.
  let isOrderOpen: Bool
  /// What `restore` was given, until the round that it belongs to; and that round.
  var saved: Snapshot?
  var firstRound = Round.common

  /// - Parameters:
  ///   - bands: constraints with a multiplier each.
  ///   - tolerance: eps of (3.4) as a share of a band's half-width, with dE the distance from its middle.
  ///   - penalisesLikelihood: whether multipliers act in closed loop before PPO too.
  ///   - multiplier: every multiplier's start.
  public init(
    settings: AgentSettings, data: TrainingData, base: any BaseForecast, bands: [Band], tolerance: Double = 1,
    penalisesLikelihood: Bool = false, multiplier: Multiplier, distribution: Distribution, communicator: Communicator, seed: UInt64
  ) {
    self.settings = settings
    isOrderOpen = settings.rankPersistence == nil
    self.data = data
    self.base = base
    self.bands = bands
    self.tolerance = tolerance
    self.penalisesLikelihood = penalisesLikelihood && multiplier.form != .none
    self.distribution = distribution
    self.communicator = communicator
    self.seed = seed
    let inputs = Features.count(settings: settings, layout: base.layout, auxiliary: base.auxiliaryCount)
    agents = distribution.local.map { member in
      Agent(
        inputs: inputs, settings: settings, multipliers: bands.map { _ in multiplier }, seed: seed,
        member: member)
    }
  }

  /// Takes over the networks and optimisers of another trainer's agents, but not their multipliers: what comes next
  /// starts from the same point, with the same random numbers.
  public func adopt(_ other: AgentTrainer) {
    for m in agents.indices {
      let multipliers = agents[m].multipliers
      agents[m] = other.agents[m]
      agents[m].multipliers = multipliers
    }
    tags = other.tags
    settings = other.settings
    report.warmStartLoss = other.report.warmStartLoss
    report.history = other.report.history
  }

  /// Starts from what other agents have learned: their policies and value functions, but not their multipliers.
  public func begin(with others: [Agent]) {
    for m in agents.indices { (agents[m].policy, agents[m].value) = (others[m].policy, others[m].value) }
  }

  /// A runner for `sequences` ensembles side by side.
  func makeRunner(sequences: Int, rankPersistence: Double = 0, gathersMembers: Bool = false) -> PolicyRunner {
    PolicyRunner(
      settings: settings, base: base, distribution: distribution, communicator: communicator, seed: seed,
      sequences: sequences, rankPersistence: rankPersistence, gathersMembers: gathersMembers)
  }

  /// The next number for a rollout's or a stage's random streams.
  func nextTag() -> Int {
    tags += 1
    return tags
  }

  /// Average over all members, the same bits on every rank.
  func averageOverMembers(_ local: [Double]) throws -> Double {
    let values = try gatherOverMembers(local)
    var sum = 0.0
    for v in values { sum += v }
    return sum / Double(values.count)
  }

  /// `width` numbers of every member, in member order, on every rank.
  func gatherOverMembers(_ local: [Double], width: Int = 1) throws -> [Double] {
    var all = [Double](repeating: 0, count: distribution.members * width)
    let counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * width }
    try communicator.allgatherv(local, into: &all, counts: counts)
    return all
  }
}

/// How a training went, averaged over agents; the same on every rank.
public struct TrainingReport: Sendable, Hashable, Codable {
  /// Mean negative log-likelihood per action over the last tenth of each warm-start round.
  public var warmStartLoss: [Double] = []
  /// Mean reward per cell and step of every PPO iteration.
  public var reward: [Double] = []
  /// Mean multiplier of the first band after every PPO iteration.
  public var multiplier: [Double] = []
  /// Mean reward per cell and step on fixed rollouts before PPO.
  public var rewardFirst: Double?
  /// The same after PPO.
  public var rewardLast: Double?
  /// Every member's multiplier of the first band at the end.
  public var multiplierLast: [Double] = []
  /// Actions drawn in PPO's rollouts and learned from, one a cell, member, sequence and step.
  public var samples = 0
  /// Wall seconds of PPO's iterations, on the slowest rank.
  public var seconds = 0.0
  /// Processor seconds of PPO's iterations, of all ranks together.
  public var processorSeconds = 0.0
  /// Error and CRPS of the filter that agents learn from, on the truths of the reviews.
  public struct Teacher: Sendable, Hashable, Codable {
    /// Of the ensemble mean, over the fields' scales.
    public var error: Double
    /// Over the fields' scales.
    public var crps: Double

    /// Both.
    public init(error: Double, crps: Double) { (self.error, self.crps) = (error, crps) }
  }

  /// What the reviews compare with; `nil` without reviews, or where the filter failed.
  public var teacher: Teacher?
  /// What agents scored on the way, on truths that they did not learn from.
  public var reviews: [Review] = []
  /// Step whose agents were kept, by stages whose last ones were not the best.
  public var keptSteps: [String: Int] = [:]
  /// The same and more, agent by agent.
  public var history = TrainingHistory()

  /// A training that has not begun.
  public init() {}
}
