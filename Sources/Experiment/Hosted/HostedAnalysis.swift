public import DaunceMPI
import DaunceState
import DaunceArchive
import DaunceCoupling
import DaunceEnsemble
import DaunceNumerics
import DaunceObservations
import DaunceSettings
import Foundation

/// Analyses within a program that carries its ensemble by itself: the updates of `daunce-mpi assimilate`, to the same bits,
/// of states that the program hands over.
///
/// Every function but the properties is collective, and throws the same error on all ranks.
public final class HostedAnalysis {
  let context: ExperimentContext
  let method: AssimilationMethod
  var ensemble: DistributedEnsemble
  /// The last cycle that has an analysis; 0 before the first.
  public internal(set) var cycle = 0
  /// Whether `ensemble` holds an analysis.
  var hasAnalysis = false
  private let start: Double
  /// States of the local members at the beginning, where a file has them (`[member][stateSize]`).
  public private(set) var initial: [[Double]]
  private let file: (path: String, cycles: [ObservationSet])?
  private let observations: HostedObservations
  private let summary: AnalysisSummary

  /// Checks everything that the host has told, on all ranks, before anything takes time.
  ///
  /// - Parameter communicator: of all ranks of the ensemble, a duplicate that nobody else uses.
  public convenience init(
    _ settings: HostedSettings, communicator: Communicator, notes: any ProgressReporter
  ) throws(HostedError) {
    self.init(try communicator.hosted { try Parts(settings, communicator, notes) })
  }

  private init(_ parts: Parts) {
    (context, method, file) = (parts.context, parts.method, parts.file)
    (start, initial) = (parts.start, parts.initial)
    ensemble = context.makeEnsemble()
    observations = HostedObservations(context)
    summary = AnalysisSummary(context)
  }

  /// Of a member's state.
  var layout: StateLayout { context.layout }
  /// Numbers of a member's state.
  public var stateSize: Int { layout.count }
  /// Coordinates of a place.
  public var axes: Int { layout.geometry.axes.count }
  /// Members of all ranks.
  public var members: Int { context.distribution.members }
  /// Members that this rank holds.
  public var heldMembers: Int { local.count }
  /// Number of the first member that this rank holds.
  public var firstMember: Int { local.lowerBound }
  var local: Range<Int> { context.distribution.local }
  /// Time between cycles, in the model's unit.
  public var interval: Double { context.interval }
  /// Time of the last analysis, or of the beginning.
  public var time: Double { start + Double(cycle) * interval }
  /// The last cycle that the file has observations of; 0 without a file.
  public var lastObserved: Int { file?.cycles.count ?? 0 }

  /// The 64 bits that a model of `daunce-mpi` is given for its noise on the way to a cycle.
  public func seed(member: Int, cycle: Int) -> UInt64 {
    RandomStream(seed: context.configuration.seed, purpose: .forecastNoise, member: member, cycle: cycle).seed
  }

  /// Turns the forecasts of a time into analyses, in place. After an error the states are as they were; what the update
  /// keeps from cycle to cycle is, too, unless the code is `HostedError.lost` or one of MPI's.
  ///
  /// - Parameters:
  ///   - time: the start and a whole number of intervals, later than the last one.
  ///   - states: of the local members, in their order (`[member][layout.count]`).
  ///   - batches: observations of this time beside the file's: the same on all ranks, or on rank 0 alone.
  ///   - found: what is wrong on this rank already, which is thrown on all.
  public func assimilate(
    time: Double, states: [UnsafeMutablePointer<Double>], batches: [HostedBatch], problem found: HostedError? = nil
  ) throws(HostedError) {
    let communicator = context.communicator
    var checked = 0
    let problem = Result { () throws(HostedError) in
      if let found { throw found }
      checked = try self.number(of: time)
      try take(states)
    }
    let given = try observed(batches, time: time, problem)
    let number = checked
    let due = file.flatMap { $0.cycles.indices.contains(number - 1) ? $0.cycles[number - 1] : nil }
    if let given, let file, let due, given.count > 0, due.count > 0 {
      throw HostedError(
        .usage, "daunce_assimilate", found: "observations of time \(time) by daunce_observe and in \(file.path)",
        expected: "one of them")
    }
    hasAnalysis = false
    try communicator.hosted {
      let broken = try LinearAlgebra.withOneThread {
        try method.cycle(&ensemble, observations: given ?? due ?? .none, number: number)
      }
      if let broken { throw broken }
      guard let lost = firstLost else { return }
      throw HostedError(
        code: HostedError.lost,
        "\(method.name) failed at time \(time): member \(lost) is negative where it must not be, not finite, or beyond a "
          + "hundred scales of its field from the reference")
    }
    for (m, state) in states.enumerated() {
      ensemble.states[m].withUnsafeBufferPointer { from in
        if let from = from.baseAddress { state.update(from: from, count: layout.count) }
      }
    }
    if let file, number > cycle + 1 {
      notePassed(file.path, file.cycles[min(cycle, file.cycles.count)..<min(number - 1, file.cycles.count)])
    }
    (cycle, hasAnalysis, initial) = (number, true, [])
  }

