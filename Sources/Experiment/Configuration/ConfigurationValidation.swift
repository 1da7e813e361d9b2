import DaunceAgents
public import DaunceSettings
public import DaunceState

extension Configuration {
  /// Refuses values outside their keys' rules and keys that contradict each other.
  public func validate(source: ConfigurationError.Source) throws(ConfigurationError) {
    var problems = misfits(source: source)
    for contradiction in contradictions + ownContradictions + agentContradictions + strangeKeys where contradiction.holds {
      problems.append(describe(contradiction, source: source))
    }
    for (i, network) in observations.networks.enumerated() {
      guard let wrong = network.contradiction else { continue }
      problems.append(
        .init(
          .contradiction, source: source, keys: ["observations.networks[\(i)].\(wrong.key)"], found: network.text,
          expected: wrong.expected))
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
  }

  /// Keys of the section `model` that are set, but belong to other models.
  private var strangeKeys: [Contradiction] {
    guard let own = modelEntry else { return [] }
    return zip(leaves, Configuration().leaves).compactMap { leaf, declared in
      let path = leaf.name.split(separator: ".").map(String.init)
      guard path.count == 2, path[0] == "model", path[1] != "name", !own.keys.contains(path[1]),
        leaf.text != declared.text
      else { return nil }
      let takers = ModelEntry.registry.entries.filter { $0.keys.contains(path[1]) }.map(\.name)
      return Contradiction(true, "model.name", leaf.name, "\(takers.joined(separator: " or ")) for this key")
    }
  }

  /// The rules that tie keys together: what is refused, the keys that are to blame, and what would be right.
  private var contradictions: [Contradiction] {
    let defaults = Configuration()
    let functions = modelEntry?.energies ?? []
    return [
      .init(
        truths.spinupCycles >= truths.cycles, "truths.spinup_cycles", "truths.cycles",
        "a spin-up shorter than the truth"),
      .init(
        truths.spinupCycles >= truths.trainingCycles, "truths.spinup_cycles", "truths.training_cycles",
        "a spin-up shorter than the truth"),

      .init(
        energy != .off && !functions.contains(energy), "model.name", "constraints.energy",
        (functions.map(\.rawValue).sorted() + ["none"]).joined(separator: " or ") + " for \(model.name.rawValue)"),
      .init(
        constraints.further.contains { $0 == .off || !functions.contains($0) }, "model.name", "constraints.further",
        functions.isEmpty ? "no functions for \(model.name.rawValue)" : functions.map(\.rawValue).sorted().joined(separator: " or ")),
      .init(
        Set(constraints.further + [energy]).count <= constraints.further.count, "constraints.energy", "constraints.further", "every function once"),
      .init(
        !constraints.further.isEmpty && energy == .off, "constraints.energy", "constraints.further",
        "an energy, to which further functions are added"),
      .init(
        agents.seesConstraints && energy == .off, "constraints.energy", "agents.sees_constraints", "a function for agents to see"),
      .init(
        agents.seesConstraints && agents.inputs == .literal, "agents.inputs", "agents.sees_constraints",
        "other inputs than the literal ones"),
      .init(
        agents.multipliers.form != .pid && (agents.multipliers.proportional > 0 || agents.multipliers.derivative > 0),
        "agents.multipliers.form", agents.multipliers.proportional > 0 ? "agents.multipliers.proportional" : "agents.multipliers.derivative",
        "the form pid for its factors"),
      .init(
        model.noiseScheme == .feller && model.noiseAmplitude == 0, "model.noise_scheme", "model.noise_amplitude",
        "noise for the Feller scheme to sample, or the scheme euler-floor"),

      .init(
        [.plugin, .bmi].contains(model.name) && model.library == nil, "model.name", "model.library", "the file of a shared library"),
      .init(
        model.name == .external && model.description == nil, "model.name", "model.description", "the file that says what a state is"),
      .init(
        model.name == .external && model.command == nil && model.worker == nil, "model.name", "model.command",
        "a program that carries a state, or model.worker"),
      .init(
        forecasts.leastMembers.map { $0 > members } ?? false, "members", "forecasts.least_members", "at most all members"),
      .init(
        model.name == .bmi && model.register == nil, "model.name", "model.register", "the name of the registering function"),
      .init(
        model.name == .bmi && model.variables.isEmpty, "model.name", "model.variables", "at least one prognostic variable"),
      .init(
        energy == .off && constraints.band != nil, "constraints.energy", "constraints.band", "an energy for the band"),

      .init(
        !observations.networks.isEmpty && observations.interval != nil, "observations.networks", "observations.interval",
        "intervals of the networks' own"),
      .init(
        !observations.networks.isEmpty && observations.errorVariance != nil, "observations.networks",
        "observations.error_variance", "errors of the networks' own"),
      .init(
        !filter.halfWidths.isEmpty && filter.update == .all, "filter.half_widths", "filter.update",
        "update: own for half-widths of single variables"),

      .init(filter.rtps > 0 && filter.rtpp > 0, "filter.rtps", "filter.rtpp", "one way of relaxation"),
      .init(
        methods.contains {
          filter.settings(of: $0).nonlinear.order == .together && LocalEntry.registry[$0.rawValue]?.isScalar ?? false
        },
        "filter.nonlinear.order", "methods", "serial for methods that know one observation at a time"),
      .init(
        methods.contains { filter.settings(of: $0).nonlinear.losesBounds([$0.rawValue]) }, "filter.nonlinear.regression",
        "methods", "probit or linear for laws with bounds"),
      .init(
        filter.adaptive > 0 && filter.inflation != 1, "filter.adaptive", "filter.inflation",
        "1, or no adaptive inflation: one of the two"),
      .init(
        filter.adaptive == 0 && filter.byMethod.allSatisfy { $0.adaptive ?? 0 == 0 }
          && filter.adaptiveDamping != defaults.filter.adaptiveDamping, "filter.adaptive",
        "filter.adaptive_damping", "a prior above 0 for an inflation to be damped"),

      .init(
        initial.kind == .climatology && initial.spread != defaults.initial.spread, "initial.kind", "initial.spread",
        "perturbed for a spread"),
      .init(
        initial.kind == .climatology && initial.centre != defaults.initial.centre, "initial.kind", "initial.centre",
        "perturbed for a centre"),

      .init(
        filter.halfWidth.map(isTooWide) ?? false, "filter.half_width", "model.cells",
        "a half-width of a quarter of the circle at most, or none"),
      .init(
        filter.halfWidths.contains { isTooWide($0.halfWidth) }, "filter.half_widths", "model.cells",
        "half-widths of a quarter of the circle at most"),
      .init(methods.contains { $0.isAgents } && cells > 0 && agents.window > cells, "agents.window", "model.cells", "a window no wider than the grid"),

      .init(
        ppoIterations > 0 && agents.ppo.horizon > truths.trainingCycles - truths.spinupCycles,
        "agents.ppo.horizon",
        "truths.training_cycles", "a horizon that fits in a training truth after its spin-up"),
      .init(
        agents.ppo.minibatches > agents.ppo.horizon * agents.ppo.sequences, "agents.ppo.minibatches",
        "agents.ppo.sequences", "no more minibatches than horizon times sequences"),
      .init(
        agents.common.steps == 0 && agents.warmStart.steps == 0 && ppoIterations == 0
          && (methods.contains(.rl) || methods.contains(.rlUnconstrained)),
        "agents.warm_start.steps", "agents.ppo.iterations", "some training for the method rl"),
      .init(
        agents.multipliers.form == .none && methods.contains(.rl) && methods.contains(.rlUnconstrained), "methods",
        "agents.multipliers.form",
        "a form, or only one of rl and rl-unconstrained: without multipliers they are the same"),
      .init(
        agents.multipliers.form != .regularised
          && agents.multipliers.regularisation != defaults.agents.multipliers.regularisation,
        "agents.multipliers.form", "agents.multipliers.regularisation", "the form regularised for a weight beta"),
    ]
  }

  /// Whether a half-width, in cells, is more than a quarter of a grid whose size the configuration decides.
  private func isTooWide(_ halfWidth: Double) -> Bool { cells > 0 && 4 * halfWidth > Double(cells) }

  /// Whether the particle filter is asked for proposals that it cannot make.
  private func proposesWithout(_ key: (Filter) -> Bool) -> Bool {
    let own = filter.settings(of: .particleFilter)
    return own.proposal == .optimal && key(own)
  }

  /// What single methods have in place of the section `filter`.
  private var ownContradictions: [Contradiction] {
    func own(_ key: String, _ expected: String, _ isWrong: (Filter) -> Bool) -> Contradiction {
      let isTheirs = filter.byMethod.contains { isWrong(filter.settings(of: $0.method)) }
      return .init(isTheirs && !isWrong(filter), "filter.by_method", key, expected)
    }
    return [
      .init(
        filter.byMethod.contains { $0.method.isAgents }, "filter.by_method", "methods",
        "filters: agents have no settings of this section, but their teacher has"),
      .init(
        Set(filter.byMethod.map(\.method)).count < filter.byMethod.count, "filter.by_method", "methods",
        "every method once"),
      .init(
        proposesWithout { $0.additive == 0 }, "filter.proposal", "filter.additive",
        "a noise above 0 for an optimal proposal, or the proposal prior"),
      .init(
        proposesWithout { $0.adaptive > 0 || $0.inflation > 1 || $0.rtps > 0 || $0.rtpp > 0 }, "filter.proposal",
        "filter.inflation", "no other inflation or relaxation with an optimal proposal, or the proposal prior"),
      own("filter.rtps", "one way of relaxation") { $0.rtps > 0 && $0.rtpp > 0 },
      own("filter.inflation", "1, or no adaptive inflation: one of the two") { $0.adaptive > 0 && $0.inflation != 1 },
      own("model.cells", "half-widths of a quarter of the circle at most") {
        $0.halfWidth.map(isTooWide) ?? false
      },
    ]
  }

  /// What agents are, see and draw.
  private var agentContradictions: [Contradiction] {
    let seesEnsemble = agents.inputs == .ensemble || agents.inputs == .covariances
    return [
      .init(
        agents.inputs == .literal && agents.base != .persistence, "agents.inputs", "agents.base",
        "persistence for the literal inputs, which are differences of analyses"),
      .init(
        agents.inputs != .ensemble && agents.base == .analysis, "agents.inputs", "agents.base",
        "inputs ensemble for agents that correct an analysis"),
      .init(
        agents.base != .analysis && agents.common.steps > 0, "agents.base", "agents.common.steps",
        "analysis for a common training"),
      .init(
        (agents.common.intervals.max() ?? 1) * 10 > truths.trainingCycles && agents.common.intervals != [1], "agents.common.intervals",
        "truths.training_cycles", "training truths of ten observation times at the longest interval"),
      .init(
        agents.common.steps == 0
          && (agents.common.members != nil || agents.common.starts != nil || agents.common.intervals != [1]
            || agents.common.coverage != [1] || agents.common.errorFactors != [1] || agents.common.gaps > 0),
        "agents.common.steps", "agents.common", "steps of a common training, which is where situations vary"),
      .init(
        agents.base == .analysis && filter.settings(of: agents.filter).adaptive > 0, "agents.base", "filter.adaptive",
        "0 for agents that correct an analysis: in training every sequence would need an inflation of its own"),
      .init(
        agents.filter.isAgents || agents.filter.isLarge, "agents.filter", "methods",
        "a filter with as many members as there are agents"),
      .init(
        ppoIterations > 0 && agents.ppo.reward == .ensembleCRPS && (!seesEnsemble || agents.target != .truth), "agents.ppo.reward",
        seesEnsemble ? "agents.target" : "agents.inputs", "agents that see the ensemble and aim at the truth, for a reward that they share"),
      .init(
        agents.ppo.rewardWindow > 1 && (agents.ppo.reward != .ensembleCRPS || cells > 0 && agents.ppo.rewardWindow > cells), "agents.ppo.reward_window",
        agents.ppo.reward != .ensembleCRPS ? "agents.ppo.reward" : "model.cells", "a window no wider than the grid, for the reward ensemble-crps"),
      .init(
        drawsOfAgents == .anomalies && !seesEnsemble, "agents.draws", "agents.inputs",
        "agents that see the ensemble, for anomalies"),
      .init(
        (agents.rankPersistence ?? 0) > 0 && drawsOfAgents != .stratified, "agents.rank_persistence", "agents.draws",
        "stratified draws for an order to be kept"),
      .init(
        (agents.rankPersistence ?? 0) > 0 && !seesEnsemble, "agents.rank_persistence",
        "agents.inputs", "agents that see the ensemble, for an order to be kept"),
    ]
  }

  /// The variables that agents set, as numbers in `layout`.
  ///
  /// - Parameters:
  ///   - observed: the observed fields, set by default.
  ///   - source: where the configuration comes from, for messages.
  /// - Throws: `ConfigurationError` when a name is no variable of the model, or with `base: persistence` when one
  ///   is left out: nothing would carry it forward.
  public func controlledVariables(
    in layout: StateLayout, observed: [Int], source: ConfigurationError.Source = .program
  ) throws(ConfigurationError) -> [Int] {
    let names = layout.fields.map(\.name)
    guard let controls = agents.controls else {
      return agents.base == .persistence ? Array(names.indices) : observed
    }
    let known = names.joined(separator: ", ")
    let problems = controls.filter { !names.contains($0) }.map { name in
      ConfigurationError.Problem(
        .outOfRange, source: source, keys: ["agents.controls"], found: name,
        expected: "variables of \(model.name.rawValue): \(known)")
    }
    guard problems.isEmpty else { throw ConfigurationError(problems) }
    let contradiction = Contradiction(
      agents.base == .persistence && names.contains { !controls.contains($0) }, "agents.base", "agents.controls",
      "all of \(known), since persistence carries no variable forward, or the base coarse-step")
    guard !contradiction.holds else { throw ConfigurationError([describe(contradiction, source: source)]) }
    return names.indices.filter { controls.contains(names[$0]) }
  }
}
