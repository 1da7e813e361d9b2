import DaunceAgents
import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceNetworks
import DaunceObservations
import DaunceSettings
import DaunceState

/// One agent as a file: its networks, its optimisers' states, its multipliers and what it was trained for.
extension AgentStore {
  func file(_ agent: Agent, _ settings: AgentSettings, _ member: Int) -> ArrayFile {
    func network(_ name: String, _ network: Network, _ optimiser: Adam) -> [NamedArray] {
      [
        NamedArray("\(name)_sizes", network.sizes.map { Int64($0) }),
        NamedArray("\(name)_parameters", network.parameters),
        NamedArray("\(name)_first_moments", optimiser.first),
        NamedArray("\(name)_second_moments", optimiser.second),
        NamedArray("\(name)_optimiser_step", [Int64(optimiser.step)]),
      ]
    }
    var arrays = network("policy", agent.policy, agent.policyOptimiser)
    arrays += network("value", agent.value, agent.valueOptimiser)
    arrays.append(NamedArray("multipliers", agent.multipliers.map(\.value)))
    var notes = traits(observed: settings.observed.map(\.name)).map { Attribute($0.name, $0.value) }
    notes += [Attribute("members", "\(context.configuration.members)"), Attribute("member", "\(member)")]
    let observed = described(settings.observed)
    arrays += observed.arrays
    notes += observed.notes
    notes += [
      Attribute("multiplier_form", agent.multipliers.first?.form.rawValue ?? MultiplierForm.none.rawValue),
      Attribute("base", settings.base.rawValue), Attribute("inputs", settings.inputs.rawValue),
      Attribute("target", settings.target.rawValue), Attribute("draws", settings.draws.rawValue),
      Attribute("rank_persistence", settings.rankPersistence ?? 0), Attribute("bounds", settings.bounds.rawValue),
      Attribute("controls", settings.controls.map { context.layout.fields[$0].name }.joined(separator: " ")),
      Attribute("window", settings.window),
      Attribute("multiplier_rate", agent.multipliers.first?.rate ?? 0),
      Attribute("multiplier_regularisation", agent.multipliers.first?.regularisation ?? 0),
      Attribute("multiplier_floor", agent.multipliers.first?.floor ?? 0),
      Attribute("multiplier_proportional", agent.multipliers.first?.proportional ?? 0),
      Attribute("multiplier_derivative", agent.multipliers.first?.derivative ?? 0),
    ]
    if settings.base == .analysis { notes.append(Attribute("filter", corrected)) }
    if !settings.seenBands.isEmpty {
      notes.append(Attribute("seen_functions", settings.seenBands.map(\.name).joined(separator: " ")))
      arrays.append(NamedArray("seen_bands", settings.seenBands.flatMap { [$0.lower, $0.upper] }))
    }
    if let interval = settings.typicalInterval { notes.append(Attribute("typical_interval", interval)) }
    return ArrayFile(arrays: arrays, attributes: notes)
  }

  /// The filter whose analysis agents correct, with everything that decides what it does.
  var corrected: String {
    let method = context.configuration.agents.filter
    let (name, filter) = (method.rawValue, context.configuration.filter.settings(of: method))
    let settings = [filter.inflation, filter.rtps, filter.rtpp, filter.additive].map { "\($0)" }.joined(separator: " ")
    let widths = filter.halfWidths.map { " \($0.field) \($0.halfWidth)" }.joined()
    return "\(name), update \(filter.update.rawValue), half-width \(filter.halfWidth.map { "\($0)" } ?? "none")\(widths), "
      + "inflation, rtps, rtpp, additive \(settings)"
  }

  /// What an agent was trained for, as words that a message can show.
  struct Trait {
    let name: String
    let value: String
    /// The configuration's key for it.
    var key: String?
    /// Whether agents are of no use where this is another, to act there and to learn from there.
    var bindsActing = true
    var bindsLearning = true
  }

