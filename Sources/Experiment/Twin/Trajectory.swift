import DaunceConstraints
import Glibc
import DaunceAgents
package import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceNumerics
public import DaunceObservations
package import DaunceState

/// One simulated truth and its observations: a twin experiment's ground (4.3).
public struct Trajectory: Sendable {
  /// Seed of everything random about this truth and about the members that assimilate its observations.
  public let seed: UInt64
  /// True states from the end of the spin-up on, `[cycles + 1][variable][cell]`.
  public var states: [Double]
  /// Observations of times 1...cycles.
  public var observations: [ObservationSet]
  /// What the model keeps besides the last state, on the rank that has simulated it; nothing for most models.
  var memory: [UInt8] = []

  /// Number of cycles.
  public var cycles: Int { observations.count }

  /// The state at time 0.
  package func initial(_ layout: StateLayout) -> [Double] { Array(states.prefix(layout.count)) }
}

extension ExperimentContext {
  /// Seeds of the truths that agents learn from. They never meet those of `testSeeds`.
  public var trainingSeeds: [UInt64] {
    (0..<configuration.truths.training).map { configuration.seed &* 100_000 &+ 50_000 &+ UInt64($0) }
  }

  /// Seeds of the truths that scores are reported on.
  public var testSeeds: [UInt64] {
    (0..<configuration.truths.test).map { configuration.seed &* 100_000 &+ UInt64($0) }
  }

  /// Simulates the truths with the given seeds, each on one rank, and shares them with all.
  public func simulateTruths(_ seeds: [UInt64], cycles: Int) throws -> [Trajectory] {
    let elements = (cycles + 1) * layout.count
    var truths: [Trajectory] = []
    let mine = seeds.indices.filter { $0 % communicator.size == communicator.rank }
    var own: [Int: (states: [Double], memory: [UInt8])] = [:]
    try communicator.collectively {
      for k in mine { own[k] = try carry(spunUpTruth(seed: seeds[k]), seed: seeds[k], cycles: 0..<cycles) }
    }
    for (k, seed) in seeds.enumerated() {
      var states = own[k]?.states ?? [Double](repeating: 0, count: elements)
      try communicator.broadcast(&states, root: k % communicator.size)
      truths.append(
        Trajectory(
          seed: seed, states: states, observations: observe(states, from: 0, seed: seed), memory: own[k]?.memory ?? []))
    }
    return truths
  }

  /// A truth at the end of its spin-up.
  private func spunUpTruth(seed: UInt64) throws -> (state: [Double], memory: [UInt8]) {
    try spunUp(of: "truth \(seed)", from: RandomStream(seed: seed, purpose: .natureInitial)) {
      RandomStream(seed: seed, purpose: .natureSpinUp, cycle: $0)
    }
  }

  /// A state of the age of the truths at their time 0, from a nature run that is none of them.
  ///
  /// - Parameters:
  ///   - seed: of a truth, whose members are numbered by `member`.
  func spunUp(seed: UInt64, member: Int) throws -> [Double] {
    try spunUp(
      of: "nature run \(member) of seed \(seed)", from: RandomStream(seed: seed, purpose: .climatologyInitial, member: member)
    ) {
      RandomStream(seed: seed, purpose: .climatologySpinUp, member: member, cycle: $0)
    }.state
  }

  /// The state at the end of a spin-up. It is made in pieces, so that no stream runs out of addresses.
  ///
  /// - Throws: `ExperimentError` for a model that truths cannot be made of, and what its forecast throws.
  private func spunUp(
    of name: String, from start: RandomStream, noise: (_ piece: Int) -> RandomStream
  ) throws -> (state: [Double], memory: [UInt8]) {
    guard let twin = try modelInstance(named: name.replacing(" ", with: "-")) as? any TwinModel else {
      throw ExperimentError(
        .data, "key model.name", found: "\(model.name), which has no initial state",
        expected: "a model that truths can be made of (it conforms to TwinModel), or assimilate with files")
    }
    do {
      var state = try twin.initialState(start)
      let piece = 1000
      var done = 0
      while done < spinUpSteps {
        var span = state.mutableSpan
        try twin.forecast(
          &span, from: done - spinUpSteps, steps: min(piece, spinUpSteps - done), noise: noise(done / piece))
        done += piece
      }
      return (state, try twin.memory())
    } catch {
      throw ForecastFailure(trajectory: "spin-up of \(name)", cause: error)
    }
  }

