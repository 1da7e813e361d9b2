public import DaunceEnsemble
internal import DaunceMPI
public import DaunceObservations
internal import DaunceState

/// A local analysis as the update of an ensemble spread over ranks, cycle after cycle: the ETKF (without localization),
/// the LETKF, the DEnKF and nonlinear updates, on any grid and with any operators. Analyses are cut off at the fields' bounds.
///
/// An ensemble of few numbers is brought together on every rank by one gather, and each rank keeps its own members of the
/// whole analysis; of a large one each rank updates all members of a part of the state, between two exchanges of members
/// for parts. Sizes decide, never the number of ranks, and the bits are the same.
public final class LocalFilter: EnsembleUpdate {
  private let analysis: LocalAnalysis
  private let localization: DistanceLocalization
  private var networks = NetworkCache<Prepared>()
  /// The whole state as one part.
  private let whole: StatePartition
  private var gathered: GatheredEnsemble?
  private var transposition: Transposition?
  private var part: PartialEnsemble?

  /// Most numbers of an ensemble that every rank holds as a whole.
  private let gatherLimit: Int

  /// What stays the same for as long as a network observes.
  private final class Prepared {
    let observed: ObservedEnsemble
    let kernel: any RowKernel
    let lists: NeighbourLists
    let tiles: ArraySlice<StatePartition.Tile>
    let group: RowGroup
    /// h(x) of the members held here and of all (`[member][count]`), where they are exchanged.
    var own: [Double] = []
    var all: [Double] = []

    init(
      _ network: ObservationNetwork, analysis: LocalAnalysis, localization: DistanceLocalization, members: Int,
      tiles: ArraySlice<StatePartition.Tile>
    ) throws {
      observed = ObservedEnsemble(
        places: network.places, kinds: network.kinds, laws: network.laws, members: members)
      kernel = try analysis.makeKernel(observed, localization)
      lists = NeighbourLists(localization, layout: analysis.layout, observed: observed, tiles: tiles)
      self.tiles = tiles
      group = RowGroup(stride: observed.stride, members: members)
    }
  }

  /// - Parameters:
  ///   - analysis: of any method but the serial one.
  ///   - gatherLimit: most numbers of an ensemble that every rank holds as a whole; larger ones go by parts.
  public init(_ analysis: LocalAnalysis, localization: DistanceLocalization, gatherLimit: Int = 1 << 18) {
    if case .eakf = analysis.method { preconditionFailure("the serial filter has a class of its own") }
    self.analysis = analysis
    self.localization = localization
    self.gatherLimit = gatherLimit
    whole = StatePartition(analysis.layout, ranks: 1)
  }