  /// What an agent is trained for. How many members there are, how often they are observed and where the filter has its
  /// settings from may be another when it acts.
  func traits(observed: [String]) -> [Trait] {
    let model = context.configuration.model
    let background = model.name == .mjoSkeleton ? ", \(model.background.rawValue) background" : ""
    return [
      Trait(
        name: "model", value: "\(context.model.name), \(context.traits.units) units\(background)", key: "model",
        bindsLearning: false),
      Trait(name: "variables", value: context.layout.fields.map(\.name).joined(separator: " ")),
      Trait(name: "cells", value: "\(context.layout.cells)", key: "model.cells", bindsLearning: false),
      Trait(
        name: "time_steps_between_observations", value: "\(context.observing.stepsBetween)",
        key: "observations.interval", bindsActing: false, bindsLearning: false),
      Trait(name: "observed", value: observed.joined(separator: " "), key: "observations.networks"),
    ]
  }

  /// What is observed, as a file has it: one field with one error in a single attribute, anything else kind by kind.
  private func described(_ observed: [AgentSettings.Observed]) -> (arrays: [NamedArray], notes: [Attribute]) {
    if observed.count == 1, !observed[0].seesError,
      observed[0].operation == ObservationOperator(fields: [observed[0].number])
    {
      return ([], [Attribute("error_variance", observed[0].errorVariance)])
    }
    return (
      [
        NamedArray("observed_error_variances", observed.map(\.errorVariance)),
        NamedArray("observed_error_inputs", observed.map { Int64($0.seesError ? 1 : 0) }),
      ], [Attribute("observed_operators", observed.map { words($0.operation) }.joined(separator: "; "))]
    )
  }

  /// An operator as words: `identity X`, `absolute norm u v`, `identity mean 8 Z`.
  private func words(_ operation: ObservationOperator) -> String {
    let combination = operation.fields.count > 1 ? [operation.combination.rawValue] : []
    let mean = operation.footprint > 1 ? ["mean", "\(operation.footprint)"] : []
    let fields = operation.fields.map { context.layout.fields[$0].name }
    return ([operation.function.rawValue] + combination + mean + fields).joined(separator: " ")
  }

  /// The observed kinds of this context with the errors and inputs of a file's agents.
  private func observed(in file: ArrayFile, _ path: String) throws -> [AgentSettings.Observed] {
    let own = context.agentSettings.observed
    func kinds(_ errorVariances: [Double], _ inputs: [Int64]) -> [AgentSettings.Observed] {
      own.indices.map { j in
        .init(
          name: own[j].name, number: own[j].number, operation: own[j].operation, errorVariance: errorVariances[j],
          seesError: inputs[j] == 1)
      }
    }
    if own.count == 1, !file.arrays.contains(where: { $0.name == "observed_error_variances" }) {
      return kinds([try file.number("error_variance")], [0])
    }
    let expected = own.map { words($0.operation) }.joined(separator: "; ")
    let found = try file.text("observed_operators")
    guard found == expected else {
      throw ExperimentError(
        .data, path, "attribute observed_operators", found: found,
        expected: "\(expected) (key observations.networks): the agents were trained for another experiment; use its "
          + "settings, or train new ones")
    }
    return kinds(
      try file.doubles("observed_error_variances", shape: [own.count]),
      try file.integers("observed_error_inputs", shape: [own.count]))
  }

