import DaunceNumerics

/// One large step without phase changes: three Runge-Kutta stages (Wicker and Skamarock 2002) of advection and buoyancy,
/// each with sound in short steps.
///
/// Carried are the mass fluxes U = rho u and W = rho w, Theta = rho theta_m and the density rho of dry air, all in flux
/// form, and mixing ratios of water with the mean mass fluxes of the short steps: what a cell loses another one gains.
struct LargeStep {
  private let mesh: Mesh
  private let base: BaseState
  private let configuration: ConvectionConfiguration
  private let transport: Transport
  private let acoustics: AcousticSteps

  /// At the beginning of the step: U, W, Theta, rho and water.
  let startX, startZ, startTheta, startDensity: Plane
  let start: Planes
  /// In the stage, and at the end.
  let x, z, theta, density: Plane
  /// Deviation of the Exner function from the base state in the stage.
  let exner: Plane
  /// u and w in the stage, over the columns that move.
  let u, w: Plane
  /// Of the stage: theta_m, 1 / (1 + all water), c of ``AcousticSteps`` and buoyancy in cells, m/s2.
  private let moist, slope, buoyancy: Plane
  private let early, late: Planes
  /// Density at the end of a stage.
  private let nextDensity: Plane

  init(_ configuration: ConvectionConfiguration, _ mesh: Mesh, _ base: BaseState, _ memory: PlaneMemory) {
    (self.configuration, self.mesh, self.base) = (configuration, mesh, base)
    transport = Transport(mesh, memory)
    acoustics = AcousticSteps(mesh, memory)
    func plane() -> Plane { memory.plane() }
    (startX, startZ, startTheta, startDensity) = (plane(), plane(), plane(), plane())
    (x, z, theta, density) = (plane(), plane(), plane(), plane())
    (exner, u, w) = (plane(), plane(), plane())
    (moist, slope, buoyancy, nextDensity) = (plane(), plane(), plane(), plane())
    let kinds = ConvectionField.water.count
    (start, early, late) = (memory.planes(kinds), memory.planes(kinds), memory.planes(kinds))
  }

  /// Carries the start values, their halo filled, over `dt` seconds: U, W, Theta and rho go to `x`, `z`, `theta` and
  /// `density`, water stays in `start`.
  ///
  /// - Parameter shortSteps: in the whole step, even.
  func run(_ dt: Double, shortSteps: Int) {
    for k in 0..<mesh.levels {
      for (from, to) in [(startX, x), (startZ, z), (startTheta, theta), (startDensity, density)] {
        (to[k] - Mesh.halo).update(from: from[k] - Mesh.halo, count: mesh.stride)
      }
    }
    stage(dt / 3, shortSteps: 1, water: start, isFirst: true)
    carry(start, into: early, dt / 3)
    stage(dt / 2, shortSteps: shortSteps / 2, water: early, isFirst: false)
    carry(early, into: late, dt / 2)
    stage(dt, shortSteps: shortSteps, water: late, isFirst: false)
    for n in ConvectionField.water.indices {
      transport.carryLimited(
        late[n], from: start[n], before: startDensity, after: density, x: acoustics.meanX, z: acoustics.meanZ, dt: dt)
    }
  }

  /// One stage of everything but water.
  private func stage(_ dt: Double, shortSteps: Int, water: Planes, isFirst: Bool) {
    if !isFirst { diagnoseExner() }
    diagnose(water)
    slowTendencies()
    startShortSteps()
    acoustics.run(shortSteps, dt: dt / Double(shortSteps))
    endShortSteps(dt)
  }

  /// pi' = pibar ((Theta / Thetabar)^(R / cv) - 1).
  private func diagnoseExner() {
    for k in 0..<mesh.levels {
      let (theta, exner) = (theta[k], exner[k])
      let (reciprocal, pi) = (1 / base.thetaDensity[k], base.exner[k])
      forLanes(mesh.columns) { i in
        exner.put(pi * power(reciprocal * theta.lanes(i), Air.kappaVolume) - pi, i)
      }
      self.exner.wrap(k)
    }
  }

