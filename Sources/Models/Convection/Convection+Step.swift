import DaunceNumerics
import DaunceState

extension Convection {
  /// Takes a state in; negative water becomes 0.
  func load(_ state: borrowing MutableSpan<Double>) {
    state.withUnsafeBufferPointer { buffer in
      guard let values = buffer.baseAddress else { return }
      for field in 0..<layout.fields.count {
        let plane = plane(of: field)
        var from = values + layout.offsets[field]
        for k in levels(of: field) {
          plane[k].update(from: from, count: mesh.columns)
          from += mesh.columns
        }
      }
    }
    for n in ConvectionField.water.indices {
      for k in 0..<mesh.levels {
        let row = large.start[n][k]
        for i in 0..<mesh.columns where row[i] < 0 { row[i] = 0 }
      }
    }
  }

  /// Gives the state back.
  func store(_ state: inout MutableSpan<Double>) {
    state.withUnsafeMutableBufferPointer { buffer in
      guard let values = buffer.baseAddress else { return }
      for field in 0..<layout.fields.count {
        let plane = plane(of: field)
        var to = values + layout.offsets[field]
        for k in levels(of: field) {
          to.update(from: plane[k], count: mesh.columns)
          to += mesh.columns
        }
      }
    }
  }

  private func plane(of field: Int) -> Plane {
    switch ConvectionField(rawValue: field) {
    case .u: u
    case .w: w
    case .theta: theta
    case .pi: large.exner
    default: large.start[field - ConvectionField.vapour.rawValue]
    }
  }

  private func levels(of field: Int) -> Range<Int> { (field == ConvectionField.w.rawValue ? 1 : 0)..<mesh.levels }

  /// What the large step starts from: Theta = Thetabar (pi / pibar)^(cv / R), rho = Theta / theta_m, U and W.
  func begin() {
    for k in 0..<mesh.levels {
      let (toTheta, toDensity, exner, theta) = (large.startTheta[k], large.startDensity[k], large.exner[k], theta[k])
      let vapour = large.start[0][k]
      let (pi, potential, thetaDensity) = (base.exner[k], base.theta[k], base.thetaDensity[k])
      let reciprocal = 1 / pi
      forLanes(mesh.columns) { i in
        let value = thetaDensity * power(1 + reciprocal * exner.lanes(i), 1 / Air.kappaVolume)
        toTheta.put(value, i)
        toDensity.put(value / ((potential + theta.lanes(i)) * moistening(vapour.lanes(i))), i)
      }
      large.startTheta.wrap(k)
      large.startDensity.wrap(k)
      large.exner.wrap(k)
    }
    for n in ConvectionField.water.indices { large.fillHalo(of: large.start[n]) }
    let frame = configuration.frameSpeed
    for k in 0..<mesh.levels {
      let (x, u, density) = (large.startX[k], u[k], large.startDensity[k])
      forLanes(mesh.columns) { i in
        x.put((u.lanes(i) - frame) * (0.5 * (density.lanes(i &- 1) + density.lanes(i))), i)
      }
      large.startX.wrap(k)
      guard k > 0 else { continue }
      let (z, w, under) = (large.startZ[k], w[k], large.startDensity[k - 1])
      forLanes(mesh.columns) { i in z.put(w.lanes(i) * (0.5 * (under.lanes(i) + density.lanes(i))), i) }
      large.startZ.wrap(k)
    }
  }

  /// Phase changes, falling water and the layer below the lid, from the large step's end to the state's fields.
  func end() {
    for k in (0..<mesh.levels).reversed() {
      changePhases(k)
      fall.leave(k, large.start, density: large.density, exner: large.exner, theta: theta, base, timeStep)
      wind(k)
    }
  }

  /// u and w of a level.
  private func wind(_ k: Int) {
    let (u, x, density) = (u[k], large.x[k], large.density[k])
    let (frame, mean, kept) = (configuration.frameSpeed, base.wind[k], keptX.start[k])
    forLanes(mesh.columns) { i in
      let speed = x.lanes(i) / (0.5 * (density.lanes(i &- 1) + density.lanes(i))) + frame
      u.put(kept < 1 ? mean + kept * (speed - mean) : speed, i)
    }
    guard k > 0 else { return }
    let (w, z, under, keptW) = (w[k], large.z[k], large.density[k - 1], keptZ.start[k])
    forLanes(mesh.columns) { i in
      w.put(keptW * (z.lanes(i) / (0.5 * (under.lanes(i) + density.lanes(i)))), i)
    }
  }

  /// Phase changes of a level, and its potential temperature and Exner function.
  private func changePhases(_ k: Int) {
    let (thetaDensity, density, exner, theta) = (large.theta[k], large.density[k], large.exner[k], theta[k])
    let water = large.start
    let (v, c, n, r, s) = (water[0][k], water[1][k], water[2][k], water[3][k], water[4][k])
    let (mean, potential, dt) = (base.exner[k], base.theta[k], timeStep)
    let reciprocal = 1 / base.thetaDensity[k]
    forLanes(mesh.columns) { i in
      let (amount, rho, vapour) = (thetaDensity.lanes(i), density.lanes(i), v.lanes(i))
      let pi = mean * power(reciprocal * amount, Air.kappaVolume)
      let start = amount / (rho * moistening(vapour))
      exner.put(pi - mean, i)
      theta.put(start - potential, i)
      let temperature = start * pi
      let pressure = Air.gasConstant * (amount * pi)
      let isCold = temperature .< Air.melting
      let condensate = (c.lanes(i) + n.lanes(i)) + (r.lanes(i) + s.lanes(i))
      var saturated = Lanes.zero
      if any(isCold) { saturated = Saturation.overIce(temperature: temperature, pressure: pressure) }
      if any(.!isCold) {
        saturated.replace(with: Saturation.overWater(temperature: temperature, pressure: pressure), where: .!isCold)
      }
      // Elsewhere nothing changes, whatever happens in the columns beside it.
      let isCloudy = (condensate .> 0) .| (vapour .> saturated)
      guard any(isCloudy) else { return }
      var cell = Cloud(
        density: rho, pressure: pressure, temperature: temperature, vapour: vapour, cloud: c.lanes(i), ice: n.lanes(i),
        rain: r.lanes(i), snow: s.lanes(i))
      cell.change(dt)
      let end = cell.temperature / pi
      let grown = mean * power(reciprocal * (rho * (end * moistening(cell.vapour))), Air.kappaVolume)
      exner.put((pi - mean).replacing(with: grown - mean, where: isCloudy), i)
      theta.put((start - potential).replacing(with: end - potential, where: isCloudy), i)
      v.put(vapour.replacing(with: cell.vapour, where: isCloudy), i)
      c.put(positive(cell.cloud), i)
      n.put(positive(cell.ice), i)
      r.put(positive(cell.rain), i)
      s.put(positive(cell.snow), i)
    }
  }
}
