import DaunceAssimilation
import DaunceObservations
import DaunceState

extension Setup {
  /// How far each of the experiment's quantities acts on each field. Half-widths are in cells: in each direction of space
  /// they are that many mean distances of neighbouring cells of the first grid.
  var distances: DistanceLocalization {
    get throws {
      let (filter, quantities) = (configuration.filter, networks.quantities)
      let exceptions = try configuration.halfWidths(in: layout)
      let spacings = layout.spacings
      func reach(_ cells: Double?) -> DistanceLocalization.Reach {
        guard let cells, !spacings.isEmpty else { return .everywhere }
        return .within(spacings.map { cells * $0 })
      }
      let reaches = quantities.map { quantity in
        let fields = quantity.operation.fields
        let own = reach(exceptions[fields[0]] ?? filter.halfWidth)
        return layout.fields.indices.map { filter.update == .all || fields.contains($0) ? own : .off }
      }
      let observed = quantities.indices.map { kind in
        quantities.map { reaches[kind][$0.operation.fields[0]] }
      }
      return DistanceLocalization(reaches: reaches, observed: observed)
    }
  }
}

extension StateLayout {
  /// Mean distance between neighbouring cells of the first grid that lies along it, for each direction of space, in the
  /// geometry's units.
  var spacings: [Double] {
    let axes = geometry.axes.indices.map(spacing)
    guard let radius = geometry.sphereRadius else { return axes }
    // On the sphere the first two axes are one direction, in the unit of the radius: the distance of latitudes.
    return [axes[1] * .pi / 180 * radius] + axes.dropFirst(2)
  }

  private func spacing(_ axis: Int) -> Double {
    for grid in grids {
      guard let dimension = grid.dimensions.first(where: { $0.axis == axis }), dimension.length > 1 else { continue }
      let (first, last) = (dimension.coordinates[0], dimension.coordinates[dimension.length - 1])
      return geometry.axes[axis].period.map { $0 / Double(dimension.length) }
        ?? abs(last - first) / Double(dimension.length - 1)
    }
    return 1
  }
}
