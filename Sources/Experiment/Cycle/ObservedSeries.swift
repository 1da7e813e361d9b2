import DaunceMPI
import DaunceModels
import DaunceAgents
import DaunceArchive
import DaunceObservations
import DaunceState
import Foundation

/// A user's initial ensemble and file of observations, as an experiment goes through them.
struct ObservedSeries {
  /// Files.
  let initialPath, observationsPath: String
  /// What is observed, by time.
  let observations: ObservationTimes
  /// Observations of every cycle from the initial time on; those between observation times have none.
  let cycles: [ObservationSet]
  /// Cycles at whose end there is an observation time.
  let recorded: Set<Int>
  /// Time before the first cycle, in time steps.
  let origin: Int
  private let start: EnsembleFile
  private let count: Int

  /// Times of the observations, in the model's unit.
  var times: [Double] { observations.times }

  /// The state of a member at the beginning (`[layout.count]`).
  func initial(_ member: Int) -> [Double] { Array(start.members[start.range(of: member, count: count)]) }

  /// Reads both files. Every rank reads both small files: all see the same error, and nothing has to be sent.
  init(_ context: ExperimentContext, initial: URL, observations: URL) throws {
    (initialPath, observationsPath, count) = (initial.path, observations.path, context.layout.count)
    start = try EnsembleFile.read(
      initial.path, layout: context.layout, memberCount: context.configuration.members, clock: context.clock)
    self.observations = try ObservationTimes(
      path: observations.path, layout: context.layout, quantities: context.networks.quantities, laws: context.networks.laws,
      clock: context.clock)
    (cycles, recorded) = try Self.schedule(
      self.observations, start: start.time, context, initial: initial.path, observations: observations.path)
    origin = Int((start.time / context.model.timeStep).rounded())
  }

  /// Lines observation times up with cycles of the configured interval.
  static func schedule(
    _ series: ObservationTimes, start: Double, _ context: ExperimentContext, initial: String, observations: String
  ) throws -> (cycles: [ObservationSet], recorded: Set<Int>) {
    let interval = context.interval
    guard abs(start / context.model.timeStep) < 1e15 else {
      throw ExperimentError(
        .data, initial, "time", found: "\(start)",
        expected: "less than \(1e15 * context.model.timeStep), a number of time steps that can be counted")
    }
    var (cycles, recorded) = ([ObservationSet](), Set<Int>())
    for (time, observed) in zip(series.times, series.sets) {
      let position = (time - start) / interval
      let cycle = position.rounded()
      guard abs(position - cycle) < 1e-3, cycle > Double(cycles.count), cycle < 1e7 else {
        throw ExperimentError(
          .data, observations, "variable time", found: "\(time)",
          expected: "\(start) (model time of \(initial)) plus a whole positive multiple of \(interval), the "
            + "interval between observations (key observations.interval), one time to each multiple, at most 1e7 of them")
      }
      while cycles.count < Int(cycle) { cycles.append(.none) }
      cycles[Int(cycle) - 1] = observed
      recorded.insert(Int(cycle))
    }
    return (cycles, recorded)
  }

  /// Digest of what was read, for files need not be the same on every machine.
  var digest: UInt64 {
    let numbers = start.members + observations.numbers + [start.time]
    return Digest.xxh64(numbers.withUnsafeBytes { Array($0) })
  }

  /// Tells what is in the files and has no effect on the analyses.
  func warn(_ context: ExperimentContext, about trained: TrainedAgents?) {
    observations.warn(context, of: observationsPath, about: trained)
  }
}

extension ObservationTimes {
  /// Everything that decides what is assimilated, one number after the other.
  var numbers: [Double] {
    sets.reduce(into: times) { numbers, observed in
      numbers.append(Double(observed.count))
      numbers += observed.network.kinds.map(Double.init) + observed.values + observed.errorVariances
      for place in observed.network.places { numbers += (0..<3).map { place.coordinates[$0] } }
    }
  }

  /// Tells what is in the file and has no effect on the analyses.
  func warn(_ context: ExperimentContext, of path: String, about trained: TrainedAgents?) {
    if context.communicator.isRoot, let truths = try? ObservationFile.count(in: path), truths > 1 {
      context.progress.note("\(path): observations of \(truths) truths; the first truth's are used")
    }
    let flagged = flagCounts.filter { $0.flag != .used }.map { "\($0.count) \($0.flag.name)" }
    if count == 0 {
      context.progress.note("\(path): no usable observation (\(flagged.joined(separator: ", "))): analyses are forecasts")
    } else if !flagged.isEmpty {
      context.progress.note("\(path): \(count) observations used; left out: \(flagged.joined(separator: ", "))")
    }
    guard let trained else { return }
    let kinds = Dictionary(uniqueKeysWithValues: trained.settings.observed.map { ($0.number, $0) })
    let unseen = Set(sets.flatMap { $0.network.kinds.map(Int.init) }).subtracting(kinds.keys).sorted()
    if !unseen.isEmpty {
      let names = unseen.map { context.networks.quantities[$0].name }.joined(separator: ", ")
      context.progress.note("\(path): the agents were trained without observations of \(names) and leave them out")
    }
    for observed in sets {
      for (number, found) in zip(observed.network.kinds, observed.errorVariances) {
        guard let kind = kinds[Int(number)], !kind.seesError,
          abs(found - kind.errorVariance) > 1e-3 * kind.errorVariance
        else { continue }
        return context.progress.note(
          "\(path): found error variance \(found); the agents were trained with \(kind.errorVariance) alone and have not "
            + "learned what to make of another one")
      }
    }
  }
}
