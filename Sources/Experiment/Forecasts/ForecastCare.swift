import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceNumerics
import DaunceState

/// Forecasts with what the section `forecasts` says about failures, on which all ranks agree before anything goes on.
final class ForecastCare {
  /// What became of every member in the last cycle, by its number from the beginning.
  private(set) var status: [MemberStatus]
  /// Whether the job stops: members have failed that nothing is done about.
  private(set) var hasStopped = false
  let forecasts: MemberForecasts

  private let context: ExperimentContext
  private let settings: Configuration.Forecasts
  /// States before the forecast, to save when it fails; `nil` where nothing will be saved.
  private var before: [[Double]]?
  /// Whether other ranks of this machine need the cores while this one waits for them.
  private let waitsAsleep: Bool
  /// Scratch: 1 for a retried, 2 for a failed member, by number.
  private var flags: [Double]

  /// - Returns: `nil` for a model that is carried without: by default nothing is done about models in this process.
  init?(_ context: ExperimentContext, _ forecasts: MemberForecasts) {
    guard Self.isNeeded(context) else { return nil }
    settings = context.configuration.forecasts
    waitsAsleep = context.model is any SideBySideModel
    (self.context, self.forecasts) = (context, forecasts)
    status = [MemberStatus](repeating: .made, count: context.distribution.members)
    flags = [Double](repeating: 0, count: context.distribution.members)
  }

  /// Whether anything is done about failures, or can be.
  static func isNeeded(_ context: ExperimentContext) -> Bool {
    context.model is any SideBySideModel || context.configuration.forecasts.onFailure != .stop
  }

  /// Forecasts of all members, of which some may be given up or replaced. Collective.
  ///
  /// - Returns: why the forecast of a member held here failed, where the job stops (`hasStopped`).
  func carry(_ ensemble: inout DistributedEnsemble, cycle: Int) throws -> (any Error)? {
    if settings.onFailure == .stop, context.checkpoints.isOn { before = ensemble.states }
    let (failures, retries) = forecasts.carryAll(&ensemble, cycle: cycle)
    if waitsAsleep { try context.communicator.meetAsleep() }
    for k in flags.indices { flags[k] = 0 }
    for member in retries.keys { flags[member] = 1 }
    for member in failures.keys { flags[member] = 2 }
    try context.communicator.allreduce(&flags, .max)
    let lost = flags.indices.filter { flags[$0] == 2 }
    for member in ensemble.numbers { status[member] = flags[member] == 1 ? .retried : .made }
    guard !lost.isEmpty else { return nil }

    let survivors = ensemble.numbers.count - lost.count
    let least = settings.leastMembers ?? max(2, (context.distribution.members + 1) / 2)
    let isEnough = survivors >= least
    guard settings.onFailure != .stop, isEnough else {
      hasStopped = true
      let others = lost.filter { failures[$0] == nil || $0 != failures.keys.min() }
      var notes: [String] = []
      if !others.isEmpty { notes.append("other members failed too: \(others.map(String.init).joined(separator: ", "))") }
      if settings.onFailure != .stop {
        notes.append("\(survivors) of \(context.distribution.members) members are left, at least \(least) have to be (forecasts.least_members)")
      }
      return failures.min { $0.key < $1.key }.map { $0.value.noting(notes) }
    }
    let outcome = settings.onFailure == .replace ? "another member takes its place" : "the others go on without it"
    for member in lost {
      let owner = owner(of: member, in: ensemble)
      let text = try context.communicator.broadcast(failures[member].map { "\($0)" } ?? "", root: owner)
      context.progress.note("\(text)\(text.contains("\n") ? "\n" : "; ")\(outcome)")
    }
    if settings.onFailure == .replace {
      for member in lost { try replace(member, lost, in: &ensemble, cycle: cycle) }
    } else {
      ensemble.giveUp(Set(lost))
    }
    for member in lost { status[member] = settings.onFailure == .replace ? .replaced : .givenUp }
    return nil
  }

  // MARK: Going back

  /// Whether the ensemble can be had as it was before the forecast that failed.
  var canGoBack: Bool { hasStopped && before != nil }

  /// Puts it there.
  func goBack(_ ensemble: inout DistributedEnsemble) throws {
    if let before { ensemble.states = before }
    try forecasts.models.rewind()
  }

  // MARK: Members that are gone

  /// Goes on without the members that a checkpoint has no states of.
  func giveUp(_ lost: Set<Int>, of ensemble: inout DistributedEnsemble) {
    for member in lost { status[member] = .givenUp }
    ensemble.giveUp(lost)
  }

  /// Members that have been given up.
  var givenUp: [Int] { status.indices.filter { status[$0] == .givenUp } }

  // MARK: Replacement

  private func owner(of member: Int, in ensemble: DistributedEnsemble) -> Int {
    let place = ensemble.numbers.firstIndex(of: member) ?? 0
    return (0..<ensemble.distribution.ranks).first { ensemble.distribution.range(of: $0).contains(place) } ?? 0
  }

  /// The state of a member on all ranks.
  private func state(of member: Int, in ensemble: DistributedEnsemble) throws -> [Double] {
    let place = ensemble.localNumbers.firstIndex(of: member)
    var state = place.map { ensemble.states[$0 - ensemble.distribution.local.lowerBound] }
      ?? [Double](repeating: 0, count: ensemble.layout.count)
    try context.communicator.broadcast(&state, root: owner(of: member, in: ensemble))
    return state
  }

  /// Puts a random survivor's forecast in a member's place, with the difference of two others, over the square root of 2, times
  /// `forecasts.perturbation`: the covariance of such differences is the ensemble's.
  private func replace(_ member: Int, _ lost: [Int], in ensemble: inout DistributedEnsemble, cycle: Int) throws {
    let survivors = ensemble.numbers.filter { !lost.contains($0) }
    let words = RandomStream(seed: forecasts.seed, purpose: .replacement, member: member, cycle: cycle).words(at: 0)
    let donor = survivors[Int(words.x) % survivors.count]
    let one = Int(words.y) % survivors.count
    let other = (one + 1 + Int(words.z) % (survivors.count - 1)) % survivors.count
    var state = try state(of: donor, in: ensemble)
    let (a, b) = (try self.state(of: survivors[one], in: ensemble), try self.state(of: survivors[other], in: ensemble))
    for (v, field) in ensemble.layout.fields.enumerated() {
      for i in ensemble.layout.range(v) {
        let value = state[i] + settings.perturbation * (a[i] - b[i]) / 2.0.squareRoot()
        state[i] = min(max(value, field.lowerBound ?? -.infinity), field.upperBound ?? .infinity)
      }
    }
    let (from, to) = (owner(of: donor, in: ensemble), owner(of: member, in: ensemble))
    var memory: [UInt8] = []
    try context.communicator.collectively {
      if context.communicator.rank == from { memory = try forecasts.model(of: donor).memory() }
    }
    try context.communicator.broadcast(resizing: &memory, root: from)
    guard context.communicator.rank == to, let place = ensemble.localNumbers.firstIndex(of: member) else { return }
    ensemble.states[place - ensemble.distribution.local.lowerBound] = state
    try (forecasts.model(of: member) as? any InstancedModel)?.restore(memory)
  }
}
