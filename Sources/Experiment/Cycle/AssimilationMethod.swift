public import DaunceAgents
import DaunceAssimilation
package import DaunceConstraints
package import DaunceEnsemble
import DaunceMPI
import Foundation
import DaunceModels
import DaunceNumerics
package import DaunceObservations
import DaunceState

/// One way of carrying an ensemble through a series of observations: a forecast and an update. Filters forecast every
/// member with the full stochastic model, agents with their cheap base.
package final class AssimilationMethod {
  /// The word in `methods`.
  package let name: String
  private let forecast: (inout DistributedEnsemble, Int) throws -> Void
  private var update: any EnsembleUpdate
  /// The models of the local members; `nil` for agents, whose forecasts begin without memory.
  private var models: ModelInstances?
  /// What is done about failures, and an update for an ensemble of fewer members; `nil` where nothing is done.
  private var care: (forecasts: ForecastCare, makeUpdate: () throws -> any EnsembleUpdate)?

  private init(
    name: String, update: any EnsembleUpdate, forecast: @escaping (inout DistributedEnsemble, Int) throws -> Void
  ) {
    self.name = name
    self.forecast = forecast
    self.update = update
  }

  /// What became of every member's last forecast, by its number from the beginning; empty where nothing is done about
  /// failures.
  var memberStatus: [MemberStatus] { care?.forecasts.status ?? [] }

  /// Forecast and analysis of one cycle; the ensemble's clock, if any, is left running.
  ///
  /// - Parameter inspect: is shown the forecast.
  /// - Returns: why the forecast of a member held here failed. The update takes place all the same, for it is collective.
  package func cycle(
    _ ensemble: inout DistributedEnsemble, observations: ObservationSet, number: Int,
    inspect: ((DistributedEnsemble) -> Void)? = nil
  ) throws -> (any Error)? {
    ensemble.clock?.enter(.forecast)
    var failure: (any Error)?
    if let care {
      let members = ensemble.numbers.count
      failure = try care.forecasts.carry(&ensemble, cycle: number)
      // All ranks know of it.
      if care.forecasts.hasStopped { return failure }
      if ensemble.numbers.count < members { try renewUpdate() }
    } else {
      do { try forecast(&ensemble, number) } catch { failure = error }
    }
    if let inspect {
      ensemble.clock?.enter(.diagnosis)
      inspect(ensemble)
    }
    ensemble.clock?.enter(.update)
    do {
      try update.update(&ensemble, observations: observations, cycle: number)
    } catch {
      // What went wrong first is what is told.
      throw failure ?? error
    }
    return failure
  }

  /// The same update, for an ensemble that has become smaller, with what it remembers.
  private func renewUpdate() throws {
    guard let care else { return }
    var memory = Snapshot()
    update.save(into: &memory)
    update = try care.makeUpdate()
    try update.restore(from: memory)
  }

  // MARK: Going on later

  /// Whether `goBack` can be called, after a failure that ends the job.
  var canGoBack: Bool { care?.forecasts.canGoBack ?? false }

  /// Puts the ensemble and all else to where they were before the forecast that failed.
  func goBack(_ ensemble: inout DistributedEnsemble) throws { try care?.forecasts.goBack(&ensemble) }

  /// Adds to a snapshot what the next cycle needs: the ensemble, and what the update remembers.
  func save(_ ensemble: DistributedEnsemble, into snapshot: inout Snapshot) throws {
    let givenUp = care?.forecasts.givenUp ?? []
    if givenUp.isEmpty {
      snapshot.set("states", members: ensemble.states)
    } else {
      // A place for every member that there has been.
      var (states, rest) = ([[Double]](), ensemble.states[...])
      for member in ensemble.homeMembers {
        states.append(
          givenUp.contains(member) ? [Double](repeating: 0, count: ensemble.layout.count) : rest.removeFirst())
      }
      snapshot.set("states", members: states)
      snapshot.set("given_up", givenUp.map { Int64($0) })
    }
    try models?.save(into: &snapshot)
    update.save(into: &snapshot)
  }

  /// Takes it back.
  func restore(_ ensemble: inout DistributedEnsemble, from snapshot: Snapshot) throws {
    ensemble.states = try snapshot.memberValues("states", count: ensemble.layout.count)
    if let care, snapshot.shared["given_up"] != nil {
      let lost: [Int64] = try snapshot.values("given_up")
      care.forecasts.giveUp(Set(lost.map { Int($0) }), of: &ensemble)
    }
    try models?.restore(from: snapshot)
    try update.restore(from: snapshot)
  }
}

