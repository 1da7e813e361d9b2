import DaunceNumerics

/// One large step without phase changes: three Runge-Kutta stages (Wicker and Skamarock 2002) of advection and
/// buoyancy, each with sound in short steps.
///
/// Carried are the mass fluxes U = rho u and W = rho w, Theta = rho theta_m and the density rho of dry air, all in flux
/// form, and mixing ratios of water with the mean mass fluxes of the short steps: what a cell loses another one gains.
struct LargeStep {
  let mesh: Mesh
  private let base: BaseState
  private let configuration: ConvectionConfiguration
  let transport: Transport
  let acoustics: AcousticSteps

  /// At the beginning of the step: U, W, Theta, rho and water.
  let startX, startZ, startTheta, startDensity: Plane
  let start: Planes
  /// In the stage, and at the end.
  let x, z, theta, density: Plane
  /// Deviation of the Exner function from the base state in the stage.
  let exner: Plane
  /// u and w in the stage, over the columns that move.
  let u, w: Plane
  /// Mean mass fluxes of the stage's short steps, which carry density and water; their sums before that.
  var meanX: Plane { acoustics.sumX }
  var meanZ: Plane { acoustics.sumZ }
  /// Of the stage, in cells: theta_m, c of ``AcousticSteps`` and buoyancy, m/s2.
  private let moist, slope, buoyancy: Plane
  /// Water at the end of the first and of the second stage.
  let early, late: Planes

  init(_ configuration: ConvectionConfiguration, _ mesh: Mesh, _ base: BaseState, _ memory: PlaneMemory) {
    (self.configuration, self.mesh, self.base) = (configuration, mesh, base)
    transport = Transport(mesh, memory)
    acoustics = AcousticSteps(mesh, memory)
    func plane() -> Plane { memory.plane() }
    (startX, startZ, startTheta, startDensity) = (plane(), plane(), plane(), plane())
    (x, z, theta, density) = (plane(), plane(), plane(), plane())
    (exner, u, w) = (plane(), plane(), plane())
    (moist, slope, buoyancy) = (plane(), plane(), plane())
    let kinds = ConvectionField.water.count
    (start, early, late) = (memory.planes(kinds), memory.planes(kinds), memory.planes(kinds))
  }

  /// Carries the start values, their halo filled, over `dt` seconds: U, W, Theta and rho go to `x`, `z`, `theta` and
  /// `density`, water stays in `start`.
  ///
  /// - Parameter shortSteps: in the whole step, even.
  func run(_ dt: Double, shortSteps: Int) {
    let starts = Stage(x: startX, z: startZ, theta: startTheta, density: startDensity)
    let ends = Stage(x: x, z: z, theta: theta, density: density)
    let cloudy = cloudyLevels
    stage(starts, dt / 3, shortSteps: 1, water: start, isFirst: true)
    carry(start, into: early, dt / 3, cloudy, reach: 2)
    stage(ends, dt / 2, shortSteps: shortSteps / 2, water: early, isFirst: false)
    carry(early, into: late, dt / 2, cloudy, reach: 4)
    stage(ends, dt, shortSteps: shortSteps, water: late, isFirst: false)
    finish(late, dt, cloudy, reach: 6)
  }

  /// Where a stage finds U, W, Theta and rho.
  private struct Stage {
    let x, z, theta, density: Plane
  }

  /// One stage of everything but water.
  private func stage(_ from: Stage, _ dt: Double, shortSteps: Int, water: Planes, isFirst: Bool) {
    let short = dt / Double(shortSteps)
    diagnose(from, water, acoustics.scale(short))
    slowTendencies(from, short)
    startShortSteps(isFirst, acoustics.scale(short))
    acoustics.run(shortSteps)
    endShortSteps(from, dt, shortSteps)
  }

