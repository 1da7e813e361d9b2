import DaunceAgents
package import DaunceConstraints
import DaunceEnsemble
import Foundation
import DaunceObservations
import DaunceModels
import DaunceState

/// Agents trained with and without multipliers, and how it went.
package struct TrainingOutcome {
  /// Of the members held here.
  package let agents: TrainedAgents
  /// Trained on the same data from the same warm start, without multipliers; `nil` unless asked for.
  let unconstrained: TrainedAgents?
  /// Names of the functions that agents are held in bands of.
  let constraints: [String]
  let report: TrainingReport
  /// The same of the unconstrained agents.
  let unconstrainedReport: TrainingReport?
  let seconds: Double
}

extension ExperimentContext {
  /// Settings of the agents for this model.
  var agentSettings: AgentSettings {
    let agents = configuration.agents
    return AgentSettings(
      base: agents.base, inputs: agents.inputs, target: agents.target, draws: configuration.drawsOfAgents, rankPersistence: agents.rankPersistence,
      bounds: agents.bounds, controls: controls, observed: observedKinds, window: agents.window, hidden: agents.hidden,
      typicalInterval: agents.base == .analysis && agents.common.isVaried ? interval : nil)
  }

  /// What the networks observe, with the error variance that observations of a kind have, or their geometric mean where
  /// it differs from network to network.
  private var observedKinds: [AgentSettings.Observed] {
    Set(networks.networks.map(\.kind)).sorted().map { kind in
      let own = networks.networks.filter { $0.kind == kind }
      let typical = own[0].errorVariance
      let isUniform = own.allSatisfy { $0.errorVariance == typical }
      let logarithms = own.map { Double($0.cells.count) * log($0.errorVariance) }.reduce(0, +)
      let mean = exp(logarithms / Double(own.reduce(0) { $0 + $1.cells.count }))
      return AgentSettings.Observed(
        name: networks.quantities[kind].name, number: kind, operation: networks.quantities[kind].operation,
        errorVariance: isUniform ? typical : mean,
        seesError: !isUniform || configuration.agents.common.errorFactors != [1])
    }
  }

  /// Runs `agents.filter`, the agents' teacher, over the training truths and keeps every local member's analyses.
  func referenceHistories(_ truths: [Trajectory], band: Band?) throws -> [[[Double]]] {
    var histories = distribution.local.map { _ in [[Double]]() }
    var failures = 0
    progress.begin("reference filter", total: truths.count)
    for (k, truth) in truths.enumerated() {
      let method = try AssimilationMethod.filter(configuration.agents.filter, context: self, seed: truth.seed, band: band)
      var ensemble = try makeInitialEnsemble(around: truth.initial(layout), seed: truth.seed)
      var first = 0
      if let saved = checkpoints.take(reference(k)) {
        try method.restore(&ensemble, from: saved)
        first = try saved.integer("cycle")
        let rows: [[Double]] = try saved.memberValues("history", count: (first + 1) * layout.count)
        for m in histories.indices { histories[m].append(rows[m]) }
      } else {
        for m in histories.indices { histories[m].append(ensemble.states[m]) }
      }
      for m in histories.indices { histories[m][k].reserveCapacity((truth.cycles + 1) * layout.count) }
      func keep(_ cycle: Int, _ ensemble: DistributedEnsemble) throws {
        guard checkpoints.isOn else { return }
        var snapshot = Snapshot()
        try method.save(ensemble, into: &snapshot)
        snapshot.set("cycle", cycle)
        snapshot.set("history", members: histories.map { $0[k] })
        checkpoints.set(reference(k), snapshot, members: distribution.members)
      }
      let failure = try assimilate(
        method, &ensemble, cycles: truth.cycles, after: first,
        place: "training truth \(k + 1) by the reference filter",
        observations: { truth.observations[$0 - 1] }
      ) { _, ensemble, _ in
        for m in histories.indices { histories[m][k] += ensemble.states[m] }
      } save: {
        try keep($0, $1)
      }
      if let cycle = failure {
        // Agents that correct an analysis start from what there is: they may come through where their filter does not.
        guard configuration.agents.base == .analysis, configuration.agents.target == .truth else {
          throw ExperimentError(
            .data,
            "the reference filter failed at cycle \(cycle) of training truth \(truth.seed): no history to train on")
        }
        failures += 1
      } else if first < truth.cycles {
        try keep(truth.cycles, ensemble)
      }
      progress.advance(to: k + 1)
    }
    progress.end()
    if failures > 0 {
      progress.note("\(configuration.agents.filter.rawValue) failed on \(failures) of \(truths.count) training truths; agents start from what it did before")
    }
    return histories
  }

  /// Section of a training truth's history.
  private func reference(_ k: Int) -> String { "reference-\(k)" }

