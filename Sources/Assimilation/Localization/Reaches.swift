internal import DaunceObservations
internal import DaunceState

/// Prepares reaches, and keeps those of the last networks.
final class Reaches {
  let layout: StateLayout
  let localization: DistanceLocalization
  private let search: CellSearch
  private var known = NetworkCache<ObservationReach>()

  /// - Throws: `AssimilationError` for a localization that doesn't fit the layout.
  init(_ localization: DistanceLocalization, layout: StateLayout) throws(AssimilationError) {
    try localization.validate(layout)
    self.layout = layout
    self.localization = localization
    search = CellSearch(layout)
  }

  func reach(of network: ObservationNetwork) throws(AssimilationError) -> ObservationReach {
    let (localization, search) = (localization, search)
    return try known.value(of: network) { () throws(AssimilationError) in
      try ObservationReach(network, localization: localization, search: search)
    }
  }
}

extension DistanceLocalization {
  /// - Throws: `AssimilationError` for tables of the wrong size and half-widths that are not one positive number for
  ///   each direction.
  func validate(_ layout: StateLayout) throws(AssimilationError) {
    for row in reaches where row.count != layout.fields.count {
      throw .coupling(found: row.count, expected: layout.fields.count)
    }
    guard observed.count == reaches.count else { throw .coupling(found: observed.count, expected: reaches.count) }
    for row in observed where row.count != reaches.count { throw .coupling(found: row.count, expected: reaches.count) }
    for reach in (reaches + observed).joined() {
      guard case .within(let widths) = reach else { continue }
      guard widths.count == layout.geometry.directions else {
        throw .directions(found: widths.count, expected: layout.geometry.directions)
      }
      for width in widths where !(width > 0 && width.isFinite) { throw .halfWidth(found: width) }
    }
  }
}
