import DaunceAgents
import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// Truths that no agent learns from and no score is reported on: they tell how a training goes, and when it is over.
final class HeldBackTruths {
  /// How well a method does on all of them, after the spin-up: means over elements of the agents' controls (of all
  /// fields where agents are rewarded for all), cycles and truths.
  struct Skill: Sendable, Hashable, Codable {
    /// Of the ensemble mean, over the fields' scales; the mean over cycles of the root mean square.
    var error = 0.0
    /// Continuous ranked probability score over the fields' scales; lower is better.
    var crps = 0.0
    /// Share of member-cycles in each band.
    var inBands: [Double] = []
  }

  private let context: ExperimentContext
  private let truths: [Trajectory]
  private let bands: [Band]
  private let gathered: GatheredEnsemble
  private var field: CRPSField
  private let spinup: Int
  /// Fields that are looked at.
  private let judged: [Int]

  /// - Parameters:
  ///   - count: of truths.
  ///   - cycles: observation times of each, the spin-up among them.
  init(_ context: ExperimentContext, count: Int, cycles: Int, bands: [Band]) throws {
    (self.context, self.bands) = (context, bands)
    truths = try context.simulateTruths(context.heldBackSeeds(count), cycles: cycles)
    gathered = GatheredEnsemble(
      width: context.layout.count, distribution: context.distribution, communicator: context.communicator)
    field = CRPSField(members: context.distribution.members)
    let ppo = context.configuration.agents.ppo
    let isForAll = ppo.reward == .ensembleCRPS && context.configuration.ppoIterations > 0
    judged = isForAll ? Array(context.layout.fields.indices) : context.controls
    spinup = min(context.configuration.truths.spinupCycles, cycles / 2)
  }

  /// Runs a method over all truths. Collective.
  ///
  /// - Parameters:
  ///   - make: the method for the truth with a seed.
  ///   - watch: told of every truth and cycle just before it begins.
  /// - Returns: `nil` where the method fails.
  func skill(
    _ make: (_ seed: UInt64) throws -> AssimilationMethod,
    watch: (_ truth: Trajectory, _ cycle: Int) -> Void = { _, _ in }
  ) throws -> Skill? {
    var (sum, count) = (Skill(), 0)
    var inside = bands.map { _ in 0 }
    for truth in truths {
      let method = try make(truth.seed)
      var ensemble = try context.makeInitialEnsemble(around: truth.initial(context.layout), seed: truth.seed)
      for cycle in 1...truth.cycles {
        watch(truth, cycle)
        let broken = try method.cycle(&ensemble, observations: truth.observations[cycle - 1], number: cycle)
        let isSound = broken == nil && context.isSound(ensemble)
        guard try context.communicator.allreduce(isSound ? 0.0 : 1.0, .max) == 0 else { return nil }
        guard cycle > spinup else { continue }
        try gathered.gather(ensemble.states)
        add(truth, cycle, to: &sum)
        for b in bands.indices { inside[b] += membersInside(bands[b]) }
        count += 1
      }
    }
    let share = 1 / Double(max(1, count))
    let members = context.distribution.members
    return Skill(
      error: sum.error * share, crps: sum.crps * share,
      inBands: inside.map { Double($0) * share / Double(members) })
  }

  /// Runs agents over all truths, and shows each policy that has just been evaluated beside the truth of that time.
  /// Collective.
  ///
  /// - Parameters:
  ///   - catalogue: filled with what the agents' inputs are.
  ///   - see: the local member, the tile with inputs and outputs, what increments are added to (`[control][cell]`), and the
  ///     truth (`[layout.count]`).
  /// - Returns: `nil` where the agents fail.
  func skill(
    of trained: TrainedAgents, band: Band?, catalogue: InputCatalogue? = nil,
    see: @escaping (_ member: Int, _ tile: Activations, _ anchors: UnsafePointer<Double>, _ truth: UnsafePointer<Double>) -> Void
  ) throws -> Skill? {
    var present: (truth: Trajectory, cycle: Int)?
    let count = context.layout.count
    return try skill { seed in
      let base = try context.makeBase(trained.settings.base, band: band)
      let update = try AgentUpdate(
        agents: trained.agents, settings: trained.settings, base: base, distribution: context.distribution,
        communicator: context.communicator, seed: seed)
      // Told at the first update of each truth, the same every time.
      if seed == truths.first?.seed { update.catalogue = catalogue }
      update.observer = { m, tile, anchors in
        guard let (truth, cycle) = present else { return }
        truth.states.withUnsafeBufferPointer { states in
          if let start = states.baseAddress { see(m, tile, anchors, start + cycle * count) }
        }
      }
      return .agents(update, name: "agents")
    } watch: { present = ($0, $1) }
  }

  private func add(_ truth: Trajectory, _ cycle: Int, to sum: inout Skill) {
    let (layout, members, all) = (context.layout, context.distribution.members, gathered.members)
    var (squares, crps, count) = (0.0, 0.0, 0)
    for v in judged {
      let (range, scale) = (layout.range(v), layout.fields[v].scale)
      let first = cycle * layout.count + range.lowerBound
      let exact = truth.states.span.extracting(first..<first + range.count)
      let values = all.span.extracting(range.lowerBound..<all.count)
      crps += field.sum(values, stride: layout.count, truth: exact) / scale
      for c in range.indices {
        let i = c - range.lowerBound
        var mean = 0.0
        for m in 0..<members { mean += all[m * layout.count + c] }
        mean /= Double(members)
        squares += (mean - exact[i]) * (mean - exact[i]) / (scale * scale)
      }
      count += range.count
    }
    sum.error += (squares / Double(count)).squareRoot()
    sum.crps += crps / Double(count)
  }

  private func membersInside(_ band: Band) -> Int {
    let (count, all) = (context.layout.count, gathered.members)
    return (0..<context.distribution.members).count { m in
      band.deviation(of: all.span.extracting(m * count..<(m + 1) * count)) <= band.tolerance
    }
  }
}

extension ExperimentContext {
  /// The band that a filter holds whose analyses agents correct, from simulated runs; `nil` where there is none. Collective.
  func bandOfAgents() throws -> Band? {
    guard configuration.agents.filter.isConstrained, energy != nil else { return nil }
    return try energyBand(from: simulateTruths(trainingSeeds, cycles: configuration.truths.trainingCycles))
  }

  /// Seeds of truths that are neither those that agents learn from nor those that scores are reported on.
  func heldBackSeeds(_ count: Int) -> [UInt64] {
    (0..<count).map { configuration.seed &* 100_000 &+ 80_000 &+ UInt64($0) }
  }

  /// Seeds of at most 10,000 truths more, by which nothing has been chosen either: agents' residuals are taken from them.
  func residualSeeds(_ count: Int) -> [UInt64] {
    (0..<count).map { configuration.seed &* 100_000 &+ 60_000 &+ UInt64($0) }
  }
}