  /// Trains one agent a member on the training truths; goes on where a checkpoint left it.
  ///
  /// - Parameters:
  ///   - start: agents to begin with, in place of new ones.
  ///   - tellsReviews: whether every review is told on its way; else the last of each stage.
  package func train(
    _ truths: [Trajectory], band: Band?, alsoUnconstrained: Bool, from start: TrainedAgents? = nil, tellsReviews: Bool = false
  ) throws -> TrainingOutcome {
    let checkpoint = try TrainingCheckpoint(self, names: alsoUnconstrained ? ["agents", "agents-unconstrained"] : ["agents"])
    // The common training starts from the members' own beginnings.
    let needsHistories = configuration.agents.warmStart.steps > 0 || configuration.ppoIterations > 0
    let histories =
      checkpoint.isOver || !needsHistories
      ? distribution.local.map { _ in truths.map { _ in [] } } : try referenceHistories(truths, band: band)
    let data = TrainingData(
      stateCount: layout.count, cycles: truths[0].cycles, truths: truths.map(\.states),
      observations: truths.map(\.observations), histories: histories)
    let agents = configuration.agents
    let bands = try agentBands(band, from: truths)
    var settings = agentSettings
    if let start {
      (settings.typicalInterval, settings.observed) = (start.settings.typicalInterval, start.settings.observed)
    }
    if agents.seesConstraints {
      settings.seenBands = bands.map { .init(name: $0.function.name, lower: $0.lower, upper: $0.upper) }
    }
    let multiplier = Multiplier(agents.multipliers)
    let base = try makeBase(settings.base, band: band)
    let watch = checkpoint.isOver ? nil : try TrainingWatch(self, band: band, bands: bands, tellsAll: tellsReviews)
    func makeTrainer(_ multiplier: Multiplier) -> AgentTrainer {
      let trainer = AgentTrainer(
        settings: settings, data: data, base: base,
        bands: bands, tolerance: agents.multipliers.tolerance, penalisesLikelihood: agents.multipliers.inWarmStart,
        multiplier: multiplier,
        distribution: distribution, communicator: communicator, seed: configuration.seed)
      trainer.onStep = { [progress] stage, done, total in
        if done == 0 { progress.begin(stage, total: total) }
        progress.advance(to: done)
        if done == total { progress.end() }
      }
      watch?.attend(trainer)
      return trainer
    }
    let trainer = makeTrainer(multiplier)
    if let start { trainer.begin(with: start.agents) }
    try checkpoint.resume(trainer, "agents")
    func warmUp(_ trainer: AgentTrainer) throws {
      try learnTogether(trainer, truths, band: band)
      try trainer.warmStart(
        WarmStartSettings(
          steps: agents.warmStart.steps, batch: agents.warmStart.batch, learningRate: agents.warmStart.learningRate,
          closedLoopRounds: agents.warmStart.closedLoopRounds, missingFraction: agents.warmStart.missingFraction))
    }
    try warmUp(trainer)
    let ppo = PPOSettings(agents.ppo, iterations: configuration.ppoIterations)
    var other: AgentTrainer?
    if alsoUnconstrained {
      let unconstrained = makeTrainer(Multiplier(form: .none, rate: 0))
      let isNew = try !checkpoint.resume(unconstrained, "agents-unconstrained")
      if isNew { try checkpoint.keep(trainer, "agents", trainer.snapshotBeforePPO()) }
      if agents.multipliers.inWarmStart {
        if isNew, let start { unconstrained.begin(with: start.agents) }
        try warmUp(unconstrained)
      } else if isNew {
        unconstrained.adopt(trainer)
      }
      try unconstrained.optimise(ppo)
      try checkpoint.keep(unconstrained, "agents-unconstrained", unconstrained.snapshotAtEnd())
      other = unconstrained
    }
    try trainer.optimise(ppo)
    try checkpoint.keep(trainer, "agents", trainer.snapshotAtEnd())
    for k in truths.indices { checkpoints.remove(reference(k)) }
    return TrainingOutcome(
      agents: TrainedAgents(settings: trainer.settings, agents: trainer.agents),
      unconstrained: other.map { TrainedAgents(settings: $0.settings, agents: $0.agents) },
      constraints: bands.map(\.function.name), report: trainer.report, unconstrainedReport: other?.report, seconds: checkpoint.seconds)
  }
}

extension Multiplier {
  /// A multiplier at its start.
  fileprivate init(_ configured: Configuration.Agents.Multipliers) {
    self.init(
      initial: configured.initial, form: configured.form, rate: configured.rate,
      regularisation: configured.regularisation, floor: configured.floor)
    (proportional, derivative) = (configured.proportional, configured.derivative)
  }
}

extension PPOSettings {
  init(_ ppo: Configuration.Agents.PPO, iterations: Int) {
    self.init(
      iterations: iterations, horizon: ppo.horizon, episode: ppo.episode, sequences: ppo.sequences, epochs: ppo.epochs,
      minibatches: ppo.minibatches, discount: ppo.discount, gaeLambda: ppo.gaeLambda, clip: ppo.clip,
      learningRate: ppo.learningRate, valueLearningRate: ppo.valueLearningRate, entropy: ppo.entropy,
      maximumGradientNorm: ppo.maxGradientNorm, targetKL: ppo.targetKL, reward: ppo.reward,
      rewardWindow: ppo.rewardWindow)
  }
}
