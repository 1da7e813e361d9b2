/// Sound within one stage of a large step: short steps of deviations from the stage's state, forward in u, implicit along
/// z for w and the Exner function (Klemp, Skamarock and Dudhia 2007, Mon. Wea. Rev. 135, 2897).
///
///     U''_t  = R_U - c_x (pi~'')_x             pi'' = (R / cv) pi / Theta  Theta''
///     W''_t  = R_W - c_z (pi'')_z              c = cp Theta / (1 + q)
///     Theta''_t = R_Theta - (theta_m U'')_x - (theta_m W'')_z
///
/// U and W are mass fluxes of dry air, Theta its density times theta_m. The implicit part has the weight 0.6, the gradient
/// along x is of pi~'' = pi'' + 0.1 (pi'' - its value before), which damps divergence.
struct AcousticSteps {
  private let mesh: Mesh
  /// Weight of the new time level along z, and of the damping of divergence.
  private static let implicit = 0.6
  private static let damping = 0.1

  /// Slow tendencies of U, W and Theta.
  let tendencyX, tendencyZ, tendencyTheta: Plane
  /// c at left and lower faces, theta_m at left and lower faces.
  let slopeX, slopeZ, thetaX, thetaZ: Plane
  /// (R / cv) pi / Theta.
  let stiffness: Plane
  /// Deviations of U and W from the stage; 0 at the ground and the lid.
  let x, z: Plane
  /// Their means over the stage.
  let meanX, meanZ: Plane
  /// Deviation of the Exner function, and its value ahead.
  let exner: Plane
  private let ahead: Plane
  /// Of the elimination: the lower coefficient, the reciprocal of the pivot and the upper coefficient over the pivot, the
  /// right-hand side; and the explicit part of pi''.
  private let below, pivot, above, right, explicit: Plane
  /// Deviation of Theta at the end.
  var theta: Plane { explicit }

  init(_ mesh: Mesh, _ memory: PlaneMemory) {
    self.mesh = mesh
    func plane() -> Plane { memory.plane() }
    (tendencyX, tendencyZ, tendencyTheta) = (plane(), plane(), plane())
    (slopeX, slopeZ, thetaX, thetaZ) = (plane(), plane(), plane(), plane())
    (stiffness, x, z, meanX, meanZ) = (plane(), plane(), plane(), plane(), plane())
    (exner, ahead) = (plane(), plane())
    (below, pivot, above, right, explicit) = (plane(), plane(), plane(), plane(), plane())
  }

  /// Takes `count` steps of `dt` seconds from the deviations in `x`, `z` and `exner`; those at the end are in `x`, `z` and
  /// `theta`. Coefficients have their halo; tendencies and coefficients are no longer those that were given.
  func run(_ count: Int, dt: Double) {
    prepare(dt)
    for step in 0..<count { self.step(dt, isFirst: step == 0) }
    let (share, factor) = (1 / Double(count), dt * Self.implicit / mesh.dz)
    for k in 0..<mesh.levels {
      let (sumX, sumZ, theta, exner, stiff) = (meanX[k], meanZ[k], theta[k], exner[k], stiffness[k])
      forLanes(mesh.columns) { i in
        theta.put(factor * (exner.lanes(i) / stiff.lanes(i)), i)
        sumX.put(share * sumX.lanes(i), i)
        sumZ.put(share * sumZ.lanes(i), i)
      }
    }
  }