  /// A model run from `state`, at the time of the first of `cycles`: a state at every observation time, this one
  /// included (`[cycles + 1][count]`), and what the model keeps besides the last one.
  func carry(
    _ start: (state: [Double], memory: [UInt8]), seed: UInt64, cycles: Range<Int>
  ) throws -> (states: [Double], memory: [UInt8]) {
    let model = try modelInstance(named: "truth-\(seed)", memory: start.memory)
    var state = start.state
    var states = [Double]()
    states.reserveCapacity((cycles.count + 1) * layout.count)
    states += state
    for cycle in cycles {
      var span = state.mutableSpan
      do {
        try model.forecast(
          &span, from: cycle * observing.stepsBetween, steps: observing.stepsBetween,
          noise: RandomStream(seed: seed, purpose: .natureNoise, cycle: cycle))
      } catch {
        throw ForecastFailure(trajectory: "truth \(seed), cycle \(cycle + 1)", cause: error)
      }
      states += state
    }
    return (states, try model.memory())
  }

  /// What the networks observe at every time but the first, which is time number `start`.
  func observe(_ states: [Double], from start: Int, seed: UInt64) -> [ObservationSet] {
    let count = layout.count
    return (1..<states.count / count).map { time in
      networks.observe(
        states.span.extracting(time * count..<(time + 1) * count), time: start + time,
        stream: { RandomStream(seed: seed, purpose: .observation, member: $0, cycle: start + time) })
    }
  }

  /// The members' start for one truth. Collective.
  ///
  /// - Parameters:
  ///   - initial: the truth at time 0 (`[variable][cell]`).
  ///   - seed: the truth's.
  package func makeInitialEnsemble(around initial: [Double], seed: UInt64) throws -> DistributedEnsemble {
    var ensemble = makeEnsemble()
    switch configuration.initial.kind {
    case .perturbed: try scatter(&ensemble, around: initial, seed: seed)
    case .climatology:
      try communicator.collectively {
        for (m, member) in distribution.local.enumerated() {
          ensemble.states[m] = try climatology.state(seed: seed, member: member) {
            try spunUp(seed: seed, member: member)
          }
        }
      }
    }
    restoreInvariants(of: &ensemble, truth: initial)
    return ensemble
  }

  /// Fills in the members: `initial.spread` times a random state of the climate around the truth or, with `initial.centre: perturbed`, around the truth
  /// with a perturbation of the same kind; raised to the lower bounds.
  ///
  /// Around the truth itself the ensemble mean starts sqrt(members) times nearer to it than the spread says. With its
  /// own perturbation the truth is to the members what they are to each other.
  private func scatter(_ ensemble: inout DistributedEnsemble, around initial: [Double], seed: UInt64) throws {
    let (waves, spread) = (try climatologicalPerturbations(), configuration.initial.spread)
    var centre = initial
    if configuration.initial.centre == .perturbed {
      waves.perturb(&centre, by: spread, RandomStream(seed: seed, purpose: .initialCentre))
    }
    for (m, member) in distribution.local.enumerated() {
      ensemble.states[m] = centre
      waves.perturb(
        &ensemble.states[m], by: spread, RandomStream(seed: seed, purpose: .initialEnsemble, member: member))
      for (v, variable) in layout.fields.enumerated() {
        guard let lower = variable.lowerBound else { continue }
        for i in layout.range(v) { ensemble.states[m][i] = max(ensemble.states[m][i], lower) }
      }
    }
  }

  /// Takes back what raising to the bounds has done to the invariants; states of the climate have them all alike.
  private func restoreInvariants(of ensemble: inout DistributedEnsemble, truth: [Double]) {
    let bounded = layout.fields.indices.filter { layout.fields[$0].lowerBound != nil }
    let projection = InvariantProjection(invariants: traits.invariants, layout: layout, controls: bounded)
    guard projection.equations > 0 else { return }
    let scales = bounded.flatMap { [Double](repeating: layout.fields[$0].scale, count: layout.range($0).count) }
    for m in ensemble.states.indices {
      var fields = bounded.flatMap { ensemble.states[m][layout.range($0)] }
      projection.project(&fields, scales: scales, base: truth)
      var next = 0
      for i in bounded.flatMap({ layout.range($0) }) {
        ensemble.states[m][i] = fields[next]
        next += 1
      }
    }
  }
}