  /// Updates all members, as a whole or by parts. Collective.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    let members = ensemble.distribution.members
    guard members >= 2 else { throw AssimilationError.members(found: members) }
    guard observations.count > 0 else { return }
    if members * ensemble.layout.count <= gatherLimit {
      try updateGathered(&ensemble, observations, cycle)
    } else {
      try updateParts(&ensemble, observations, cycle)
    }
  }

  // MARK: All members on every rank

  private func updateGathered(
    _ ensemble: inout DistributedEnsemble, _ observations: ObservationSet, _ cycle: Int
  ) throws {
    let (layout, members) = (ensemble.layout, ensemble.distribution.members)
    let states =
      gathered
      ?? GatheredEnsemble(
        width: layout.count, distribution: ensemble.distribution, communicator: ensemble.communicator)
    let rows = part ?? PartialEnsemble(elements: 0..<layout.count, members: members)
    (gathered, part) = (states, rows)
    let prepared = try prepare(observations.network, members, whole.tiles[...])
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try states.gather(ensemble.states)
    ensemble.clock?.enter(.update)
    for m in 0..<members {
      for i in 0..<layout.count { rows.values[i &* rows.stride &+ m] = states.members[m &* layout.count &+ i] }
    }
    prepared.observed.fill(observations, states: states.members, stateCount: layout.count)
    apply(prepared, to: rows, cycle)
    for (held, member) in ensemble.distribution.local.enumerated() {
      for i in 0..<layout.count { ensemble.states[held][i] = rows.values[i &* rows.stride &+ member] }
    }
    layout.cutOff(&ensemble)
  }

  // MARK: Parts of the state

  private func updateParts(
    _ ensemble: inout DistributedEnsemble, _ observations: ObservationSet, _ cycle: Int
  ) throws {
    let (communicator, distribution) = (ensemble.communicator, ensemble.distribution)
    let owners = (0..<distribution.ranks).map { distribution.range(of: $0) }
    let exchange = transposition ?? Transposition(layout: ensemble.layout, owners: owners, communicator: communicator)
    let partition = exchange.partition
    let rows =
      part ?? PartialEnsemble(elements: partition.elements(of: communicator.rank), members: distribution.members)
    (transposition, part) = (exchange, rows)
    let prepared = try prepare(
      observations.network, distribution.members, partition.tiles[partition.tiles(of: communicator.rank)])
    try observe(ensemble, observations, prepared, owners)
    let first = distribution.local.lowerBound
    try exchange.collect(into: rows) { member, state in
      for i in 0..<state.count { state[i] = ensemble.states[member - first][i] }
    }
    ensemble.clock?.enter(.update)
    apply(prepared, to: rows, cycle)
    try exchange.distribute(rows) { member, state in
      for i in 0..<state.count { ensemble.states[member - first][i] = state[i] }
    }
    ensemble.layout.cutOff(&ensemble)
  }

  /// Brings h(x) of all members to every rank.
  private func observe(
    _ ensemble: DistributedEnsemble, _ observations: ObservationSet, _ prepared: Prepared, _ owners: [Range<Int>]
  ) throws {
    let count = observations.count
    let held = ensemble.states.count
    if prepared.own.count != held * count {
      prepared.own = [Double](repeating: 0, count: held * count)
      prepared.all = [Double](repeating: 0, count: ensemble.distribution.members * count)
    }
    for m in 0..<held {
      ensemble.states[m].withUnsafeBufferPointer { state in
        guard let x = state.baseAddress else { return }
        for k in 0..<count { prepared.own[m * count + k] = observations.network.rows.value(k, at: x) }
      }
    }
    try ensemble.clock?.enter(collective: .reduction, on: ensemble.communicator)
    try ensemble.communicator.allgatherv(prepared.own, into: &prepared.all, counts: owners.map { $0.count * count })
    let all = prepared.all
    prepared.observed.fill(values: observations.values, errorVariances: observations.errorVariances) { m, k in
      all[m * count + k]
    }
  }

  private func prepare(
    _ network: ObservationNetwork, _ members: Int, _ tiles: ArraySlice<StatePartition.Tile>
  ) throws -> Prepared {
    try networks.value(of: network) {
      try Prepared(network, analysis: analysis, localization: localization, members: members, tiles: tiles)
    }
  }

  private func apply(_ prepared: Prepared, to rows: PartialEnsemble, _ cycle: Int) {
    prepared.observed.inflate(by: analysis.inflation.factor)
    prepared.kernel.begin(cycle: cycle)
    let group = prepared.group
    for tile in prepared.tiles {
      group.field = tile.field
      for (place, element) in tile.elements.enumerated() {
        let (ids, weights) = prepared.lists.neighbours(element - rows.elements.lowerBound)
        let row = rows.row(element)
        if !ids.isEmpty, RowGroup.isComplete(row, rows.members) { group.add(row, ids, weights, place: place) }
        // Groups of four depend on the places in the tile alone.
        if place & 3 == 3 || place == tile.elements.count - 1 { group.run(prepared.kernel, analysis.inflation) }
      }
    }
  }
}

extension StateLayout {
  /// Sets values outside of their field's bounds to them.
  func cutOff(_ ensemble: inout DistributedEnsemble) {
    for (f, field) in fields.enumerated() where field.lowerBound != nil || field.upperBound != nil {
      let (lower, upper) = (field.lowerBound ?? -.infinity, field.upperBound ?? .infinity)
      for m in ensemble.states.indices {
        for i in range(f) {
          let value = ensemble.states[m][i]
          if value < lower || value > upper { ensemble.states[m][i] = min(max(value, lower), upper) }
        }
      }
    }
  }
}
