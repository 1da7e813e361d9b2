public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// Newtonian relaxation (Hoke & Anthes 1976): every member moves towards the observations near each of its elements,
///
///     x_i = x_i + strength * (sum_k rho_ik (y_k - h_k(x))) / (sum_k rho_ik)
///
/// by a share of the innovations' localized mean. It knows no errors and no covariances, and only observations of fields
/// themselves, at cells or between them, move anything. Analyses are cut off at the fields' bounds. Every rank updates
/// its own members; nothing is sent.
public final class Nudging: EnsembleUpdate {
  private let layout: StateLayout
  private let localization: DistanceLocalization
  /// In (0, 1].
  private let strength: Double
  private var networks = NetworkCache<(lists: NeighbourLists, fields: [Int])>()
  private var innovations: [Double] = []

  /// - Parameter localization: how far observations act; those of a field should act on that field alone.
  public init(layout: StateLayout, localization: DistanceLocalization, strength: Double) {
    self.layout = layout
    self.localization = localization
    self.strength = strength
  }

  /// Moves the members held here; nothing is sent.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) {
    guard observations.count > 0 else { return }
    let (lists, fields) = prepared(observations.network)
    if innovations.count < observations.count { innovations = [Double](repeating: 0, count: observations.count) }
    for m in ensemble.states.indices {
      ensemble.states[m].withUnsafeMutableBufferPointer { state in
        guard let x = state.baseAddress else { return }
        for k in 0..<observations.count {
          innovations[k] = observations.values[k] - observations.network.rows.value(k, at: x)
        }
        for i in 0..<layout.count {
          let field = layout.cell(of: i).field
          var (sum, weights) = (0.0, 0.0)
          let (ids, taper) = lists.neighbours(i)
          for (id, weight) in zip(ids, taper) where fields[Int(id)] == field && innovations[Int(id)].isFinite {
            sum += weight * innovations[Int(id)]
            weights += weight
          }
          if weights > 0 { x[i] += strength * sum / weights }
        }
      }
    }
    layout.cutOff(&ensemble)
  }

  /// Neighbours of every element, and the field that each observation is of, -1 for a function of the state.
  private func prepared(_ network: ObservationNetwork) -> (lists: NeighbourLists, fields: [Int]) {
    networks.value(of: network) {
      let lists = NeighbourLists(
        localization, layout: layout,
        observed: ObservedEnsemble(places: network.places, kinds: network.kinds, members: 1),
        tiles: StatePartition(layout, ranks: 1).tiles[...])
      let fields = (0..<network.count).map { k in
        network.rows.firstElement(k).map { network.rows.isFieldValue(k) ? layout.cell(of: $0).field : -1 } ?? -1
      }
      return (lists, fields)
    }
  }
}