  /// Velocities, theta_m, and what pressure and buoyancy need, halo included.
  private func diagnose(_ water: Planes) {
    let columns = mesh.columns
    for k in 0..<mesh.levels {
      let (theta, density, exner) = (theta[k], density[k], exner[k])
      let (moist, slope, buoyancy, stiff) = (moist[k], slope[k], buoyancy[k], acoustics.stiffness[k])
      let (v, c, i, r, s) = (water[0][k], water[1][k], water[2][k], water[3][k], water[4][k])
      let (pi, buoyant) = (base.exner[k], base.buoyant[k])
      let lift = Air.gravity / buoyant
      // Everything below is local, so that the halo is worked out like the rest.
      var n = -Mesh.halo
      while n < columns + Mesh.halo {
        let thetaDensity = theta.lanes(n)
        let ratio = thetaDensity / density.lanes(n)
        let total = v.lanes(n) + ((c.lanes(n) + i.lanes(n)) + (r.lanes(n) + s.lanes(n)))
        let loading = 1 / (1 + total)
        moist.put(ratio, n)
        slope.put(Air.heatCapacity * thetaDensity * loading, n)
        buoyancy.put(lift * (ratio * loading - buoyant), n)
        stiff.put(Air.kappaVolume * (pi + exner.lanes(n)) / thetaDensity, n)
        n += 4
      }
    }
    moist.mirror(0, to: -1)
    moist.mirror(mesh.levels - 1, to: mesh.levels)
    for k in 0..<mesh.levels {
      let (density, x, u) = (density[k], x[k], u[k])
      let (slope, moist, slopeX, thetaX) = (slope[k], moist[k], acoustics.slopeX[k], acoustics.thetaX[k])
      forLanes(columns + 1) { i in
        u.put(x.lanes(i) / (0.5 * (density.lanes(i &- 1) + density.lanes(i))), i)
        slopeX.put(0.5 * (slope.lanes(i &- 1) + slope.lanes(i)), i)
        thetaX.put(0.5 * (moist.lanes(i &- 1) + moist.lanes(i)), i)
      }
      self.u.wrap(k)
      guard k > 0 else { continue }
      let (under, z, w) = (self.density[k - 1], z[k], w[k])
      let (slopeUnder, moistUnder) = (self.slope[k - 1], self.moist[k - 1])
      let (slopeZ, thetaZ) = (acoustics.slopeZ[k], acoustics.thetaZ[k])
      forLanes(columns) { i in
        w.put(z.lanes(i) / (0.5 * (under.lanes(i) + density.lanes(i))), i)
        slopeZ.put(0.5 * (slopeUnder.lanes(i) + slope.lanes(i)), i)
        thetaZ.put(0.5 * (moistUnder.lanes(i) + moist.lanes(i)), i)
      }
      self.w.wrap(k)
    }
    // Free slip: u is the same beyond the ground, w the opposite.
    u.mirror(0, to: -1)
    u.mirror(mesh.levels - 1, to: mesh.levels)
    w.mirror(1, to: -1, sign: -1)
    w.mirror(mesh.levels - 1, to: mesh.levels + 1, sign: -1)
  }

  /// Advection, pressure, buoyancy and diffusion of the stage.
  private func slowTendencies() {
    let (perX, perZ) = (1 / mesh.dx, 1 / mesh.dz)
    let (toX, toZ, toTheta) = (acoustics.tendencyX, acoustics.tendencyZ, acoustics.tendencyTheta)
    let (slopeX, slopeZ) = (acoustics.slopeX, acoustics.slopeZ)
    transport.divergence(of: moist, x: x, z: z) { k, i, flux in toTheta[k].put(-flux, i) }
    transport.divergenceAlongX(of: u, x: x, z: z) { k, i, flux in
      let pressure = slopeX[k].lanes(i) * (perX * (exner[k].lanes(i) - exner[k].lanes(i &- 1)))
      toX[k].put(-pressure - flux, i)
    }
    transport.divergenceAlongZ(of: w, x: x, z: z) { k, i, flux in
      let pressure = slopeZ[k].lanes(i) * (perZ * (exner[k].lanes(i) - exner[k - 1].lanes(i)))
      let mass = 0.5 * (density[k].lanes(i) + density[k - 1].lanes(i))
      let lift = mass * (0.5 * (buoyancy[k].lanes(i) + buoyancy[k - 1].lanes(i)))
      toZ[k].put((lift - pressure) - flux, i)
    }
    if configuration.diffusivity > 0 { diffuse() }
  }

