import DaunceNetworks
import Glibc
import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceState

extension AgentTrainer {
  /// Proximal policy optimisation in closed loop with a Lagrange multiplier for every band (3.2-3.9): each iteration
  /// rolls out all agents together, updates every agent's multipliers and then its own policy and value network.
  public func optimise(_ ppo: PPOSettings) throws {
    guard ppo.iterations > 0, firstRound <= Round.ppo else { return }
    let saved = takeSaved(round: Round.ppo)
    if saved == nil { report.rewardFirst = try evaluate(ppo) }
    let lesson = try PPOLesson(self, ppo, rolloutTag: try saved?.integer("rollout_tag") ?? nextTag())
    onStep?("PPO", 0, ppo.iterations)
    var course = Course("PPO", steps: ppo.iterations, agents: agents.count, hasConstantRate: true, reviews: reviews)
    let samples = ppo.horizon * ppo.sequences * lesson.runner.cells * distribution.members
    var iteration = 0
    if let saved {
      iteration = try saved.integer("step")
      try lesson.rollout.restore(from: saved)
      try course.restore(from: saved, parameters: agents[0].policy.parameters.count)
    } else {
      for m in agents.indices { agents[m].policyOptimiser = Adam(parameters: agents[m].policy.parameters.count) }
      try review(&course, done: 0, agents: agents, samples: samples)
    }
    let stopwatch = Stopwatch(report)
    while iteration < course.end {
      let rewards = try improve(by: lesson, iteration)
      iteration += 1
      for m in agents.indices { course.add(loss: -rewards[m], agent: m) }
      try review(&course, done: iteration, agents: agents, samples: samples)
      onStep?("PPO", iteration, course.end)
      try onBoundary? {
        try stopwatch.read(into: &report, communicator)
        var snapshot = snapshot(round: Round.ppo, step: iteration)
        course.save(into: &snapshot)
        lesson.rollout.save(into: &snapshot)
        return snapshot
      }
    }
    try stopwatch.read(into: &report, communicator)
    keepBest(of: course)
    report.samples = iteration * samples
    report.rewardLast = try evaluate(ppo)
    report.multiplierLast = try gatherOverMembers(agents.map { $0.multipliers.first?.value ?? 0 })
  }

  /// One iteration: a rollout, the multipliers' ascent, and the update of policies and value networks.
  ///
  /// - Returns: the local members' mean rewards.
  private func improve(by lesson: PPOLesson, _ iteration: Int) throws -> [Double] {
    let (ppo, tag) = (lesson.ppo, nextTag())
    let outcome = try lesson.collector.collect(lesson.rollout, into: lesson.experiences, agents: agents, tag: tag)
    for m in agents.indices {
      for b in bands.indices {
        agents[m].multipliers[b].ascend(deviation: outcome.deviation[m][b], tolerance: 1)
      }
      lesson.learner.learn(
        &agents[m], from: lesson.experiences[m],
        stream: RandomStream(
          seed: seed, purpose: .trainingOrder, member: distribution.local.lowerBound + m, cycle: tag << 20),
        progress: Double(iteration) / Double(ppo.iterations),
        // The first tenth teaches the value network only: advantages against an untrained one would lead the policy
        // astray.
        valueOnly: iteration < ppo.iterations / 10)
    }
    report.reward.append(try averageOverMembers(outcome.reward))
    report.multiplier.append(try averageOverMembers(agents.map { $0.multipliers.first?.value ?? 0 }))
    try remember(outcome)
    return outcome.reward
  }

  /// Mean reward (without penalty) per cell and step on rollouts that are the same at every call.
  func evaluate(_ ppo: PPOSettings) throws -> Double {
    let runner = makeRunner(sequences: ppo.sequences)
    let evaluationTag = 0xFFF
    let rollout = try Rollout(data: data, runner: runner, seed: seed, tag: evaluationTag, missingFraction: 0)
    let collector = RolloutCollector(agent: agents[0], bands: bands, tolerance: tolerance, ppo: ppo, runner: runner)
    let steps = max(64, ppo.horizon)
    let outcome = try collector.run(rollout, agents: agents, steps: steps, tag: evaluationTag)
    report.history.evaluation += try gatherOverMembers(outcome.reward)
    return try averageOverMembers(outcome.reward)
  }

  /// Keeps every agent's reward, multipliers and deviations of an iteration.
  private func remember(_ outcome: RolloutCollector.Outcome) throws {
    report.history.reward += try gatherOverMembers(outcome.reward)
    report.history.multiplier += try gatherOverMembers(
      agents.flatMap { $0.multipliers.map(\.value) }, width: bands.count)
    report.history.deviation += try gatherOverMembers(outcome.deviation.flatMap { $0 }, width: bands.count)
  }
}

/// What all iterations of PPO share.
private final class PPOLesson {
  let ppo: PPOSettings
  let runner: PolicyRunner
  let rollout: Rollout
  /// Of the local members.
  let experiences: [RolloutBuffer]
  let collector: RolloutCollector
  let learner: PPOLearner

  init(_ trainer: AgentTrainer, _ ppo: PPOSettings, rolloutTag: Int) throws {
    self.ppo = ppo
    let runner = trainer.makeRunner(sequences: ppo.sequences)
    self.runner = runner
    rollout = try Rollout(
      data: trainer.data, runner: runner, seed: trainer.seed, tag: rolloutTag, missingFraction: 0, episode: ppo.episode)
    let lanes = runner.vectors * Lanes.scalarCount
    experiences = trainer.agents.map { agent in
      RolloutBuffer(
        steps: ppo.horizon, sequences: ppo.sequences, lanes: lanes, inputs: agent.policy.sizes[0],
        actionCount: runner.actionCount)
    }
    let agent = trainer.agents[0]
    collector = RolloutCollector(
      agent: agent, bands: trainer.bands, tolerance: trainer.tolerance, ppo: ppo, runner: runner)
    learner = PPOLearner(ppo: ppo, head: runner.head, agent: agent)
  }
}

/// Measures a training that goes on where an earlier one was interrupted.
private struct Stopwatch {
  private let before: (wall: Double, processor: Double)
  private let start = (wall: Self.now(CLOCK_MONOTONIC), processor: Self.now(CLOCK_PROCESS_CPUTIME_ID))

  init(_ report: TrainingReport) { before = (report.seconds, report.processorSeconds) }

  /// Wall seconds of the slowest rank and processor seconds of all. Collective.
  func read(into report: inout TrainingReport, _ communicator: Communicator) throws {
    report.seconds = before.wall + (try communicator.allreduce(Self.now(CLOCK_MONOTONIC) - start.wall, .max))
    report.processorSeconds =
      before.processor + (try communicator.allreduce(Self.now(CLOCK_PROCESS_CPUTIME_ID) - start.processor, .sum))
  }

  /// Seconds on one of the system's clocks.
  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