  /// Velocities, theta_m, and what pressure and buoyancy need, halo included.
  private func diagnose(_ from: Stage, _ water: Planes, _ scale: AcousticSteps.Scale) {
    let columns = mesh.columns
    let (halfX, halfZ) = (0.5 * scale.x, 0.5 * scale.z)
    for k in 0..<mesh.levels {
      let (theta, density, exner) = (from.theta[k], from.density[k], exner[k])
      let (moist, slope, buoyancy, stiff) = (moist[k], slope[k], buoyancy[k], acoustics.stiffness[k])
      let (v, c, i, r, s) = (water[0][k], water[1][k], water[2][k], water[3][k], water[4][k])
      let (pi, buoyant) = (base.exner[k], base.buoyant[k])
      let (lift, elasticity) = (Air.gravity / buoyant, scale.z * Air.kappaVolume)
      // Everything below is local, so that the halo is worked out like the rest.
      var n = -Mesh.halo
      while n < columns + Mesh.halo {
        let (thetaDensity, rho) = (theta.lanes(n), density.lanes(n))
        let total = v.lanes(n) + ((c.lanes(n) + i.lanes(n)) + (r.lanes(n) + s.lanes(n)))
        // One division for 1 / rho, 1 / Theta and 1 / (1 + total), for divisions are slow.
        let (loaded, product) = (1 + total, thetaDensity * rho)
        let reciprocal = 1 / (product * loaded)
        let loading = reciprocal * product
        let ratio = thetaDensity * (thetaDensity * (reciprocal * loaded))
        moist.put(ratio, n)
        slope.put(Air.heatCapacity * (thetaDensity * loading), n)
        buoyancy.put(lift * (ratio * loading - buoyant), n)
        stiff.put(elasticity * ((pi + exner.lanes(n)) * (rho * (reciprocal * loaded))), n)
        n += 4
      }
      let (rho, x, u) = (from.density[k], from.x[k], u[k])
      let (slopeX, thetaX) = (acoustics.slopeX[k], acoustics.thetaX[k])
      forLanes(columns + 1) { i in
        u.put(x.lanes(i) / (0.5 * (rho.lanes(i &- 1) + rho.lanes(i))), i)
        slopeX.put(halfX * (slope.lanes(i &- 1) + slope.lanes(i)), i)
        thetaX.put(0.5 * (moist.lanes(i &- 1) + moist.lanes(i)), i)
      }
      self.u.wrap(k)
      guard k > 0 else { continue }
      let (under, z, w) = (from.density[k - 1], from.z[k], w[k])
      let (slopeUnder, moistUnder) = (self.slope[k - 1], self.moist[k - 1])
      let (slopeZ, thetaZ) = (acoustics.slopeZ[k], acoustics.thetaZ[k])
      forLanes(columns) { i in
        w.put(z.lanes(i) / (0.5 * (under.lanes(i) + rho.lanes(i))), i)
        slopeZ.put(halfZ * (slopeUnder.lanes(i) + slope.lanes(i)), i)
        thetaZ.put(0.5 * (moistUnder.lanes(i) + moist.lanes(i)), i)
      }
      self.w.wrap(k)
    }
    moist.mirror(0, to: -1)
    moist.mirror(mesh.levels - 1, to: mesh.levels)
    // Free slip: u is the same beyond the ground, w the opposite.
    u.mirror(0, to: -1)
    u.mirror(mesh.levels - 1, to: mesh.levels)
    w.mirror(1, to: -1, sign: -1)
    w.mirror(mesh.levels - 1, to: mesh.levels + 1, sign: -1)
  }

  /// Advection, pressure, buoyancy and diffusion of the stage, over a short step.
  private func slowTendencies(_ from: Stage, _ dt: Double) {
    let scale = acoustics.scale(dt)
    let (x, z, density) = (from.x, from.z, from.density)
    let (toX, toZ, toTheta) = (acoustics.tendencyX, acoustics.tendencyZ, acoustics.tendencyTheta)
    let (slopeX, slopeZ) = (acoustics.slopeX, acoustics.slopeZ)
    let (negative, perZ) = (-dt / scale.z, dt / (mesh.dz * scale.z))
    transport.divergence(of: moist, in: 0..<mesh.levels, x: x, z: z) { k, i, flux in
      toTheta[k].put(negative * flux, i)
    }
    transport.divergenceAlongX(of: u, x: x, z: z) { k, i, flux in
      let pressure = slopeX[k].lanes(i) * (exner[k].lanes(i) - exner[k].lanes(i &- 1))
      toX[k].put(-pressure - dt * flux, i)
    }
    transport.divergenceAlongZ(of: w, x: x, z: z) { k, i, flux in
      let pressure = slopeZ[k].lanes(i) * (perZ * (exner[k].lanes(i) - exner[k - 1].lanes(i)))
      let mass = 0.25 * (density[k].lanes(i) + density[k - 1].lanes(i))
      let lift = mass * (buoyancy[k].lanes(i) + buoyancy[k - 1].lanes(i))
      toZ[k].put(dt * (lift - flux) - pressure, i)
    }
    if configuration.diffusivity > 0 { diffuse(density, dt) }
  }