  func load(
    _ file: ArrayFile, _ path: String, _ member: Int, _ count: Int, _ use: Use
  ) throws -> (AgentSettings, Agent) {
    let own = traits(observed: context.agentSettings.observed.map(\.name))
    let parts = [Trait(name: "members", value: "\(count)"), Trait(name: "member", value: "\(member)")]
    for trait in own + parts where use == .acting ? trait.bindsActing : trait.bindsLearning {
      let found = try file.text(trait.name)
      guard found == trait.value else {
        let advice = "the agents were trained for another experiment; use its settings, or train new ones"
        throw ExperimentError(
          .data, path, "attribute \(trait.name)", found: found,
          expected: "\(trait.value)\(trait.key.map { " (key \($0))" } ?? ""): \(advice)")
      }
    }
    func choice<Choice: RawRepresentable<String>>(_ name: String) throws -> Choice {
      let word = try file.text(name)
      guard let choice = Choice(rawValue: word) else {
        throw ExperimentError(
          .data, path, "attribute \(name)", found: word, expected: "a choice that this version knows")
      }
      return choice
    }
    func rankPersistence() throws -> Double {
      let share = try file.number("rank_persistence")
      guard (0...1).contains(share) else {
        throw ExperimentError(.data, path, "attribute rank_persistence", found: "\(share)", expected: "a share from 0 to 1")
      }
      return share
    }
    func typicalInterval() throws -> Double? {
      guard file.attributes.contains(where: { $0.name == "typical_interval" }) else { return nil }
      let interval = try file.number("typical_interval")
      guard interval > 0, interval.isFinite else {
        throw ExperimentError(.data, path, "attribute typical_interval", found: "\(interval)", expected: "a time above 0")
      }
      return interval
    }
    let (policy, policyOptimiser) = try network("policy", in: file, path)
    let (value, valueOptimiser) = try network("value", in: file, path)
    let controls = try file.text("controls").split(separator: " ").compactMap { context.layout.fieldIndex(String($0)) }
    let settings = AgentSettings(
      base: try choice("base"), inputs: try choice("inputs"), target: try choice("target"), draws: try choice("draws"),
      rankPersistence: try rankPersistence(), bounds: try choice("bounds"), controls: controls,
      observed: try observed(in: file, path), window: try file.integer("window"),
      hidden: Array(policy.sizes.dropFirst().dropLast()), typicalInterval: try typicalInterval(),
      seenBands: try seenBands(in: file, path))
    let form: MultiplierForm = try choice("multiplier_form")
    let multipliers = try file.doubles("multipliers").map { value in
      var multiplier = Multiplier(
        restored: value, form: form, rate: try file.number("multiplier_rate"),
        regularisation: try file.number("multiplier_regularisation"), floor: try file.number("multiplier_floor"))
      if form == .pid {
        multiplier.proportional = try file.number("multiplier_proportional")
        multiplier.derivative = try file.number("multiplier_derivative")
      }
      return multiplier
    }
    guard settings.fits(policy, layout: context.layout, auxiliary: context.traits.auxiliaryNames.count) else {
      throw ExperimentError(
        .data, "\(path): found a policy of layers \(policy.sizes), which doesn't fit its own settings")
    }
    return (
      settings,
      Agent(
        policy: policy, value: value, policyOptimiser: policyOptimiser, valueOptimiser: valueOptimiser,
        multipliers: multipliers)
    )
  }

  /// Functions that agents see, with their bands.
  private func seenBands(in file: ArrayFile, _ path: String) throws -> [AgentSettings.SeenBand] {
    guard file.attributes.contains(where: { $0.name == "seen_functions" }) else { return [] }
    let names = try file.text("seen_functions").split(separator: " ").map(String.init)
    let limits = try file.doubles("seen_bands", shape: [2 * names.count])
    return try names.enumerated().map { k, name in
      let known = context.traits.energies.map(\.name)
      guard known.contains(name) else {
        throw ExperimentError(
          .data, path, "attribute seen_functions", found: name,
          expected: "functions of \(context.model.name): \(known.joined(separator: ", "))")
      }
      guard limits[2 * k] < limits[2 * k + 1] else {
        throw ExperimentError(
          .data, path, "variable seen_bands", found: "\(limits[2 * k]) and \(limits[2 * k + 1])", expected: "two ascending numbers")
      }
      return .init(name: name, lower: limits[2 * k], upper: limits[2 * k + 1])
    }
  }

  /// A network and its optimiser's state.
  private func network(_ name: String, in file: ArrayFile, _ path: String) throws -> (Network, Adam) {
    let sizes = try file.integers("\(name)_sizes").map { Int($0) }
    let parameters = try file.floats("\(name)_parameters")
    guard sizes.allSatisfy({ (1...100_000).contains($0) }), let network = Network(sizes: sizes, parameters: parameters)
    else {
      throw ExperimentError(
        .data, path, "variable \(name)_parameters", found: "\(parameters.count) numbers",
        expected: "a network of layers \(sizes)")
    }
    var adam = Adam(parameters: parameters.count)
    adam.first = try file.floats("\(name)_first_moments", shape: [parameters.count])
    adam.second = try file.floats("\(name)_second_moments", shape: [parameters.count])
    adam.step = Int(try file.integers("\(name)_optimiser_step", shape: [1])[0])
    return (network, adam)
  }
}
