extension Transport {
  /// Divergence of the flux of u, which lies on left faces: mass fluxes are means of those of the two cells.
  @inline(__always)
  func divergenceAlongX(of u: Plane, x: Plane, z: Plane, _ take: (_ k: Int, _ i: Int, Lanes) -> Void) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (1 / mesh.dx, 1 / mesh.dz)
    let along = along
    var (below, above) = (lower, upper)
    forLanes(columns) { below.put(.zero, $0) }
    for k in 0..<levels {
      let (row, mass) = (u[k], x[k])
      // In place i the flux through the middle of cell i - 1.
      forLanes(columns &+ 1) { i in
        along.put(Self.fifth(0.5 * (mass.lanes(i &- 1) + mass.lanes(i)), row, i), i)
      }
      let (rising, a, c, d) = (z[k + 1], u[k - 1], u[k + 1], u[k + 2])
      forLanes(columns) { i in
        let mass = 0.5 * (rising.lanes(i &- 1) + rising.lanes(i))
        let through = Self.third(mass, a.lanes(i), row.lanes(i), c.lanes(i), d.lanes(i))
        above.put(through, i)
        let horizontal = perX * (along.lanes(i &+ 1) - along.lanes(i))
        take(k, i, horizontal + perZ * (through - below.lanes(i)))
      }
      (below, above) = (above, below)
    }
  }

  /// Divergence of the flux of w, which lies on the faces between levels, 1 to levels - 1.
  @inline(__always)
  func divergenceAlongZ(of w: Plane, x: Plane, z: Plane, _ take: (_ k: Int, _ i: Int, Lanes) -> Void) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (1 / mesh.dx, 1 / mesh.dz)
    let along = along
    var (below, above) = (lower, upper)
    for k in 0..<levels {
      let (row, a, c, d) = (w[k], w[k - 1], w[k + 1], w[k + 2])
      let (rising, next) = (z[k], z[k + 1])
      let (under, over) = (x[k - 1], x[k])
      if k > 0 {
        forLanes(columns &+ 1) { i in
          along.put(Self.fifth(0.5 * (under.lanes(i) + over.lanes(i)), row, i), i)
        }
      }
      forLanes(columns) { i in
        let mass = 0.5 * (rising.lanes(i) + next.lanes(i))
        let through = Self.third(mass, a.lanes(i), row.lanes(i), c.lanes(i), d.lanes(i))
        above.put(through, i)
        if k > 0 {
          let horizontal = perX * (along.lanes(i &+ 1) - along.lanes(i))
          take(k, i, horizontal + perZ * (through - below.lanes(i)))
        }
      }
      (below, above) = (above, below)
    }
  }
}