  /// Mean and standard deviation (divisor N - 1) of the last analysis over all members, on every rank (`[layout.count]`).
  public func moments() throws(HostedError) -> (mean: [Double], spread: [Double]) {
    try context.communicator.hosted {
      guard hasAnalysis else {
        throw HostedError(.usage, "daunce_moments", found: "no analysis yet", expected: "a call of daunce_assimilate before")
      }
      try summary.summarise(ensemble)
      var (mean, spread) = (summary.mean, summary.spread)
      try context.communicator.broadcast(&mean)
      try context.communicator.broadcast(&spread)
      return (mean, spread)
    }
  }

  /// The cycle that ends at a time.
  private func number(of time: Double) throws(HostedError) -> Int {
    let position = (time - start) / context.interval
    let number = position.rounded()
    guard abs(position - number) < 1e-3, number > Double(cycle), number < 1e9 else {
      throw HostedError(
        .usage, "daunce_assimilate", found: "time \(time)",
        expected: "\(start) (the start) plus a whole multiple of \(context.interval), the interval between observations (key "
          + "observations.interval), after \(start + Double(cycle) * context.interval)")
    }
    return Int(number)
  }

  /// Copies the host's states, and refuses what is no number.
  private func take(_ states: [UnsafeMutablePointer<Double>]) throws(HostedError) {
    for (m, state) in states.enumerated() {
      guard FiniteNumbers.areAll(state, count: layout.count) else {
        let i = (0..<layout.count).first { !state[$0].isFinite } ?? 0
        let (field, cell) = layout.cell(of: i)
        throw HostedError(
          .badData, "member \(local.lowerBound + m)", found: "\(state[i]) in cell \(cell) of \(layout.fields[field].name)",
          expected: "finite numbers")
      }
      ensemble.states[m].withUnsafeMutableBufferPointer { $0.baseAddress?.update(from: state, count: layout.count) }
    }
  }

  /// The first member held here that cannot go on, by its number.
  private var firstLost: Int? {
    ensemble.states.indices.first { m in !context.soundRanges.allSatisfy { $0.holds(ensemble.states[m]) } }
      .map { local.lowerBound + $0 }
  }

  private func notePassed(_ path: String, _ passed: ArraySlice<ObservationSet>) {
    let count = passed.reduce(0) { $0 + $1.count }
    if count > 0 { context.progress.note("\(path): \(count) observations of times that were passed over") }
  }

  /// Makes sure that all ranks mean the same time and observations, and gives all of them rank 0's.
  ///
  /// - Parameter problem: of this rank, which is thrown on all.
  /// - Returns: `nil` where no rank has any.
  private func observed(
    _ batches: [HostedBatch], time: Double, _ problem: Result<Void, HostedError>
  ) throws(HostedError) -> ObservationSet? {
    let communicator = context.communicator
    if communicator.size == 1 {
      try problem.get()
      return batches.isEmpty ? nil : try observations.makeSet(of: batches, at: time)
    }
    let own = PackedBytes(batches).bytes
    let digest = own.isEmpty ? 0 : Digest.xxh64(own) | 1
    let has: UInt64 = own.isEmpty ? 0 : 1
    var isFailed: UInt64 = 0
    if case .failure = problem { isFailed = 1 }
    // Maxima of x and of its complement, which hold its minimum.
    var votes = [isFailed, time.bitPattern, ~time.bitPattern, has, 1 - has, digest, own.isEmpty ? 0 : ~digest]
    do { try communicator.allreduce(&votes, .max) } catch { throw HostedError(of: error) }
    if votes[0] > 0 { try communicator.hosted { try problem.get() } }
    guard votes[1] == ~votes[2] else {
      throw HostedError(.usage, "daunce_assimilate", found: "another time on some ranks", expected: "the same on all")
    }
    guard votes[3] > 0 else { return nil }
    guard votes[5] == ~votes[6] else {
      throw HostedError(
        .usage, "daunce_observe", found: "other observations on some ranks",
        expected: "the same on all, or on rank 0 alone")
    }
    return try communicator.hosted {
      if votes[4] == 0 { return try observations.makeSet(of: batches, at: time) }
      var bytes = own
      try communicator.broadcast(resizing: &bytes)
      guard !bytes.isEmpty else {
        throw HostedError(
          .usage, "daunce_observe", found: "observations, but none on rank 0",
          expected: "the same on all ranks, or on rank 0 alone")
      }
      var unpacked = UnpackedBytes(bytes)
      return try observations.makeSet(of: unpacked.batches(), at: time)
    }
  }
}