  /// Constant diffusion of u, w and theta_m: rho nu times the Laplacian.
  private func diffuse(_ density: Plane, _ dt: Double) {
    let nu = dt * configuration.diffusivity
    let (perX, perZ) = (nu / (mesh.dx * mesh.dx), nu / (mesh.dz * mesh.dz))
    func add(_ q: Plane, to tendency: Plane, _ levels: Range<Int>, _ factor: Double, _ mass: (Int, Int) -> Lanes) {
      for k in levels {
        let (low, row, high, to) = (q[k - 1], q[k], q[k + 1], tendency[k])
        forLanes(mesh.columns) { i in
          let twice = 2 * row.lanes(i)
          let across = perX * ((row.lanes(i &- 1) + row.lanes(i &+ 1)) - twice)
          let up = perZ * ((low.lanes(i) + high.lanes(i)) - twice)
          to.put(to.lanes(i) + factor * mass(k, i) * (across + up), i)
        }
      }
    }
    add(moist, to: acoustics.tendencyTheta, 0..<mesh.levels, 1 / acoustics.scale(dt).z) { density[$0].lanes($1) }
    add(u, to: acoustics.tendencyX, 0..<mesh.levels, 0.5) {
      (density[$0].lanes($1 - 1) + density[$0].lanes($1))
    }
    add(w, to: acoustics.tendencyZ, 1..<mesh.levels, 0.5) {
      (density[$0 - 1].lanes($1) + density[$0].lanes($1))
    }
  }

  /// Deviations of the step's beginning from the stage, from which the short steps start.
  private func startShortSteps(_ isFirst: Bool, _ scale: AcousticSteps.Scale) {
    let perScale = 1 / scale.z
    for k in 0..<mesh.levels {
      let (x, z, theta) = (x[k], z[k], theta[k])
      let (startX, startZ, startTheta) = (startX[k], startZ[k], startTheta[k])
      let (toX, toZ, toExner, early) = (acoustics.x[k], acoustics.z[k], acoustics.exner[k], acoustics.ahead[k])
      let stiff = acoustics.stiffness[k]
      forLanes(mesh.columns) { i in
        toX.put(isFirst ? .zero : startX.lanes(i) - x.lanes(i), i)
        toZ.put(isFirst ? .zero : startZ.lanes(i) - z.lanes(i), i)
        let pi = isFirst ? .zero : perScale * (stiff.lanes(i) * (startTheta.lanes(i) - theta.lanes(i)))
        toExner.put(pi, i)
        early.put(pi, i)
      }
      early[-1] = early[mesh.columns - 1]
    }
  }

  /// The end of the stage from the deviations there; the mean mass fluxes, which carry density and water. The Exner
  /// function follows linearly: from its exact value at the beginning it goes less than 1e-3 of itself in a step.
  private func endShortSteps(_ from: Stage, _ dt: Double, _ shortSteps: Int) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    let (factor, weights) = (acoustics.scale(dt / Double(shortSteps)).z, acoustics.weights(shortSteps))
    for k in 0..<levels {
      let (oldX, oldZ, oldTheta) = (from.x[k], from.z[k], from.theta[k])
      let (x, z, theta, exner) = (x[k], z[k], theta[k], exner[k])
      let (farX, farZ, farExner, stiff) = (acoustics.x[k], acoustics.z[k], acoustics.exner[k], acoustics.stiffness[k])
      let (meanX, meanZ, startZ) = (meanX[k], meanZ[k], startZ[k])
      forLanes(columns) { i in
        let (before, after) = (startZ.lanes(i) - oldZ.lanes(i), farZ.lanes(i))
        let mean = weights.sum * meanZ.lanes(i) + (weights.start * before + weights.end * after)
        meanX.put(oldX.lanes(i) + weights.sum * meanX.lanes(i), i)
        meanZ.put(oldZ.lanes(i) + mean, i)
        x.put(oldX.lanes(i) + farX.lanes(i), i)
        z.put(oldZ.lanes(i) + after, i)
        let pi = farExner.lanes(i)
        theta.put(oldTheta.lanes(i) + factor * (pi / stiff.lanes(i)), i)
        exner.put(exner.lanes(i) + pi, i)
      }
      self.meanX.wrap(k)
      self.meanZ.wrap(k)
      self.x.wrap(k)
      self.z.wrap(k)
      self.theta.wrap(k)
      self.exner.wrap(k)
    }
    let (perX, perZ) = (dt / mesh.dx, dt / mesh.dz)
    for k in 0..<levels {
      let (meanX, meanZ, above) = (meanX[k], meanZ[k], meanZ[k + 1])
      let (before, after) = (startDensity[k], density[k])
      forLanes(columns) { i in
        let across = perX * (meanX.lanes(i &+ 1) - meanX.lanes(i))
        let up = perZ * (above.lanes(i) - meanZ.lanes(i))
        after.put(before.lanes(i) - (across + up), i)
      }
      density.wrap(k)
    }
  }

  /// Copies a water field beyond the ends, the ground and the lid.
  func fillHalo(of q: Plane) {
    q.wrap(0..<mesh.levels)
    q.mirror(0, to: -1)
    q.mirror(mesh.levels - 1, to: mesh.levels)
  }
}
