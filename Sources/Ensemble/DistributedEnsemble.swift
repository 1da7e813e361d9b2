public import DaunceMPI
public import DaunceObservations
public import DaunceState

/// An ensemble spread over the ranks of a communicator: every rank holds the states of its own members.
public struct DistributedEnsemble {
  /// Of every member's state.
  public let layout: StateLayout
  /// Which rank holds which members.
  public private(set) var distribution: Distribution
  /// Numbers that members have had from the beginning, in the order of the distribution: 0, 1, ... until some are given up.
  public private(set) var numbers: [Int]
  /// Which rank held which members at the beginning.
  private let home: Distribution
  /// Of the ranks that share the ensemble.
  public let communicator: Communicator
  /// States of the members held here, in the order of `distribution.local`, each `[variable][cell]`.
  public var states: [[Double]]
  /// Told what part of a cycle begins; `nil` when nothing is measured.
  public var clock: PhaseClock?

  /// An ensemble of zero states.
  public init(layout: StateLayout, distribution: Distribution, communicator: Communicator) {
    self.layout = layout
    self.distribution = distribution
    self.communicator = communicator
    numbers = Array(0..<distribution.members)
    home = distribution
    states = distribution.local.map { _ in [Double](repeating: 0, count: layout.count) }
  }

  /// Goes on without some members, which are named by their numbers from the beginning. All ranks name the same ones.
  public mutating func giveUp(_ lost: Set<Int>) {
    let old = (distribution: distribution, numbers: numbers)
    distribution = Distribution(old.distribution) { !lost.contains(old.numbers[$0]) }
    numbers.removeAll { lost.contains($0) }
    states = zip(old.distribution.local, states).filter { !lost.contains(old.numbers[$0.0]) }.map(\.1)
  }

  /// Numbers of the members that were held here at the beginning.
  public var homeMembers: Range<Int> { home.local }

  /// Numbers from the beginning of the members held here.
  public var localNumbers: ArraySlice<Int> { numbers[distribution.local] }
}

/// Anything that turns a forecast ensemble and the observations of one time into an analysis ensemble: a filter or a
/// set of agents.
public protocol EnsembleUpdate: AnyObject {
  /// Updates the members held here. Collective: every rank calls it with the same observations and cycle.
  ///
  /// - Parameters:
  ///   - ensemble: forecast on entry, analysis on return.
  ///   - observations: of this time, missing ones left out; may be empty.
  ///   - cycle: number of the cycle, which keys the update's random streams.
  func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws

  /// Adds to a snapshot what the next cycle will need beside the ensemble.
  func save(into snapshot: inout Snapshot)

  /// Takes it back, in a new object of the same settings.
  ///
  /// - Throws: `SnapshotError` when it is not there.
  func restore(from snapshot: Snapshot) throws
}

extension EnsembleUpdate {
  /// Most updates remember nothing from cycle to cycle.
  public func save(into snapshot: inout Snapshot) {}
  /// Nothing was saved, so nothing is restored.
  public func restore(from snapshot: Snapshot) throws {}
}
