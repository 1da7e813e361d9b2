import DaunceAgents
import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceNetworks
import DaunceSettings
public import Foundation
import DaunceModels
import DaunceNumerics
import DaunceState

/// What the agents in a folder are, what they were trained for, and which inputs matter to them.
public struct InspectStage {
  let context: ExperimentContext
  let folder: URL

  /// Settings of the experiment that agents in a folder were trained in, as their own file has them.
  ///
  /// - Throws: `ExperimentError` or `ArchiveError` where the folder, or its first agent, cannot be read.
  public static func configuration(ofAgentsIn folder: URL) throws -> Configuration {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw ExperimentError(
        .inputOutput, folder.path, found: "no such folder", expected: "the folder agents that train or run has written")
    }
    let path = folder.appending(path: "agent-0000.nc").path
    guard let text = try DatasetReader(path: path).text("configuration") else {
      throw ExperimentError(
        .data, path, "attribute configuration", found: "none", expected: "an agent's file, as train or run writes it")
    }
    return try Configuration(yaml: text, source: path)
  }

  /// - Parameter context: of the experiment that the agents were trained in.
  public init(_ context: ExperimentContext, folder: URL) { (self.context, self.folder) = (context, folder) }

  /// A text of several lines on rank 0, an empty one elsewhere. Collective.
  ///
  /// - Parameters:
  ///   - truths: unseen ones, that the importance of inputs is measured on; 0: it is not.
  ///   - cycles: of each.
  public func run(truths: Int, cycles: Int) throws -> String {
    let trained = try AgentStore(context: context).load(from: folder)
    var lines = try describe(trained)
    if truths > 0 { lines += try importance(trained, truths: truths, cycles: cycles) }
    return context.communicator.isRoot ? lines.joined(separator: "\n") : ""
  }

  // MARK: What they are

  private func describe(_ trained: TrainedAgents) throws -> [String] {
    let (settings, agent, layout) = (trained.settings, trained.agents[0], context.layout)
    let configuration = context.configuration
    let source = try DatasetReader(path: folder.appending(path: "agent-0000.nc").path).text("source")
    let fields = layout.fields.map(\.name).joined(separator: " ")
    let kinds = settings.observed.map(\.name).joined(separator: " ")
    func layers(_ network: Network) -> String {
      "layers \(network.sizes.map(String.init).joined(separator: " ")), \(network.parameters.count) parameters"
    }
    func row(_ name: String, _ value: String) -> String { name.padding(toLength: 15, withPad: " ", startingAt: 0) + value }
    var lines = [
      row("agents", "\(configuration.members) in \(folder.path), of \(source ?? "an unknown version")"),
      row("model", "\(context.model.name), \(context.traits.units) units, \(layout.cells) cells, \(fields)"),
      row("correct", settings.base == .analysis ? "the analysis of \(configuration.agents.filter.rawValue)" : settings.base.rawValue),
      row("set", settings.controls.map { layout.fields[$0].name }.joined(separator: " ")),
      row("see", "\(settings.inputs.rawValue), a window of \(settings.window) cells, observations of \(kinds)"),
      row("target, draws", "\(settings.target.rawValue), \(settings.draws.rawValue), bounds \(settings.bounds.rawValue)"),
      row("trained for", trainedFor(settings)),
      row("policy", "\(layers(agent.policy)), \(agent.policyOptimiser.step) steps of its optimiser in its last stage"),
      row("value", layers(agent.value)),
      row(
        "apart",
        String(format: "%.3f", try distance(trained.agents))
          + " (root mean square of the policies' differences from their mean, over their size)"),
    ]
    let values = try multipliers(trained.agents)
    if let form = agent.multipliers.first?.form, !values.isEmpty {
      lines.append(row("multipliers", "\(form.rawValue), \(values.map { String(format: "%.3g", $0) }.joined(separator: " "))"))
    }
    return lines
  }

  private func trainedFor(_ settings: AgentSettings) -> String {
    let configuration = context.configuration
    let common = configuration.agents.common
    let varied = common.steps > 0
    func list<Element>(_ values: [Element]) -> String { values.map { "\($0)" }.joined(separator: " ") }
    var parts = [
      "\(list(varied ? common.members ?? [configuration.members] : [configuration.members])) members",
      "an observation every \(list((varied ? common.intervals : [1]).map { $0 * context.observing.stepsBetween })) time steps",
      "starts \(list((varied ? common.starts ?? [configuration.initial.kind] : [configuration.initial.kind]).map(\.rawValue)))",
    ]
    if varied, common.coverage != [1] { parts.append("shares of the network \(list(common.coverage))") }
    if varied, common.errorFactors != [1] { parts.append("error variances times \(list(common.errorFactors))") }
    if varied, common.gaps > 0 { parts.append("\(common.gaps) of the times without observations") }
    return parts.joined(separator: ", ")
  }

  /// How far policies are from their mean, over the mean's size. Collective.
  private func distance(_ agents: [Agent]) throws -> Double {
    let gathered = GatheredEnsemble(
      width: agents[0].policy.parameters.count, distribution: context.distribution, communicator: context.communicator)
    try gathered.gather(agents.map { $0.policy.parameters.map(Double.init) })
    let (width, count) = (gathered.width, context.distribution.members)
    var (squares, size) = (0.0, 0.0)
    for k in 0..<width {
      let values = (0..<count).map { gathered.members[$0 * width + k] }
      let mean = values.reduce(0, +) / Double(count)
      size += mean * mean
      squares += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    }
    return size > 0 ? (squares / size).squareRoot() : 0
  }

  /// Every agent's multiplier of the first band. Collective.
  private func multipliers(_ agents: [Agent]) throws -> [Double] {
    let own = agents.flatMap { $0.multipliers.prefix(1).map(\.value) }
    guard try context.communicator.allreduce(own.isEmpty ? 0.0 : 1.0, .min) == 1 else { return [] }
    var all = [Double](repeating: 0, count: context.distribution.members)
    try context.communicator.allgatherv(
      own, into: &all, counts: (0..<context.distribution.ranks).map { context.distribution.range(of: $0).count })
    return all
  }

  // MARK: Which inputs matter

  private func importance(_ trained: TrainedAgents, truths: Int, cycles: Int) throws -> [String] {
    let band = try context.bandOfAgents()
    let unseen = try HeldBackTruths(context, count: truths, cycles: cycles, bands: band.map { [$0] } ?? [])
    let catalogue = InputCatalogue()
    let kept = trained.agents.map {
      InputImportance($0.policy, settings: trained.settings, layout: context.layout, limit: truths * cycles)
    }
    context.progress.begin("importance of inputs", total: 1)
    let skill = try unseen.skill(of: trained, band: band, catalogue: catalogue) { m, tile, anchors, truth in
      kept[m].keep(tile, anchors: anchors, truth: truth)
    }
    let groups = catalogue.groups
    let losses = context.distribution.local.enumerated().map { m, member in
      let stream = RandomStream(seed: context.configuration.seed, purpose: .importance, member: member)
      let (loss, rises) = kept[m].losses(trained.agents[m].policy, groups: groups.map(\.count), stream: stream)
      return [loss] + rises
    }
    let gathered = GatheredEnsemble(
      width: groups.count + 1, distribution: context.distribution, communicator: context.communicator)
    try gathered.gather(losses)
    context.progress.end()
    let members = context.distribution.members
    let means = (0...groups.count).map { k in
      (0..<members).reduce(0) { $0 + gathered.members[$1 * gathered.width + k] } / Double(members)
    }
    return table(groups, means, skill, truths: truths, cycles: cycles)
  }

  /// Agents know the model's own fields by their numbers only.
  private func name(_ input: String) -> String {
    let own = context.traits.auxiliaryNames
    return own.indices.first { input == "field \($0 + 1) of the model's own" }.map { own[$0] } ?? input
  }

  private func table(
    _ groups: [(name: String, count: Int)], _ means: [Double], _ skill: HeldBackTruths.Skill?, truths: Int, cycles: Int
  ) -> [String] {
    var lines = ["", "On \(truths) unseen truths of \(cycles) cycles:"]
    if let skill {
      let inBand = skill.inBands.first.map { String(format: ", in band %.1f %%", 100 * $0) } ?? ""
      lines.append(
        String(format: "error of the mean %.4f, CRPS %.4f, over the fields' scales%@", skill.error, skill.crps, inBand))
    } else {
      lines.append("the agents failed")
    }
    lines += [
      String(format: "negative log-likelihood of the truth %.4f an action; without an input's own values it rises by", means[0]),
      "", "   rise  inputs",
    ]
    let order = groups.indices.sorted { means[$0 + 1] > means[$1 + 1] }
    lines += order.map { k in
      String(format: "%7.4f  %6d  ", means[k + 1], groups[k].count) + name(groups[k].name)
    }
    return lines
  }
}
