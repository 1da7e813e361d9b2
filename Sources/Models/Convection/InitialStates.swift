public import DaunceNumerics
import DaunceState

extension Convection {
  /// The base state: air at rest in its wind, without clouds (`[layout.count]`).
  package var baseState: [Double] {
    layout.fields.indices.flatMap { f -> [Double] in
      guard let profile = profile(of: f) else { return [Double](repeating: 0, count: layout.range(f).count) }
      return profile.flatMap { [Double](repeating: $0, count: mesh.columns) }
    }
  }

  private func profile(of field: Int) -> [Double]? {
    switch ConvectionField(rawValue: field) {
    case .u: base.wind
    case .vapour: base.vapour
    default: nil
    }
  }

  /// What an ensemble does not know about where and how a line begins.
  private struct Trigger {
    /// Of the thermal's middle along x, in metres, and its excess of temperature, in kelvin.
    let place, warmth: Double
    /// Factors on the wind, and on vapour near the ground.
    let shear, moisture: Double

    init(_ stream: RandomStream, length: Double) {
      place = length / 2 + 4000 * stream.normal(at: 0)
      warmth = max(1, 2 + 0.3 * stream.normal(at: 1))
      shear = 1 + 0.1 * stream.normal(at: 2)
      moisture = 1 + 0.03 * min(2, stream.normal(at: 3))
    }
  }

  /// The base state with a line of warm air at a height of 1.5 km, radii 10 km and 1.5 km, and random temperatures of
  /// +-0.2 K in the lowest 2 km. Place and warmth of the line, shear and low-level moisture are drawn too: truths and
  /// members of an ensemble are draws of one law. The mean of every level is in hydrostatic balance.
  public func initialState(_ stream: RandomStream) -> [Double] {
    var state = baseState
    let (n, levels) = (mesh.columns, mesh.levels)
    let length = Double(n) * mesh.dx
    let trigger = Trigger(stream, length: length)
    let offsets = ConvectionField.allCases.map { layout.offsets[$0.rawValue] }
    func first(_ field: ConvectionField, _ k: Int) -> Int { offsets[field.rawValue] + k * n }
    var pi = 0.0
    var below = 0.0
    for k in 0..<levels {
      let height = (Double(k) + 0.5) * mesh.dz
      // Moisture is uncertain up to 2 km, and less so above.
      let moisture = 1 + (trigger.moisture - 1) * exponential(-(height / 2000) * (height / 2000))
      var mean = 0.0
      for i in 0..<n {
        let x = (Double(i) + 0.5) * mesh.dx - trigger.place
        let across = (x - length * (x / length).rounded()) / 10_000
        let up = (height - 1500) / 1500
        let distance = (across * across + up * up).squareRoot()
        var warmth = distance < 1 ? trigger.warmth * (0.5 + 0.5 * cosine(.pi * distance)) : 0
        if height < 2000 { warmth += 0.4 * (stream.uniform(at: 8 + k * n + i) - 0.5) }
        state[first(.theta, k) + i] = warmth
        let vapour = base.vapour[k] * moisture
        state[first(.vapour, k) + i] = vapour
        mean += (base.theta[k] + warmth) * moistening(vapour) / (1 + vapour) / Double(n)
        state[first(.u, k) + i] = base.wind[k] * trigger.shear
      }
      // cp theta dpi'/dz is the buoyancy of the level's mean.
      let slope = Air.gravity * (mean - base.buoyant[k]) / (base.buoyant[k] * Air.heatCapacity * mean)
      if k > 0 { pi += 0.5 * mesh.dz * (slope + below) }
      below = slope
      for i in 0..<n { state[first(.pi, k) + i] = pi }
    }
    return state
  }

  /// Masses of dry air, of water and of the water that is not vapour in a state, kg for each metre across the plane of
  /// the model. Negative water counts as none, as in a forecast.
  package func budget(of state: [Double]) -> (dryAir: Double, water: Double, condensate: Double) {
    var copy = state
    let span = copy.mutableSpan
    load(span)
    begin()
    var (air, water, condensate) = (0.0, 0.0, 0.0)
    for k in 0..<mesh.levels {
      for i in 0..<mesh.columns {
        let density = large.startDensity[k][i]
        air += density
        for n in ConvectionField.water.indices { water += density * large.start[n][k][i] }
        for n in ConvectionField.water.indices.dropFirst() { condensate += density * large.start[n][k][i] }
      }
    }
    let area = mesh.dx * mesh.dz
    return (air * area, water * area, condensate * area)
  }

  /// Dry air, water, and the part of it that is not vapour.
  public var budgetNames: [String] { ["dry_air", "water", "condensate"] }

  /// Their masses, in kg for each metre across the plane of the model.
  public func budgets(of state: Span<Double>) -> [Double] {
    let masses = budget(of: [Double](unsafeUninitializedCapacity: state.count) { buffer, count in
      state.withUnsafeBufferPointer { count = buffer.initialize(fromContentsOf: $0) }
    })
    return [masses.dryAir, masses.water, masses.condensate]
  }

  /// Water that has left through the ground since the model was made, kg for each metre across its plane.
  package var rainedOut: Double { (0..<mesh.columns).reduce(0) { $0 + fall.ground[$1] } * mesh.dx }
}

/// The cosine of an angle from 0 to pi: its series at half of the angle, doubled.
private func cosine(_ angle: Double) -> Double {
  let square = angle * angle / 4
  var (term, sum) = (1.0, 1.0)
  for n in 1...12 {
    term *= -square / Double(2 * n * (2 * n - 1))
    sum += term
  }
  return 2 * sum * sum - 1
}
