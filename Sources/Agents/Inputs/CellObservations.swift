import DaunceNetworks
package import DaunceNumerics
package import DaunceObservations
import DaunceState

/// Where the observations of a network fall on the agents' grid.
package final class PlacedNetwork {
  package let network: ObservationNetwork
  /// Kind and cell of every observation as one number, `kind * cells + cell`; -1 for kinds that agents don't see.
  let slots: Workspace<Int32>
  /// Whether the observations of a kind are values of the state at their own cells, so that h(x) is x (`[kind]`).
  package let isOwn: [Bool]

  init(_ network: ObservationNetwork, slots: [Int32], isOwn: [Bool]) {
    self.network = network
    self.slots = Workspace(repeating: -1, count: slots.count)
    self.slots.copy(from: slots)
    self.isOwn = isOwn
  }
}

/// Finds the cell of each observation: the one that it is the value of, or else the one nearest to its place.
package final class ObservationPlacement {
  let grid: AgentGrid
  let kinds: [AgentSettings.Observed]
  /// First random number of each kind's gaps: those of a field's own observations are numbered as its elements.
  let addresses: [Int]
  private let nearest: NearestCells
  /// Fields that kinds are the values of, on the agents' grid.
  private let fields: [Int?]
  /// The last networks met, so that those that come again need no work; few, as some callers make one each time.
  private var known: [PlacedNetwork] = []
  private static let memory = 16

  package init(_ settings: AgentSettings, grid: AgentGrid) {
    self.grid = grid
    kinds = settings.observed
    fields = kinds.map { $0.field(of: grid.layout, onGrid: grid.number) }
    nearest = NearestCells(grid.layout.grids[grid.number], geometry: grid.layout.geometry)
    addresses = fields.enumerated().map { j, field in
      field.map { grid.layout.offsets[$0] } ?? grid.layout.count + j * grid.cells
    }
  }

  /// The network's place on the grid.
  package func place(_ network: ObservationNetwork) -> PlacedNetwork {
    if let placed = known.first(where: { $0.network === network }) { return placed }
    var isOwn = [Bool](repeating: true, count: kinds.count)
    var taken = Set<Int32>()
    let slots = (0..<network.count).map { k -> Int32 in
      guard let j = kinds.firstIndex(where: { $0.number == Int(network.kinds[k]) }) else { return -1 }
      let element = network.rows.element(k)
      var cell: Int?
      if let field = fields[j], let element, grid.layout.range(field).contains(element) {
        cell = element - grid.layout.offsets[field]
      }
      let slot = Int32(j * grid.cells + (cell ?? nearest.cell(at: network.places[k])))
      if cell == nil || !taken.insert(slot).inserted { isOwn[j] = false }
      return slot
    }
    if known.count == Self.memory { known.removeFirst() }
    known.append(PlacedNetwork(network, slots: slots, isOwn: isOwn))
    return known[known.count - 1]
  }
}

/// The observations of one time at the cells of the agents' grid. Several of a kind in one cell are one there: their
/// mean weighted by precision, with the sum of their precisions.
package final class CellObservations {
  /// NaN where there is none, `[kind][cell]` as everything here.
  package let values: Workspace<Double>
  /// The kind's reference where there is no observation.
  package let errorVariances: Workspace<Double>
  /// Square roots of the error variances.
  package let deviations: Workspace<Double>
  /// What is observed and where; `nil` before the first observations.
  package private(set) var placed: PlacedNetwork?
  /// Whether there are kinds for which h has to be worked out.
  private(set) var needsOperators = false
  private let placement: ObservationPlacement
  private let precisions: Workspace<Double>
  /// Share of each observation in its cell's mean (`[observation]`), as their error variances have it.
  private var weights = Workspace<Double>(repeating: 0, count: 0)
  private var weighed: [Double] = []

  package init(_ placement: ObservationPlacement) {
    self.placement = placement
    let count = placement.kinds.count * placement.grid.cells
    (values, precisions) = (Workspace(repeating: .nan, count: count), Workspace(repeating: 0, count: count))
    (errorVariances, deviations) = (Workspace(repeating: 1, count: count), Workspace(repeating: 1, count: count))
  }

  /// Takes in the observations of a time, in place of those before. Allocates only for networks not met before.
  package func take(_ observations: ObservationSet) {
    let placed = placement.place(observations.network)
    if self.placed !== placed || observations.errorVariances != weighed {
      self.placed = placed
      needsOperators = placed.isOwn.contains(false)
      weigh(observations.errorVariances, placed)
    }
    for i in 0..<values.count { values.start[i] = .nan }
    let slots = placed.slots.start
    for k in 0..<observations.count where slots[k] >= 0 {
      let (slot, part) = (Int(slots[k]), weights.start[k] * observations.values[k])
      values.start[slot] = values.start[slot].isNaN ? part : values.start[slot] + part
    }
  }

  /// Works out everything that the errors of observations decide.
  private func weigh(_ variances: [Double], _ placed: PlacedNetwork) {
    let n = placement.grid.cells
    for (j, kind) in placement.kinds.enumerated() {
      (errorVariances.start + j * n).update(repeating: kind.errorVariance, count: n)
    }
    for i in 0..<precisions.count { precisions.start[i] = 0 }
    let slots = placed.slots.start
    if weights.count < variances.count { weights = Workspace(repeating: 0, count: variances.count) }
    for k in variances.indices where slots[k] >= 0 { precisions.start[Int(slots[k])] += 1 / variances[k] }
    for k in variances.indices where slots[k] >= 0 {
      // 1 for an observation by itself, which so keeps its bits.
      weights.start[k] = 1 / variances[k] / precisions.start[Int(slots[k])]
      errorVariances.start[Int(slots[k])] = variances[k] * weights.start[k]
    }
    for i in 0..<deviations.count { deviations.start[i] = errorVariances.start[i].squareRoot() }
    weighed = variances
  }

  /// Whether the observations of a kind are values of the state at their own cells.
  @inline(__always)
  func isOwn(_ kind: Int) -> Bool { !needsOperators || placed?.isOwn[kind] ?? true }

  /// Removes observations in a fraction of states: half of those lose a third of their cells, the others all.
  package func makeGaps(fraction: Double, stream: RandomStream) {
    guard fraction > 0, stream.uniform(at: 0) < fraction else { return }
    let (share, n) = (stream.uniform(at: 1) < 0.5 ? 1 : 0.33, placement.grid.cells)
    for (j, address) in placement.addresses.enumerated() {
      for c in 0..<n where stream.uniform(at: 2 + address + c) < share { values.start[j * n + c] = .nan }
    }
  }

  /// h(x) of a state at the cells, for the kinds that are not values of the state itself; 0 where nothing is observed.
  ///
  /// - Parameters:
  ///   - state: `[layout.count]`.
  ///   - simulated: `[kind][cell]`; kinds that are the state itself are left alone.
  package func simulate(_ state: UnsafePointer<Double>, into simulated: UnsafeMutablePointer<Double>) {
    guard needsOperators, let placed else { return }
    let n = placement.grid.cells
    for j in placed.isOwn.indices where !placed.isOwn[j] { (simulated + j * n).update(repeating: 0, count: n) }
    let x = Span(_unsafeStart: state, count: placement.grid.layout.count)
    for k in 0..<placed.network.count where placed.slots.start[k] >= 0 {
      let slot = Int(placed.slots.start[k])
      guard !placed.isOwn[slot / n] else { continue }
      simulated[slot] += weights.start[k] * placed.network.rows.value(k, of: x)
    }
  }
}