extension AssimilationMethod {
  /// A filter of the configuration around the full model.
  ///
  /// - Parameters:
  ///   - seed: of the truth: keys model noise and perturbed observations, so that all methods meet the same noise.
  ///   - band: energies that constrained filters hold, `nil` for none.
  ///   - solver: of constrained filters, `nil` for the configuration's.
  ///   - origin: time before the first cycle, in time steps.
  package static func filter(
    _ method: Configuration.Method, context: ExperimentContext, seed: UInt64, band: Band?, solver: Configuration.Filter.Solver? = nil,
    origin: Int = 0
  ) throws -> AssimilationMethod {
    let forecasts = try MemberForecasts(context, seed: seed, origin: origin)
    let makeUpdate = { try Self.makeUpdate(method, context: context, seed: seed, band: band, solver: solver) }
    let filter = AssimilationMethod(name: method.rawValue, update: try makeUpdate()) { ensemble, cycle in
      try forecasts.carry(&ensemble, cycle: cycle)
    }
    filter.models = forecasts.models
    filter.care = ForecastCare(context, forecasts).map { ($0, makeUpdate) }
    return filter
  }

  /// The update of such a filter, with the configured inflation.
  static func makeUpdate(
    _ method: Configuration.Method, context: ExperimentContext, seed: UInt64, band: Band?,
    solver: Configuration.Filter.Solver? = nil
  ) throws -> any EnsembleUpdate {
    guard case .filter(let make)? = MethodEntry.registry[method.rawValue]?.kind else {
      throw ExperimentError(
        .data, "key agents.filter", found: method.rawValue, expected: "a filter, which agents are not")
    }
    let settings = try MethodContext(context, of: method, seed: seed, band: band, solver: solver)
    return try context.inflated(try make(settings), settings)
  }

  /// Trained agents, one a member.
  ///
  /// - Parameters:
  ///   - band: energies that a constrained filter holds whose analysis they correct.
  ///   - origin: time before the first cycle, in time steps.
  package static func agents(
    _ trained: TrainedAgents, name: String, context: ExperimentContext, seed: UInt64, band: Band?, origin: Int = 0
  ) throws -> AssimilationMethod {
    let base = try context.makeBase(trained.settings.base, band: band, origin: origin)
    let update = try AgentUpdate(
      agents: trained.agents, settings: trained.settings, base: base, distribution: context.distribution,
      communicator: context.communicator, seed: seed)
    return agents(update, name: name)
  }

  /// Agents that are ready to act.
  static func agents(_ update: AgentUpdate, name: String) -> AssimilationMethod {
    AssimilationMethod(name: name, update: update) { ensemble, cycle in try update.forecast(&ensemble, cycle: cycle) }
  }
}

/// The agents of the members held here, with the settings that they were trained with.
public struct TrainedAgents {
  /// How they were trained, and what they see.
  public let settings: AgentSettings
  /// One for each member held here (`[member]`).
  public let agents: [Agent]
  /// Importance weights of all members; empty: equal ones alone.
  public var weights: [Double] = []
}

/// Between what values a field's elements of a state have to be.
struct SoundRange {
  let elements: Range<Int>
  let least, limit: Double

