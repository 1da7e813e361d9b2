import DaunceNumerics

/// Advection in flux form: upwind-biased fluxes of fifth order along x and of third order along z (Wicker and Skamarock
/// 2002, Mon. Wea. Rev. 130, 2088).
///
/// Mass fluxes are those through the left and the lower face of a cell, kg/(m2 s).
struct Transport {
  let mesh: Mesh
  /// Fluxes along x through the faces of one level, along z through the lower and the upper faces.
  let along, lower, upper: Row
  /// Fluxes of a whole field, and the share of them that a cell can give.
  let fluxX, fluxZ, share: Plane

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
    double(bits(x) & 0x7FFF_FFFF_FFFF_FFFF)
  }

  /// Divergence of the flux of `q`, given to `take` for every level of a range and four columns.
  ///
  /// - Parameters:
  ///   - range: all levels, or those that `q` is not 0 in with two more on either side.
  ///   - q: with its halo and one level beyond ground and lid.
  ///   - x: mass flux along x, with its halo.
  ///   - z: mass flux along z; 0 at the ground and the lid.
  @inline(__always)
  func divergence(
    of q: Plane, in range: Range<Int>, x: Plane, z: Plane, _ take: (_ k: Int, _ i: Int, Lanes) -> Void
  ) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (perX, perZ) = (1 / mesh.dx, 1 / mesh.dz)
    let along = along
    var (below, above) = (lower, upper)
    forLanes(columns) { below.put(.zero, $0) }
    for k in range {
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
}