  /// Constant diffusion of u, w and theta_m: rho nu times the Laplacian.
  private func diffuse() {
    let nu = configuration.diffusivity
    let (perX, perZ) = (nu / (mesh.dx * mesh.dx), nu / (mesh.dz * mesh.dz))
    func add(_ q: Plane, to tendency: Plane, _ levels: Range<Int>, _ mass: (Int, Int) -> Lanes) {
      for k in levels {
        let (low, row, high, to) = (q[k - 1], q[k], q[k + 1], tendency[k])
        forLanes(mesh.columns) { i in
          let twice = 2 * row.lanes(i)
          let across = perX * ((row.lanes(i &- 1) + row.lanes(i &+ 1)) - twice)
          let up = perZ * ((low.lanes(i) + high.lanes(i)) - twice)
          to.put(to.lanes(i) + mass(k, i) * (across + up), i)
        }
      }
    }
    add(moist, to: acoustics.tendencyTheta, 0..<mesh.levels) { density[$0].lanes($1) }
    add(u, to: acoustics.tendencyX, 0..<mesh.levels) {
      0.5 * (density[$0].lanes($1 - 1) + density[$0].lanes($1))
    }
    add(w, to: acoustics.tendencyZ, 1..<mesh.levels) {
      0.5 * (density[$0 - 1].lanes($1) + density[$0].lanes($1))
    }
  }

  /// Deviations of the step's beginning from the stage, from which the short steps start.
  private func startShortSteps() {
    for k in 0..<mesh.levels {
      let (x, z, theta) = (x[k], z[k], theta[k])
      let (startX, startZ, startTheta) = (startX[k], startZ[k], startTheta[k])
      let (toX, toZ, pi, stiff) = (acoustics.x[k], acoustics.z[k], acoustics.exner[k], acoustics.stiffness[k])
      forLanes(mesh.columns) { i in
        toX.put(startX.lanes(i) - x.lanes(i), i)
        toZ.put(startZ.lanes(i) - z.lanes(i), i)
        pi.put(stiff.lanes(i) * (startTheta.lanes(i) - theta.lanes(i)), i)
      }
    }
  }

  /// The end of the stage from the deviations there; the mean mass fluxes, which carry density and water.
  private func endShortSteps(_ dt: Double) {
    let (columns, levels) = (mesh.columns, mesh.levels)
    for k in 0..<levels {
      let (x, z, theta) = (x[k], z[k], theta[k])
      let (farX, farZ, farTheta) = (acoustics.x[k], acoustics.z[k], acoustics.theta[k])
      let (meanX, meanZ) = (acoustics.meanX[k], acoustics.meanZ[k])
      forLanes(columns) { i in
        meanX.put(x.lanes(i) + meanX.lanes(i), i)
        meanZ.put(z.lanes(i) + meanZ.lanes(i), i)
        x.put(x.lanes(i) + farX.lanes(i), i)
        z.put(z.lanes(i) + farZ.lanes(i), i)
        theta.put(theta.lanes(i) + farTheta.lanes(i), i)
      }
      acoustics.meanX.wrap(k)
      acoustics.meanZ.wrap(k)
      self.x.wrap(k)
      self.z.wrap(k)
      self.theta.wrap(k)
    }
    let (perX, perZ) = (dt / mesh.dx, dt / mesh.dz)
    for k in 0..<levels {
      let (meanX, meanZ, above) = (acoustics.meanX[k], acoustics.meanZ[k], acoustics.meanZ[k + 1])
      let (before, after) = (startDensity[k], density[k])
      forLanes(columns) { i in
        let across = perX * (meanX.lanes(i &+ 1) - meanX.lanes(i))
        let up = perZ * (above.lanes(i) - meanZ.lanes(i))
        after.put(before.lanes(i) - (across + up), i)
      }
      density.wrap(k)
    }
  }

  /// Carries water over `dt` by the fluxes of `q`, without a limiter.
  private func carry(_ q: Planes, into next: Planes, _ dt: Double) {
    for n in ConvectionField.water.indices {
      let (start, out, before, after) = (start[n], next[n], startDensity, density)
      transport.divergence(of: q[n], x: acoustics.meanX, z: acoustics.meanZ) { k, i, flux in
        let carried = before[k].lanes(i) * start[k].lanes(i) - dt * flux
        out[k].put(carried / after[k].lanes(i), i)
      }
      fillHalo(of: out)
    }
  }

  /// Copies a water field beyond the ends, the ground and the lid.
  func fillHalo(of q: Plane) {
    q.wrap(0..<mesh.levels)
    q.mirror(0, to: -1)
    q.mirror(mesh.levels - 1, to: mesh.levels)
  }
}
