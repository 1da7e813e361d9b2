/// Sound within one stage of a large step: short steps of deviations from the stage's state, forward in u, implicit
/// along z for w and the Exner function (Klemp, Skamarock and Dudhia 2007, Mon. Wea. Rev. 135, 2897).
///
///     U''_t  = R_U - c_x (pi~'')_x             pi'' = (R / cv) pi / Theta  Theta''
///     W''_t  = R_W - c_z (pi'')_z              c = cp Theta / (1 + q)
///     Theta''_t = R_Theta - (theta_m U'')_x - (theta_m W'')_z
///
/// U and W are mass fluxes of dry air, Theta its density times theta_m. The implicit part has the weight 0.6, the
/// gradient along x is of pi~'' = pi'' + 0.1 (pi'' - its value before), which damps divergence.
struct AcousticSteps {
  private let mesh: Mesh
  /// Weight of the new time level along z, and of the damping of divergence.
  private static let implicit = 0.6
  private static let damping = 0.1

  /// Slow tendencies: of U and W over a short step, of Theta over that and divided by `Scale.z`.
  let tendencyX, tendencyZ, tendencyTheta: Plane
  /// c at left and lower faces times `Scale.x` and `Scale.z`; theta_m at left and lower faces.
  let slopeX, slopeZ, thetaX, thetaZ: Plane
  /// (R / cv) pi / Theta times `Scale.z`.
  let stiffness: Plane
  /// Deviations of U and W from the stage; 0 at the ground and the lid.
  let x, z: Plane
  /// Their sums over the ends of all steps.
  let sumX, sumZ: Plane
  /// Deviation of the Exner function, and its value ahead.
  let exner, ahead: Plane
  /// Of the elimination: the reciprocal of the pivot, and the upper coefficient over the pivot.
  private let pivot, above: Plane
  /// Of the level below and of this one, what the gradient along z is taken of.
  private let rows: (Row, Row)

  init(_ mesh: Mesh, _ memory: PlaneMemory) {
    self.mesh = mesh
    func plane() -> Plane { memory.plane() }
    (tendencyX, tendencyZ, tendencyTheta) = (plane(), plane(), plane())
    (slopeX, slopeZ, thetaX, thetaZ) = (plane(), plane(), plane(), plane())
    (stiffness, x, z, sumX, sumZ) = (plane(), plane(), plane(), plane(), plane())
    (exner, ahead) = (plane(), plane())
    (pivot, above) = (plane(), plane())
    let spare = plane()
    rows = (spare[0], spare[1])
  }

  /// What coefficients are multiplied by.
  struct Scale {
    /// Short step over the width of a column; short step over the height of a level, times the weight of the implicit
    /// part.
    let x, z: Double
  }

  /// Scales of a short step of `dt` seconds.
  func scale(_ dt: Double) -> Scale { Scale(x: dt / mesh.dx, z: dt * Self.implicit / mesh.dz) }

  /// Takes `count` steps from the deviations in `x`, `z` and `exner`, of which `ahead` is a copy, and leaves there
  /// those at the end.
  func run(_ count: Int) {
    factorise()
    for step in 0..<count { self.step(isFirst: step == 0) }
  }

  /// What the mean of W over `count` steps, weighted in time like the implicit part, is made of: the factors of the
  /// sum, of the deviation at the beginning and of that at the end.
  func weights(_ count: Int) -> (sum: Double, start: Double, end: Double) {
    let share = 1 / Double(count)
    return (share, (1 - Self.implicit) * share, -(1 - Self.implicit) * share)
  }

  /// Coefficient below the diagonal of a face.
  @inline(__always)
  private static func lower(_ cz: Lanes, _ stiffUnder: Lanes, _ thetaUnder: Lanes) -> Lanes {
    -cz * (stiffUnder * thetaUnder)
  }

