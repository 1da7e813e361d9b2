import DaunceAgents
import DaunceArchive
import DaunceEnsemble
import DaunceSettings
public import Foundation
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
  func path(_ folder: URL, _ member: Int) -> String {
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

  /// What loaded agents are for.
  package enum Use {
    case acting
    /// As the start of another training: of another background, units or resolution, too.
    case learning
  }

  /// Every rank loads its own members' agents. Where there are more members than agents, agents are taken again in turn:
  /// each member draws random numbers of its own. Collective.
  ///
  /// - Throws: `ArchiveError` for a missing or damaged file, `ExperimentError` naming what the agents were trained for
  ///   where they cannot do without it, or the member whose agent differs in kind from the others.
  package func load(from folder: URL, for use: Use = .acting) throws -> TrainedAgents {
    let (trained, remarks) = try context.communicator.collectively {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
        throw ExperimentError(
          .inputOutput, folder.path, found: "no such folder",
          expected: "the folder agents that train or run has written")
      }
      let count = try agentCount(in: folder)
      var loaded: [(settings: AgentSettings, agent: Agent)] = []
      var remarks: [String] = []
      for member in context.distribution.local {
        let number = member % count
        let file = try ArrayFile.read(path(folder, number))
        if member == 0 { remarks = try self.remarks(on: file, agents: count) }
        loaded.append(try load(file, path(folder, number), number, count, use))
        guard loaded[0].settings == loaded[loaded.count - 1].settings else {
          throw ExperimentError(
            .data, path(folder, number), found: "an agent of another kind than others in \(folder.path)",
            expected: "agents of one training")
        }
      }
      return (TrainedAgents(settings: loaded[0].settings, agents: loaded.map(\.agent)), remarks)
    }
    var weighted = trained
    if use == .acting { weighted.weights = try context.communicator.collectively { try weights(in: folder) } }
    for remark in remarks where use == .acting { context.progress.note("\(folder.path): \(remark)") }
    // Ranks with other settings would communicate at other times.
    try context.communicator.agree(
      on: Digest.xxh64(Array("\(trained.settings)".utf8)), about: "the agents' settings in \(folder.path)")
    return weighted
  }

  /// Agents as the start of a training. What they know observations' errors and their situation relative to they keep.
  /// Collective.
  ///
  /// - Throws: what `load` throws, and `ExperimentError` naming the key where the agents are not of the kind that is
  ///   to be trained.
  func loadToLearn(from folder: URL) throws -> TrainedAgents {
    let trained = try load(from: folder, for: .learning)
    let (found, own) = (trained.settings, context.agentSettings)
    func names(_ settings: AgentSettings) -> String {
      settings.controls.map { context.layout.fields[$0].name }.joined(separator: " ")
    }
    let pairs: [(key: String, found: String, expected: String)] = [
      ("agents.base", found.base.rawValue, own.base.rawValue), ("agents.inputs", found.inputs.rawValue, own.inputs.rawValue),
      ("agents.window", "\(found.window)", "\(own.window)"), ("agents.hidden", "\(found.hidden)", "\(own.hidden)"),
      ("agents.controls", names(found), names(own)), ("agents.bounds", found.bounds.rawValue, own.bounds.rawValue),
      ("agents.sees_constraints", "\(!found.seenBands.isEmpty)", "\(context.configuration.agents.seesConstraints)"),
    ]
    if let pair = pairs.first(where: { $0.found != $0.expected }) {
      throw ExperimentError(
        .data, folder.path, found: "agents with \(pair.found) for \(pair.key)",
        expected: "\(pair.expected), as configured (key \(pair.key)), or a configuration like theirs")
    }
    return trained
  }

  /// How many agents were trained together.
  private func agentCount(in folder: URL) throws -> Int {
    let first = path(folder, 0)
    let text = try ArrayFile.read(first).text("members")
    guard let count = Int(text), (1...ExactSum.memberLimit).contains(count) else {
      throw ExperimentError(.data, first, "attribute members", found: text, expected: "a number of agents")
    }
    return count
  }

  /// Weights of all members, if the configuration asks for them: an agent's are shared by the members that it acts for.
  private func weights(in folder: URL) throws -> [Double] {
    guard let kind = context.configuration.agents.weights.kind else { return [] }
    let path = folder.appending(path: "weights.nc").path
    guard FileManager.default.fileExists(atPath: path) else {
      throw ExperimentError(
        .inputOutput, path, found: "no such file", expected: "what daunce-mpi weigh --agents \(folder.path) writes (key agents.weights)")
    }
    let own = try WeightsFile.weights(kind, in: path, members: try agentCount(in: folder))
    guard own.count != context.distribution.members else { return own }
    let all = (0..<context.distribution.members).map { own[$0 % own.count] }
    let sum = all.reduce(0, +)
    return all.map { $0 / sum }
  }

  /// What the user should know of agents that act elsewhere than where they learned; nothing where they were trained to.
  private func remarks(on file: ArrayFile, agents count: Int) throws -> [String] {
    guard !file.attributes.contains(where: { $0.name == "typical_interval" }) else { return [] }
    var remarks: [String] = []
    let members = context.configuration.members
    if members != count {
      remarks.append("\(count) agents trained together act for \(members) members and have not learned what to make of that")
    }
    for trait in traits(observed: []) where !trait.bindsActing {
      let found = try file.text(trait.name)
      guard found != trait.value else { continue }
      remarks.append(
        "the agents were trained with \(found) for \(trait.name), here it is \(trait.value)"
          + (trait.key.map { " (key \($0))" } ?? ""))
    }
    if try file.text("base") == AgentSettings.Base.analysis.rawValue, try file.text("filter") != corrected {
      remarks.append(
        "the agents were trained on analyses of \(try file.text("filter")); here they correct those of \(corrected)")
    }
    return remarks
  }

}

extension ExperimentContext {
  /// Agents to act here, with a note where they were trained for something else. Collective.
  ///
  /// - Throws: `ArchiveError` for a missing or damaged file, `ExperimentError` where the agents cannot do here what they
  ///   were trained for.
  public func agentsToAct(from folder: URL) throws -> TrainedAgents { try AgentStore(context: self).load(from: folder) }

  /// Agents as the start of a training here: of another background, units, resolution, network or number of members,
  /// too. Collective.
  ///
  /// - Throws: `ArchiveError` for a missing or damaged file, `ExperimentError` naming the key where the agents are not of
  ///   the kind that is to be trained.
  public func agentsToLearn(from folder: URL) throws -> TrainedAgents {
    try AgentStore(context: self).loadToLearn(from: folder)
  }
}
