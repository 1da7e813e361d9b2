import DaunceArchive
import DaunceCoupling
import DaunceEnsemble
import DaunceMPI
import DaunceNumerics
import DaunceObservations
import DaunceSettings
import DaunceState
import Foundation

extension HostedAnalysis {
  /// What an analysis is made of, checked on all ranks.
  struct Parts {
    let context: ExperimentContext
    let method: AssimilationMethod
    let file: (path: String, cycles: [ObservationSet])?
    let start: Double
    /// Of the local members, where there is a file of them (`[member][layout.count]`).
    let initial: [[Double]]

    /// Collective; local mistakes are told on all ranks before anything is communicated that depends on them.
    init(_ settings: HostedSettings, _ communicator: Communicator, _ notes: any ProgressReporter) throws {
      let (configuration, description, kind) = try communicator.hosted {
        (try settings.configuration(), try settings.modelDescription(), try settings.checkedMethod())
      }
      try communicator.agree(
        on: settings.digest, about: "the description, its arrays, the method, the time, or whether there are agents, files, a coarse forecast")
      try Self.checkMembers(settings.members, configuration, communicator)
      try Self.checkAdditive(configuration, kind)
      let model = try communicator.hosted { try HostModel(description, arrays: settings.arrays, coarse: settings.coarse) }
      let context = try ExperimentContext(
        configuration: configuration, communicator: communicator, progress: notes, model: model)
      (start, initial) = try Self.beginning(settings, context)
      let origin = start / model.timeStep
      guard abs(origin) < 1e15 else {
        throw HostedError(.usage, "daunce_set_time", found: "\(start)", expected: "a number of time steps that can be counted")
      }
      let trained = try settings.agents.map { try context.agentsToAct(from: URL(filePath: $0)) }
      file = try Self.open(settings, start, context, trained)
      let seed = configuration.seed
      method = try LinearAlgebra.withOneThread {
        try trained.map {
          try AssimilationMethod.agents(
            $0, name: kind.rawValue, context: context, seed: seed, band: nil, origin: Int(origin.rounded()))
        } ?? AssimilationMethod.filter(kind, context: context, seed: seed, band: nil, origin: Int(origin.rounded()))
      }
      self.context = context
    }

    /// Time of the first states, and the local ones of a file.
    private static func beginning(
      _ settings: HostedSettings, _ context: ExperimentContext
    ) throws -> (start: Double, initial: [[Double]]) {
      guard let path = settings.initial else { return (settings.start ?? 0, []) }
      let (layout, communicator) = (context.layout, context.communicator)
      let file = try communicator.hosted {
        try EnsembleFile.read(path, layout: layout, memberCount: context.configuration.members, clock: context.clock)
      }
      try communicator.agree(
        on: Digest.xxh64(([file.time] + file.members).withUnsafeBytes { Array($0) }), about: "the initial ensemble")
      if let told = settings.start, abs(told - file.time) > 1e-3 * context.interval {
        throw HostedError(.usage, "daunce_set_time", found: "\(told)", expected: "\(file.time), the time of \(path)")
      }
      return (file.time, context.distribution.local.map { Array(file.members[file.range(of: $0, count: layout.count)]) })
    }

    /// Reads the file of observations, on all ranks.
    private static func open(
      _ settings: HostedSettings, _ start: Double, _ context: ExperimentContext, _ trained: TrainedAgents?
    ) throws -> (path: String, cycles: [ObservationSet])? {
      guard let path = settings.observations else { return nil }
      let (series, cycles) = try context.communicator.hosted {
        let series = try ObservationTimes(
          path: path, layout: context.layout, quantities: context.networks.quantities, laws: context.networks.laws,
          clock: context.clock)
        return (series, try ObservedSeries.schedule(series, start: start, context, initial: settings.initial ?? "daunce_set_time", observations: path).cycles)
      }
      try context.communicator.agree(on: Digest.xxh64(series.numbers.withUnsafeBytes { Array($0) }), about: "the observations")
      series.warn(context, of: path, about: trained)
      return (path, cycles)
    }

    /// Every rank has to hold the block that `Distribution` gives it.
    private static func checkMembers(_ own: Int, _ configuration: Configuration, _ communicator: Communicator) throws {
      var counts = [Int64](repeating: 0, count: communicator.size)
      try communicator.allgatherv([Int64(own)], into: &counts, counts: [Int](repeating: 1, count: communicator.size))
      let total = counts.reduce(0) { $0 &+ $1 }
      if let rank = counts.firstIndex(where: { $0 < 1 }) {
        throw HostedError(
          .usage, "daunce_set_members", found: "\(counts[rank]) members on rank \(rank)", expected: "at least one on every rank of the communicator")
      }
      guard total == Int64(configuration.members) else {
        throw HostedError(
          .usage, "daunce_set_members", found: "\(total) members on all ranks together", expected: "\(configuration.members) (key members)")
      }
      let distribution = try Distribution(
        members: configuration.members, ranks: communicator.size, rank: communicator.rank)
      let blocks = (0..<communicator.size).map { distribution.range(of: $0).count }
      if let rank = blocks.indices.first(where: { Int64(blocks[$0]) != counts[$0] }) {
        throw HostedError(
          .usage, "daunce_set_members", found: "\(counts[rank]) members on rank \(rank)",
          expected: "\(blocks[rank]): blocks of members in the order of ranks, whose sizes differ by one at most, larger ones first")
      }
    }

    /// Perturbations of the climate come from nature runs, which a host's model is not asked for.
    private static func checkAdditive(_ configuration: Configuration, _ method: Configuration.Method) throws {
      let filter = configuration.settled(for: method.isAgents ? configuration.agents.filter : method).filter
      guard filter.additive == 0 else {
        throw HostedError(
          .badData, "key filter.additive", found: "\(filter.additive)", expected: "0: the perturbations come from nature runs, and a host's model is not run")
      }
    }
  }
}
