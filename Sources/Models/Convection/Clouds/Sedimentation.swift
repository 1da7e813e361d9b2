import DaunceNumerics

/// Rain, snow and cloud ice that fall, by upwind fluxes from one level to the next.
struct Sedimentation {
  private let mesh: Mesh
  /// Fluxes in kg/(m2 s) of rain, snow and ice from the level above.
  private let above: (rain: Row, snow: Row, ice: Row)
  /// What has left through the ground since the model was made, kg/m2.
  let ground: Row

  init(_ mesh: Mesh, _ memory: PlaneMemory) {
    self.mesh = mesh
    let rows = memory.plane()
    above = (rows[0], rows[1], rows[2])
    ground = rows[3]
  }

  /// Lets water fall out of level `k` and into it. Levels come from the lid to the ground.
  ///
  /// - Parameters:
  ///   - water: mixing ratios in the order of the state.
  ///   - density: of dry air.
  ///   - exner: deviation of the Exner function, and `theta` of potential temperature, from `base`.
  @inline(__always)
  func leave(_ k: Int, _ water: Planes, density: Plane, exner: Plane, theta: Plane, _ base: BaseState, _ dt: Double) {
    let (ice, rain, snow, rho) = (water[2][k], water[3][k], water[4][k], density[k])
    let (exner, theta, mean, potential) = (exner[k], theta[k], base.exner[k], base.theta[k])
    let (above, ground, isTop, isBottom) = (above, ground, k == mesh.levels - 1, k == 0)
    let share = dt / mesh.dz
    forLanes(mesh.columns) { i in
      let (frozen, liquid, flakes) = (ice.lanes(i), rain.lanes(i), snow.lanes(i))
      // Nothing falls through the lid.
      let fromRain = isTop ? .zero : above.rain.lanes(i)
      let fromSnow = isTop ? .zero : above.snow.lanes(i)
      let fromIce = isTop ? .zero : above.ice.lanes(i)
      let inside = frozen + (liquid + flakes)
      let coming = fromRain + (fromSnow + fromIce)
      guard any((inside .> 0) .| (coming .> 0)) else {
        if isTop { keep(.zero, .zero, .zero, i) }
        return
      }
      let density = rho.lanes(i)
      var (outRain, outSnow, outIce) = (Lanes.zero, Lanes.zero, Lanes.zero)
      if any(liquid .> 0) {
        let content = density * liquid
        outRain = content * WarmRain.fallSpeed(content: content, density: density)
      }
      if any(flakes .> 0) {
        let content = density * flakes
        let temperature = (potential + theta.lanes(i)) * (mean + exner.lanes(i))
        outSnow = content * SimpleIce.snowFallSpeed(content: content, density: density, temperature: temperature)
      }
      if any(frozen .> 0) {
        let content = density * frozen
        outIce = content * SimpleIce.iceFallSpeed(content: content)
      }
      let perMass = share / density
      rain.put(positive(liquid + perMass * (fromRain - outRain)), i)
      snow.put(positive(flakes + perMass * (fromSnow - outSnow)), i)
      ice.put(positive(frozen + perMass * (fromIce - outIce)), i)
      keep(outRain, outSnow, outIce, i)
      if isBottom { ground.put(ground.lanes(i) + dt * (outRain + (outSnow + outIce)), i) }
    }
  }

  /// Fluxes into the level below.
  @inline(__always)
  private func keep(_ rain: Lanes, _ snow: Lanes, _ ice: Lanes, _ i: Int) {
    above.rain.put(rain, i)
    above.snow.put(snow, i)
    above.ice.put(ice, i)
  }
}
