extension StateLayout {
  /// Fields that all lie on one circle of equal cells with centres at `x_i = i L / n`.
  ///
  /// - Parameters:
  ///   - length: circumference, in `units`.
  ///   - name: of the axis and dimension, as in files.
  public init(ring cells: Int, length: Double, units: String = "1", name: String = "x", fields: [Field]) {
    let axis = Axis(name: name, units: units, period: length)
    let coordinates = (0..<cells).map { Double($0) * length / Double(cells) }
    self.init(
      geometry: Geometry(axes: [axis]), grids: [Grid([.init(name: name, axis: 0, coordinates: coordinates)])],
      fields: fields)
  }

  /// Whether all fields lie on one such circle.
  public var isRing: Bool {
    guard geometry.axes.count == 1, let period = geometry.axes[0].period, grids.count == 1, fields.allSatisfy({ $0.grid == 0 }),
      grids[0].dimensions.count == 1, grids[0].dimensions[0].axis == 0, grids[0].places.isEmpty
    else { return false }
    let (coordinates, n) = (grids[0].dimensions[0].coordinates, Double(cells))
    return coordinates.indices.allSatisfy { abs(coordinates[$0] - Double($0) * period / n) <= 1e-9 * period }
  }
}