  /// Scales tendencies and coefficients by the step, and factorises the tridiagonal matrices of all columns.
  private func prepare(_ dt: Double) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let factor = dt * Self.implicit / mesh.dz
    for k in 0..<levels {
      let (forceX, forceZ, heating, stiff) = (tendencyX[k], tendencyZ[k], tendencyTheta[k], stiffness[k])
      let (cx, cz, early) = (slopeX[k], slopeZ[k], ahead[k])
      let (exner, sumX, sumZ) = (exner[k], meanX[k], meanZ[k])
      forLanes(columns) { i in
        forceX.put(dt * forceX.lanes(i), i)
        forceZ.put(dt * forceZ.lanes(i), i)
        heating.put(dt * (stiff.lanes(i) * heating.lanes(i)), i)
        cx.put(dt / mesh.dx * cx.lanes(i), i)
        cz.put(factor * cz.lanes(i), i)
        stiff.put(factor * stiff.lanes(i), i)
        early.put(exner.lanes(i), i)
        sumX.put(.zero, i)
        sumZ.put(.zero, i)
      }
      early[-1] = early[columns - 1]
    }
    for k in 1..<levels {
      let (cz, stiff, under) = (slopeZ[k], stiffness[k], stiffness[k - 1])
      let (theta, lower, upper) = (thetaZ[k], thetaZ[k - 1], thetaZ[k + 1])
      let (down, inverse, up, previous) = (below[k], pivot[k], above[k], above[k - 1])
      forLanes(columns) { i in
        let a = cz.lanes(i)
        // There is no flux through the ground and the lid: thetaZ is 0 there.
        let lowest = -a * (under.lanes(i) * lower.lanes(i))
        let diagonal = 1 + a * (theta.lanes(i) * (stiff.lanes(i) + under.lanes(i)))
        let highest = -a * (stiff.lanes(i) * upper.lanes(i))
        let reciprocal = 1 / (diagonal - lowest * previous.lanes(i))
        down.put(lowest, i)
        inverse.put(reciprocal, i)
        up.put(highest * reciprocal, i)
      }
    }
  }

  private func step(_ dt: Double, isFirst: Bool) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (now, old) = (Self.implicit, 1 - Self.implicit)
    let (explicitShare, sideways) = (old / now, mesh.dz / mesh.dx / now)
    for k in 0..<levels {
      let (x, force, cx, early, sum) = (x[k], tendencyX[k], slopeX[k], ahead[k], meanX[k])
      forLanes(columns) { i in
        let next = x.lanes(i) + (force.lanes(i) - cx.lanes(i) * (early.lanes(i) - early.lanes(i &- 1)))
        x.put(next, i)
        sum.put(sum.lanes(i) + next, i)
      }
      x.put(x.lanes(0), columns)
      let (exner, heating, stiff, explicit) = (exner[k], tendencyTheta[k], stiffness[k], explicit[k])
      let (thetaX, thetaZ, thetaUp, z, zUp) = (thetaX[k], thetaZ[k], thetaZ[k + 1], z[k], z[k + 1])
      guard k > 0 else {
        forLanes(columns) { i in
          let across = thetaX.lanes(i &+ 1) * x.lanes(i &+ 1) - thetaX.lanes(i) * x.lanes(i)
          let up = thetaUp.lanes(i) * zUp.lanes(i) - thetaZ.lanes(i) * z.lanes(i)
          let change = heating.lanes(i) - stiff.lanes(i) * (sideways * across + explicitShare * up)
          explicit.put(exner.lanes(i) + change, i)
        }
        continue
      }
      let (under, exnerUnder, forceZ, cz) = (self.explicit[k - 1], self.exner[k - 1], tendencyZ[k], slopeZ[k])
      let (down, inverse, right, previous) = (below[k], pivot[k], right[k], self.right[k - 1])
      forLanes(columns) { i in
        let across = thetaX.lanes(i &+ 1) * x.lanes(i &+ 1) - thetaX.lanes(i) * x.lanes(i)
        let up = thetaUp.lanes(i) * zUp.lanes(i) - thetaZ.lanes(i) * z.lanes(i)
        let change = heating.lanes(i) - stiff.lanes(i) * (sideways * across + explicitShare * up)
        let pi = exner.lanes(i)
        let partial = pi + change
        explicit.put(partial, i)
        let gradient = (partial - under.lanes(i)) + explicitShare * (pi - exnerUnder.lanes(i))
        let known = z.lanes(i) + forceZ.lanes(i) - cz.lanes(i) * gradient
        right.put((known - down.lanes(i) * previous.lanes(i)) * inverse.lanes(i), i)
      }
    }
    for k in (0..<levels).reversed() {
      let (z, sum, right, up, zUp) = (z[k], meanZ[k], right[k], above[k], z[k + 1])
      let (theta, thetaUp, stiff, explicit) = (thetaZ[k], thetaZ[k + 1], stiffness[k], explicit[k])
      let (exner, early) = (exner[k], ahead[k])
      // At the ground the right-hand side, the coefficient and so the flux are 0.
      forLanes(columns) { i in
        let upper = zUp.lanes(i)
        let next = right.lanes(i) - up.lanes(i) * upper
        sum.put(sum.lanes(i) + (now * next + old * z.lanes(i)), i)
        z.put(next, i)
        let pi = explicit.lanes(i) - stiff.lanes(i) * (thetaUp.lanes(i) * upper - theta.lanes(i) * next)
        early.put(pi + Self.damping * (pi - exner.lanes(i)), i)
        exner.put(pi, i)
      }
      early[-1] = early[columns - 1]
    }
  }
}
