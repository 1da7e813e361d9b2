import DaunceEnsemble
import DaunceMPI
import DaunceNetworks

extension AgentTrainer {
  /// What all agents have to learn alike they learn once: one policy in closed loop with whole ensembles, which are
  /// spread over the ranks, by maximum likelihood of the truth. Then every agent goes on with a copy.
  ///
  /// The gradient is summed in the order of groups of ensembles, so that its bits do not depend on the number of ranks.
  ///
  /// - Parameter makeCase: the twin experiments that ensemble `number` runs through.
  public func learnTogether(_ common: CommonSettings, makeCase: (_ ensemble: Int) throws -> TrainingCase) throws {
    guard common.steps > 0, firstRound <= Round.common else { return }
    // All agents have the same to begin with.
    var multipliers = agents[0].multipliers
    let saved = takeSaved(round: Round.common, key: "common_step")
    let tag = try saved?.integer("noise_tag") ?? nextTag()
    var policy = agents[0].policy
    policy.parameters = try saved?.values("common_policy", count: policy.parameters.count) ?? commonStart()
    let school = try CommonSchool(
      common, settings: settings, policy: policy, bands: penalisesLikelihood ? bands : [], tolerance: tolerance,
      layout: base.layout, communicator: communicator, seed: seed, tag: tag, makeCase: makeCase)
    var optimiser = Adam(parameters: policy.parameters.count)
    var curve = LossCurve(steps: common.steps, agents: 1)
    var first = 0
    if let saved {
      first = try saved.integer("common_step")
      let states: [Double] = try saved.values("common_multipliers", count: 3 * bands.count)
      for b in bands.indices { multipliers[b].state = Array(states[3 * b..<3 * b + 3]) }
      optimiser = try Adam(common: saved, parameters: policy.parameters.count)
      curve.members = [try saved.values("common_curve", count: curve.blocks)]
      try school.restore(from: saved)
    }
    var course = Course("common training", steps: common.steps, agents: agents.count, reviews: reviews)
    let samples = common.batch * settings.cells(in: base.layout)
    func clones() -> [Agent] {
      agents.map { agent in
        var clone = agent
        clone.policy = policy
        clone.multipliers = multipliers
        return clone
      }
    }
    if let saved { try course.restore(from: saved, parameters: policy.parameters.count) }
    onStep?(course.stage, first, common.steps)
    if saved == nil { try review(&course, done: 0, agents: clones(), samples: samples) }
    var t = first
    while t < course.end {
      let loss = try school.step(policy, multipliers, number: t)
      for b in school.means.indices { multipliers[b].ascend(mean: school.means[b]) }
      curve.add(loss, agent: 0, step: t)
      for m in agents.indices { course.add(loss: loss, agent: m) }
      let rate = common.learningRate * course.rate(at: t)
      optimiser.descend(&policy.parameters, gradient: school.gradient, rate: Float(rate), maximumNorm: 5)
      t += 1
      try review(&course, done: t, agents: clones(), samples: samples)
      onStep?(course.stage, t, course.end)
      try onBoundary? {
        var snapshot = snapshot(round: Round.common, step: 0)
        try school.save(into: &snapshot)
        optimiser.save(common: &snapshot)
        snapshot.set("common_policy", policy.parameters)
        snapshot.set("common_multipliers", multipliers.flatMap(\.state))
        snapshot.set("common_curve", curve.members[0])
        snapshot.set("common_step", t)
        course.save(into: &snapshot)
        snapshot.set("noise_tag", tag)
        return snapshot
      }
    }
    agents = clones()
    keepBest(of: course)
    report.history.commonSteps = curve.ends
    report.history.commonLoss = curve.ended(after: t)
  }

  /// The first parameters of the common policy, the same on every rank: those of the first member's agent.
  private func commonStart() throws -> [Float] {
    var parameters = agents[0].policy.parameters
    try communicator.broadcast(&parameters)
    return parameters
  }
}

extension Adam {
  fileprivate init(common snapshot: Snapshot, parameters: Int) throws {
    self.init(parameters: parameters)
    first = try snapshot.values("common_first", count: parameters)
    second = try snapshot.values("common_second", count: parameters)
    step = try snapshot.integer("common_adam_step")
  }

  fileprivate func save(common snapshot: inout Snapshot) {
    snapshot.set("common_first", first)
    snapshot.set("common_second", second)
    snapshot.set("common_adam_step", step)
  }
}
