/// Advection in flux form: upwind-biased fluxes of fifth order along x and of third order along z (Wicker and Skamarock
/// 2002, Mon. Wea. Rev. 130, 2088), and a limiter that keeps water positive (Skamarock 2006, Mon. Wea. Rev. 134, 2241).
///
/// Mass fluxes are those through the left and the lower face of a cell, kg/(m2 s).
struct Transport {
  let mesh: Mesh
  /// Fluxes along x through the faces of one level, along z through the lower and the upper faces.
  let along, lower, upper: Row
  /// Fluxes of a whole field, and the share of them that a cell can give.
  private let fluxX, fluxZ, share: Plane

  init(_ mesh: Mesh, _ memory: PlaneMemory) {
    self.mesh = mesh
    let rows = memory.plane()
    (along, lower, upper) = (rows[0], rows[1], rows[2])
    (fluxX, fluxZ, share) = (memory.plane(), memory.plane(), memory.plane())
  }

  /// Flux of the fifth order through a face with three cells on either side, from left to right.
  @inline(__always)
  static func fifth(_ mass: Lanes, _ q: Row, _ i: Int) -> Lanes {
    let (a, b, c) = (q.lanes(i &- 3), q.lanes(i &- 2), q.lanes(i &- 1))
    let (d, e, f) = (q.lanes(i), q.lanes(i &+ 1), q.lanes(i &+ 2))
    let centred = 37 * (c + d) - 8 * (b + e) + (a + f)
    let biased = 10 * (d - c) - 5 * (e - b) + (f - a)
    return (1.0 / 60) * (mass * centred - magnitude(mass) * biased)
  }

  /// Flux of the third order through a face with two cells on either side, upwards.
  @inline(__always)
  static func third(_ mass: Lanes, _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> Lanes {
    let centred = 7 * (b + c) - (a + d)
    let biased = (d - a) - 3 * (c - b)
    return (1.0 / 12) * (mass * centred + magnitude(mass) * biased)
  }

  @inline(__always)
  static func magnitude(_ x: Lanes) -> Lanes {
    let bits = unsafeBitCast(x, to: SIMD4<UInt64>.self) & 0x7FFF_FFFF_FFFF_FFFF
    return unsafeBitCast(bits, to: Lanes.self)
  }

  /// Divergence of the flux of `q`, given to `take` for every level and four columns.
  ///
  /// - Parameters:
  ///   - q: with its halo and one level beyond ground and lid.
  ///   - x: mass flux along x, with its halo.
  ///   - z: mass flux along z; 0 at the ground and the lid.
  @inline(__always)
  func divergence(of q: Plane, x: Plane, z: Plane, _ take: (_ k: Int, _ i: Int, Lanes) -> Void) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (1 / mesh.dx, 1 / mesh.dz)
    let along = along
    var (below, above) = (lower, upper)
    forLanes(columns) { below.put(.zero, $0) }
    for k in 0..<levels {
      let (row, mass) = (q[k], x[k])
      forLanes(columns &+ 1) { along.put(Self.fifth(mass.lanes($0), row, $0), $0) }
      if k < levels - 1 {
        let (rising, a, c, d) = (z[k + 1], q[k - 1], q[k + 1], q[k + 2])
        forLanes(columns) { i in
          let through = Self.third(rising.lanes(i), a.lanes(i), row.lanes(i), c.lanes(i), d.lanes(i))
          above.put(through, i)
          let horizontal = perX * (along.lanes(i &+ 1) - along.lanes(i))
          take(k, i, horizontal + perZ * (through - below.lanes(i)))
        }
      } else {
        forLanes(columns) { i in
          let horizontal = perX * (along.lanes(i &+ 1) - along.lanes(i))
          take(k, i, horizontal - perZ * below.lanes(i))
        }
      }
      (below, above) = (above, below)
    }
  }

  /// Carries `start` over `dt` by the limited fluxes of `q`: what leaves a cell is no more than what is in it.
  ///
  /// - Parameters:
  ///   - q: where fluxes are taken from, with its halo and ghost levels.
  ///   - start: mixing ratio at the beginning of the step; receives the new one.
  ///   - before: density at the beginning.
  ///   - after: density at the end.
  @inline(__always)
  func carryLimited(
    _ q: Plane, from start: Plane, before: Plane, after: Plane, x: Plane, z: Plane, dt: Double
  ) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (dt / mesh.dx, dt / mesh.dz)
    for k in 0..<levels {
      let (row, mass, along) = (q[k], x[k], fluxX[k])
      forLanes(columns &+ 1) { along.put(perX * Self.fifth(mass.lanes($0), row, $0), $0) }
      guard k > 0 else { continue }
      let (rising, a, b, d, up) = (z[k], q[k - 2], q[k - 1], q[k + 1], fluxZ[k])
      forLanes(columns) { i in
        up.put(perZ * Self.third(rising.lanes(i), a.lanes(i), b.lanes(i), row.lanes(i), d.lanes(i)), i)
      }
    }
    for k in 0..<levels {
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
    for k in 0..<levels {
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
