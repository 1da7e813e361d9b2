/// The limiter that keeps water positive and conserves it (Skamarock 2006, Mon. Wea. Rev. 134, 2241).
extension Transport {
  /// Carries `start` over `dt` by the limited fluxes of `q`: what leaves a cell is no more than what is in it.
  ///
  /// - Parameters:
  ///   - q: where fluxes are taken from, with its halo and ghost levels.
  ///   - start: mixing ratio at the beginning of the step; receives the new one.
  ///   - range: as in ``divergence(of:in:x:z:_:)``.
  ///   - before: density at the beginning.
  ///   - after: density at the end.
  @inline(__always)
  func carryLimited(
    _ q: Plane, from start: Plane, in range: Range<Int>, before: Plane, after: Plane, x: Plane, z: Plane, dt: Double
  ) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (dt / mesh.dx, dt / mesh.dz)
    for k in range.lowerBound..<min(range.upperBound + 1, levels) {
      let (row, mass, along) = (q[k], x[k], fluxX[k])
      if k < range.upperBound {
        forLanes(columns &+ 1) { along.put(perX * Self.fifth(mass.lanes($0), row, $0), $0) }
      }
      // Fluxes through the ground and the lid stay 0.
      guard k > 0 else { continue }
      let (rising, a, b, d, up) = (z[k], q[k - 2], q[k - 1], q[k + 1], fluxZ[k])
      forLanes(columns) { i in
        up.put(perZ * Self.third(rising.lanes(i), a.lanes(i), b.lanes(i), row.lanes(i), d.lanes(i)), i)
      }
    }
    for k in range {
      let (along, below, above) = (fluxX[k], fluxZ[k], fluxZ[k + 1])
      let (water, density, part) = (start[k], before[k], share[k])
      forLanes(columns) { i in
        let sideways = positive(along.lanes(i &+ 1)) + positive(-along.lanes(i))
        let outgoing = sideways + (positive(above.lanes(i)) + positive(-below.lanes(i)))
        let available = density.lanes(i) * water.lanes(i)
        let limited = available / outgoing
        part.put(Lanes(repeating: 1).replacing(with: limited, where: outgoing .> available), i)
      }
      part[-1] = part[columns - 1]
      part[columns] = part[0]
    }
    for k in range {
      let (along, below, above) = (fluxX[k], fluxZ[k], fluxZ[k + 1])
      let (water, density, next) = (start[k], before[k], after[k])
      let (part, under, over) = (share[k], share[k - 1], share[k + 1])
      forLanes(columns) { i in
        let own = part.lanes(i)
        let left = Self.shared(along.lanes(i), part.lanes(i &- 1), own)
        let right = Self.shared(along.lanes(i &+ 1), own, part.lanes(i &+ 1))
        let bottom = Self.shared(below.lanes(i), under.lanes(i), own)
        let top = Self.shared(above.lanes(i), own, over.lanes(i))
        let change = (right - left) + (top - bottom)
        // What a cell gives up entirely may come out below 0 by rounding.
        water.put(positive((density.lanes(i) * water.lanes(i) - change) / next.lanes(i)), i)
      }
    }
  }

  /// The share of a flux that the cell it comes from can give.
  @inline(__always)
  private static func shared(_ flux: Lanes, _ from: Lanes, _ to: Lanes) -> Lanes {
    flux * to.replacing(with: from, where: flux .> 0)
  }
}
