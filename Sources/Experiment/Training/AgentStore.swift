import DaunceAgents
import DaunceArchive
import DaunceEnsemble
import DaunceSettings
package import Foundation
import DaunceMPI
import DaunceModels
import DaunceObservations
import DaunceState

/// Agents as files: one a member, with its networks, both optimisers' states, its multipliers and what it was trained
/// for.
package struct AgentStore {
  let context: ExperimentContext

  /// - Parameter context: which agents have to fit.
  package init(context: ExperimentContext) { self.context = context }

  /// File of a member's agent.
  private func path(_ folder: URL, _ member: Int) -> String {
    folder.appending(path: String(format: "agent-%04d.nc", member)).path
  }

  /// Every rank saves its own members' agents. Not collective but for a final agreement that all succeeded.
  func save(_ trained: TrainedAgents, in folder: URL, provenance: Provenance) throws {
    try context.communicator.collectively {
      for (agent, member) in zip(trained.agents, context.distribution.local) {
        try file(agent, trained.settings, member).write(
          to: path(folder, member), provenance: provenance.titled("agent of ensemble member \(member)"))
      }
    }
  }

  private func file(_ agent: Agent, _ settings: AgentSettings, _ member: Int) -> ArrayFile {
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
    var notes = identity(member: member, observed: settings.observed.map(\.name)).map { Attribute($0.name, $0.value) }
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
    ]
    if settings.base == .analysis { notes.append(Attribute("filter", corrected)) }
    return ArrayFile(arrays: arrays, attributes: notes)
  }

  /// The filter whose analysis agents correct, with everything that decides what it does.
  private var corrected: String {
    let (name, filter) = (context.configuration.agents.filter.rawValue, context.configuration.filter)
    let settings = [filter.inflation, filter.rtps, filter.rtpp, filter.additive].map { "\($0)" }.joined(separator: " ")
    let widths = filter.halfWidths.map { " \($0.field) \($0.halfWidth)" }.joined()
    return "\(name), update \(filter.update.rawValue), half-width \(filter.halfWidth.map { "\($0)" } ?? "none")\(widths), "
      + "inflation, rtps, rtpp, additive \(settings)"
  }

  /// What an agent is trained for and cannot be used without, as words that a message can show, and the configuration's
  /// key for it.
  private func identity(member: Int, observed: [String]) -> [(name: String, value: String, key: String?)] {
    let model = context.configuration.model
    let background = model.name == .mjoSkeleton ? ", \(model.background.rawValue) background" : ""
    return [
      ("model", "\(context.model.name), \(context.traits.units) units\(background)", "model"),
      ("variables", context.layout.fields.map(\.name).joined(separator: " "), nil),
      ("cells", "\(context.layout.cells)", "model.cells"),
      ("time_steps_between_observations", "\(context.observing.stepsBetween)", "observations.interval"),
      ("observed", observed.joined(separator: " "), "observations.networks"),
      ("members", "\(context.configuration.members)", "members"),
      ("member", "\(member)", nil),
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

  /// Every rank loads its own members' agents. Collective.
  ///
  /// - Throws: `ArchiveError` for a missing or damaged file, `ExperimentError` naming what the agents were trained for
  ///   where that differs from this context, or the member whose agent differs in kind from the others.
  package func load(from folder: URL) throws -> TrainedAgents {
    let trained = try context.communicator.collectively {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
        throw ExperimentError(
          .inputOutput, folder.path, found: "no such folder",
          expected: "the folder agents that train or run has written")
      }
      var loaded: [(settings: AgentSettings, agent: Agent)] = []
      for member in context.distribution.local {
        loaded.append(try load(path(folder, member), member))
        guard loaded[0].settings == loaded[loaded.count - 1].settings else {
          throw ExperimentError(
            .data, path(folder, member), found: "an agent of another kind than in \(path(folder, member - 1))",
            expected: "agents of one training")
        }
      }
      return TrainedAgents(settings: loaded[0].settings, agents: loaded.map(\.agent))
    }
    // Ranks with other settings would communicate at other times.
    try context.communicator.agree(
      on: Digest.xxh64(Array("\(trained.settings)".utf8)), about: "the agents' settings in \(folder.path)")
    return trained
  }

  private func load(_ path: String, _ member: Int) throws -> (AgentSettings, Agent) {
    let file = try ArrayFile.read(path)
    for (name, expected, key) in identity(member: member, observed: context.agentSettings.observed.map(\.name)) {
      let found = try file.text(name)
      guard found == expected else {
        let advice = "the agents were trained for another experiment; use its settings, or train new ones"
        throw ExperimentError(
          .data, path, "attribute \(name)", found: found,
          expected: "\(expected)\(key.map { " (key \($0))" } ?? ""): \(advice)")
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
    let (policy, policyOptimiser) = try network("policy", in: file, path)
    let (value, valueOptimiser) = try network("value", in: file, path)
    let controls = try file.text("controls").split(separator: " ").compactMap { context.layout.fieldIndex(String($0)) }
    let settings = AgentSettings(
      base: try choice("base"), inputs: try choice("inputs"), target: try choice("target"), draws: try choice("draws"),
      rankPersistence: try rankPersistence(), bounds: try choice("bounds"), controls: controls,
      observed: try observed(in: file, path), window: try file.integer("window"),
      hidden: Array(policy.sizes.dropFirst().dropLast()))
    if settings.base == .analysis {
      let found = try file.text("filter")
      guard found == corrected else {
        throw ExperimentError(
          .data, path, "attribute filter", found: found,
          expected: "\(corrected) (keys agents.filter and filter), or agents trained on this filter's analyses")
      }
    }
    let form: MultiplierForm = try choice("multiplier_form")
    let multipliers = try file.doubles("multipliers").map { value in
      Multiplier(
        restored: value, form: form, rate: try file.number("multiplier_rate"),
        regularisation: try file.number("multiplier_regularisation"), floor: try file.number("multiplier_floor"))
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
