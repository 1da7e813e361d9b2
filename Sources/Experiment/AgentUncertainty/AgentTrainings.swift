import DaunceNetworks
import DaunceAgents
import DaunceArchive
import DaunceMPI
import DaunceSettings
import DaunceUncertainty
import Foundation

/// Agents of one or several trainings, all of them on every rank, and the experiment that they act in: that of the first.
struct AgentTrainings {
  /// The experiment as this rank does it alone.
  let context: ExperimentContext
  /// All agents of every training (`[training]`).
  let trained: [TrainedAgents]
  /// Of the experiment and of all policies.
  let digest: UInt64

  /// Reads the agents. Collective.
  init(
    _ folders: [URL], _ settings: UncertaintyConfiguration.Agents, communicator: Communicator, progress: any ProgressReporter
  ) throws {
    let configuration = try communicator.collectively {
      var own = try InspectStage.configuration(ofAgentsIn: folders[0])
      if let truths = settings.truths { own.truths.test = truths }
      if let cycles = settings.cycles { own.truths.cycles = cycles }
      try own.validate(source: .program)
      return own
    }
    guard let alone = try communicator.split(color: communicator.rank) else {
      throw ExperimentError(.bug, "a rank is in no group of ranks")
    }
    let context = try communicator.collectively {
      try ExperimentContext(configuration: configuration, communicator: alone, progress: progress)
    }
    let trained = try communicator.collectively {
      try Self.check(configuration, folders[0], settings)
      return try folders.map { folder in
        let count = try InspectStage.configuration(ofAgentsIn: folder).members
        guard count == configuration.members else {
          throw ExperimentError(
            .data, folder.path, found: "\(count) agents", expected: "\(configuration.members), as in \(folders[0].path)")
        }
        return try AgentStore(context: context).load(from: folder)
      }
    }
    let digests = trained.map { one in
      Digest.xxh64(one.agents.flatMap { agent in agent.policy.parameters.withUnsafeBytes { Array($0) } })
    }
    for (k, digest) in digests.enumerated() {
      guard let first = digests.firstIndex(of: digest), first < k else { continue }
      throw ExperimentError(
        .data, folders[k].path, found: "the agents of \(folders[first].path)",
        expected: "those of another training (train --seed with another number)")
    }
    digest = Digest.xxh64((digests + [configuration.digest]).withUnsafeBytes { Array($0) })
    try communicator.agree(on: digest, about: "the agents")
    (self.context, self.trained) = (context, trained)
  }

  private static func check(
    _ configuration: Configuration, _ folder: URL, _ settings: UncertaintyConfiguration.Agents
  ) throws {
    guard configuration.members > 1 else {
      throw ExperimentError(
        .data, folder.path, found: "one agent", expected: "at least two, whose differences tell of their weights")
    }
    guard settings.pairings <= configuration.members else {
      throw ExperimentError(
        .data, "key agents.pairings", found: "\(settings.pairings)",
        expected: "at most \(configuration.members), the members of the agents' experiment")
    }
  }
}
