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
}