  /// Whether they all are; not-a-numbers are not. Eight at a time, for every cycle asks.
  func holds(_ state: [Double]) -> Bool {
    state.withUnsafeBufferPointer { state in
      guard let x = state.baseAddress else { return elements.isEmpty }
      let (low, high) = (SIMD8<Double>(repeating: least), SIMD8<Double>(repeating: limit))
      var areInside = SIMDMask<SIMD8<Int64>>(repeating: true)
      var i = elements.lowerBound
      while i + 8 <= elements.upperBound {
        let values = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Double>.self)
        areInside = areInside .& (values .>= low) .& (values .<= high)
        i += 8
      }
      return all(areInside) && (i..<elements.upperBound).allSatisfy { x[$0] >= least && x[$0] <= limit }
    }
  }
}

extension ExperimentContext {
  /// Whether an ensemble can go on: every local member finite, within a hundred climatological standard deviations of
  /// its field's reference and, where a field has a lower bound, not negative. Below the bound but positive is allowed:
  /// only constrained methods promise more.
  package func isSound(_ ensemble: DistributedEnsemble) -> Bool {
    for m in ensemble.states.indices {
      guard soundRanges.allSatisfy({ $0.holds(ensemble.states[m]) }) else { return false }
    }
    return true
  }

  /// Runs a method through a series of observations.
  ///
  /// - Parameters:
  ///   - ensemble: after cycle `first` on entry, after the last completed cycle on return.
  ///   - cycles: to the end.
  ///   - first: cycles that are done.
  ///   - place: what is running, in words, for checkpoints.
  ///   - observations: of a cycle, 1, 2, ...; it may be collective.
  ///   - inspect: is shown every forecast.
  ///   - record: called on every rank after each completed cycle with its number, the ensemble and the wall seconds
  ///     of forecast and update on the slowest rank; it may be collective.
  ///   - save: keeps the sections of a checkpoint after a cycle.
  ///   - abandon: called on every rank before a model's error is thrown; completes files, and returns the path of the one
  ///     with the analyses before it.
  /// - Returns: the cycle at which the method failed (see `isSound`), `nil` if none.
  /// - Throws: `Interruption` among others.
  func assimilate(
    _ method: AssimilationMethod, _ ensemble: inout DistributedEnsemble, cycles: Int, after first: Int = 0,
    place: String, observations: (_ cycle: Int) throws -> ObservationSet,
    inspect: ((DistributedEnsemble) -> Void)? = nil,
    record: (_ cycle: Int, _ ensemble: DistributedEnsemble, _ seconds: Double) throws -> Void,
    save: (_ cycle: Int, _ ensemble: DistributedEnsemble) throws -> Void,
    abandon: () throws -> String? = { nil }
  ) throws -> Int? {
    var worst = [0.0, 0.0, 0.0]
    for cycle in first + 1..<max(first, cycles) + 1 {
      let observed = try observations(cycle)
      let start = DispatchTime.now().uptimeNanoseconds
      let broken = try method.cycle(&ensemble, observations: observed, number: cycle, inspect: inspect)
      worst[1] = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
      worst[0] = broken != nil ? 2 : isSound(ensemble) ? 0 : 1
      worst[2] = checkpoints.vote()
      try communicator.allreduce(&worst, .max)
      if worst[0] > 1 {
        var notes: [String] = []
        if method.canGoBack {
          try method.goBack(&ensemble)
          try checkpoints.act(on: 1, place: "cycle \(cycle - 1) of \(place)") { try save(cycle - 1, ensemble) }
          notes = ["--rerun-failed goes on from cycle \(cycle - 1) with the forecasts that were made"]
        }
        let path = try communicator.collectively(abandon)
        try communicator.collectively {
          if let broken { throw (broken as? ForecastFailure)?.noting(notes).keeping(path) ?? broken }
        }
      }
      if worst[0] > 0 { return cycle }
      try record(cycle, ensemble, worst[1])
      try checkpoints.act(on: worst[2], place: "cycle \(cycle) of \(place)") { try save(cycle, ensemble) }
    }
    return nil
  }
}