  /// Eliminates what is below the diagonal of the tridiagonal matrices of all columns. There is no flux through the
  /// ground and the lid: thetaZ is 0 there.
  private func factorise() {
    for k in 1..<mesh.levels {
      let (cz, stiff, under) = (slopeZ[k], stiffness[k], stiffness[k - 1])
      let (theta, lower, upper) = (thetaZ[k], thetaZ[k - 1], thetaZ[k + 1])
      let (inverse, up, previous) = (pivot[k], above[k], above[k - 1])
      forLanes(mesh.columns) { i in
        let a = cz.lanes(i)
        let down = Self.lower(a, under.lanes(i), lower.lanes(i))
        let diagonal = 1 + a * (theta.lanes(i) * (stiff.lanes(i) + under.lanes(i)))
        let reciprocal = 1 / (diagonal - down * previous.lanes(i))
        inverse.put(reciprocal, i)
        up.put(-a * (stiff.lanes(i) * upper.lanes(i)) * reciprocal, i)
      }
    }
  }

  private func step(isFirst: Bool) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (now, damping) = (Self.implicit, Self.damping)
    let (explicitShare, sideways) = ((1 - now) / now, mesh.dz / mesh.dx / now)
    var (lowerRow, row) = rows
    forLanes(columns) { lowerRow.put(.zero, $0) }
    for k in 0..<levels {
      let (x, force, cx, early, sum) = (x[k], tendencyX[k], slopeX[k], ahead[k], sumX[k])
      forLanes(columns) { i in
        let next = x.lanes(i) + (force.lanes(i) - cx.lanes(i) * (early.lanes(i) - early.lanes(i &- 1)))
        x.put(next, i)
        sum.put(isFirst ? next : sum.lanes(i) + next, i)
      }
      x.put(x.lanes(0), columns)
      // The explicit part of the Exner function, and on the way up the right-hand side of the faces below.
      let (exner, heating, stiff) = (exner[k], tendencyTheta[k], stiffness[k])
      let (thetaX, thetaZ, thetaUp, z, zUp) = (thetaX[k], thetaZ[k], thetaZ[k + 1], z[k], z[k + 1])
      let (forceZ, cz, inverse, zUnder) = (tendencyZ[k], slopeZ[k], pivot[k], self.z[k - 1])
      let (stiffUnder, thetaUnder) = (stiffness[k - 1], self.thetaZ[k - 1])
      let (gradientRow, under) = (row, lowerRow)
      forLanes(columns) { i in
        let across = thetaX.lanes(i &+ 1) * x.lanes(i &+ 1) - thetaX.lanes(i) * x.lanes(i)
        let old = z.lanes(i)
        let up = thetaUp.lanes(i) * zUp.lanes(i) - thetaZ.lanes(i) * old
        let pi = exner.lanes(i)
        let change = stiff.lanes(i) * (heating.lanes(i) - (sideways * across + explicitShare * up))
        let partial = pi + change
        exner.put(partial, i)
        early.put(-damping * pi, i)
        let weighted = partial + explicitShare * pi
        gradientRow.put(weighted, i)
        // At the ground everything that this is made of is 0.
        let a = cz.lanes(i)
        let down = Self.lower(a, stiffUnder.lanes(i), thetaUnder.lanes(i))
        let known = old + forceZ.lanes(i) - a * (weighted - under.lanes(i))
        z.put((known - down * zUnder.lanes(i)) * inverse.lanes(i), i)
      }
      (lowerRow, row) = (row, lowerRow)
    }
    for k in (0..<levels).reversed() {
      let (z, sum, up, zUp) = (z[k], sumZ[k], above[k], z[k + 1])
      let (theta, thetaUp, stiff) = (thetaZ[k], thetaZ[k + 1], stiffness[k])
      let (exner, early) = (exner[k], ahead[k])
      forLanes(columns) { i in
        let upper = zUp.lanes(i)
        let next = z.lanes(i) - up.lanes(i) * upper
        z.put(next, i)
        sum.put(isFirst ? next : sum.lanes(i) + next, i)
        let pi = exner.lanes(i) - stiff.lanes(i) * (thetaUp.lanes(i) * upper - theta.lanes(i) * next)
        exner.put(pi, i)
        early.put((1 + damping) * pi + early.lanes(i), i)
      }
      early[-1] = early[columns - 1]
    }
  }
}
