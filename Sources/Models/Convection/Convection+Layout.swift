import DaunceState

/// Fields of the state by their numbers.
enum ConvectionField: Int, CaseIterable {
  case u, w, theta, pi, vapour, cloud, ice, rain, snow

  /// Those of water, in the order of the state.
  static let water = [vapour, cloud, ice, rain, snow]
}

extension ConvectionConfiguration {
  /// u at the left faces of cells, w at the faces between levels, everything else in the middle of cells.
  func layout(_ mesh: Mesh) -> StateLayout {
    let length = Double(mesh.columns) * mesh.dx
    let geometry = Geometry(axes: [
      Axis(name: "x", units: "m", period: length), Axis(name: "height", units: "m"),
    ])
    func along(_ name: String, _ axis: Int, _ count: Int, _ size: Double, _ shift: Double) -> Grid.Dimension {
      .init(name: name, axis: axis, coordinates: (0..<count).map { (Double($0) + shift) * size })
    }
    let (x, z) = (along("x", 0, mesh.columns, mesh.dx, 0.5), along("height", 1, mesh.levels, mesh.dz, 0.5))
    let faceX = along("x_face", 0, mesh.columns, mesh.dx, 0)
    let faceZ = along("height_face", 1, mesh.levels - 1, mesh.dz, 1)
    func water(_ name: String, _ longName: String, _ standardName: String?, _ scale: Double) -> Field {
      Field(
        name: name, longName: "mixing ratio of " + longName, standardName: standardName, units: "kg kg-1", scale: scale,
        lowerBound: 0, grid: 0)
    }
    return StateLayout(
      geometry: geometry, grids: [Grid([z, x]), Grid([z, faceX]), Grid([faceZ, x])],
      fields: [
        Field(
          name: "u", longName: "wind along x, over the ground", standardName: "x_wind", units: "m s-1",
          reference: shear, scale: 5, grid: 1),
        Field(
          name: "w", longName: "vertical wind", standardName: "upward_air_velocity", units: "m s-1", scale: 2, grid: 2),
        Field(
          name: "theta", longName: "potential temperature, deviation from the base state", units: "K", scale: 2,
          grid: 0),
        Field(name: "pi", longName: "Exner function, deviation from the base state", scale: 5e-4, grid: 0),
        water("q_v", "water vapour", "humidity_mixing_ratio", 1e-3),
        water("q_c", "cloud water", "cloud_liquid_water_mixing_ratio", 3e-4),
        water("q_i", "cloud ice", "cloud_ice_mixing_ratio", 3e-4),
        water("q_r", "rain", nil, 5e-4),
        water("q_s", "snow", nil, 5e-4),
      ])
  }
}
