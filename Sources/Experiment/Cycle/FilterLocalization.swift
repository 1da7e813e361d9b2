import DaunceAssimilation
import DaunceObservations
import DaunceSettings
import DaunceState

extension Configuration {
  /// The reach of everything that networks observe in every field, from the keys `filter.half_width`, `filter.update`
  /// and `filter.half_widths`: half-widths in cells, times the mean spacing of the first grid along each direction.
  ///
  /// - Parameter quantities: first each field by itself, in the layout's order.
  /// - Throws: `ConfigurationError` for a field that the model does not have.
  func localization(
    of quantities: [ObservedQuantity], in layout: StateLayout
  ) throws(ConfigurationError) -> DistanceLocalization {
    let exceptions = try halfWidths(in: layout)
    let spacing = layout.meanSpacing
    func reach(_ cells: Double?) -> DistanceLocalization.Reach {
      cells.map { cells in .within(spacing.map { cells * $0 }) } ?? .everywhere
    }
    let general = reach(filter.halfWidth)
    let reaches = quantities.map { quantity in
      layout.fields.indices.map { field -> DistanceLocalization.Reach in
        if filter.update == .all { return general }
        guard quantity.operation.fields.contains(field) else { return .off }
        return exceptions[field].map { reach($0) } ?? general
      }
    }
    // What is observed is reached where any of its fields is.
    let observed = reaches.map { row in
      quantities.map { other in other.operation.fields.lazy.map { row[$0] }.first { $0 != .off } ?? .off }
    }
    return DistanceLocalization(reaches: reaches, observed: observed)
  }
}

extension StateLayout {
  /// Mean distance of neighbouring cells of the first grid along each direction of the geometry, in its units; 1 where
  /// no dimension is along one.
  fileprivate var meanSpacing: [Double] {
    let radians = Double.pi / 180
    guard let radius = geometry.sphereRadius else { return geometry.axes.indices.map { spacing(along: $0) ?? 1 } }
    let horizontal = spacing(along: 1).map { $0 * radians * radius } ?? 1
    return geometry.axes.count > 2 ? [horizontal, spacing(along: 2) ?? 1] : [horizontal]
  }

  private func spacing(along axis: Int) -> Double? {
    guard let dimension = grids.first?.dimensions.first(where: { $0.axis == axis }),
      let first = dimension.coordinates.first, let last = dimension.coordinates.last
    else { return nil }
    if let period = geometry.axes[axis].period { return period / Double(dimension.length) }
    return dimension.length > 1 ? abs(last - first) / Double(dimension.length - 1) : nil
  }
}
