import DaunceNumerics

/// The air at rest on the levels of a mesh, which perturbations are deviations from: one number a level.
struct BaseState {
  /// Potential temperature (K), mixing ratio of vapour, Exner function, wind over the ground (m/s).
  let theta, vapour, exner, wind: [Double]
  /// p0 / R pi^(cv / R): density of dry air times theta_m.
  let thetaDensity: [Double]
  /// Potential temperature whose excess is buoyancy: theta_m / (1 + q_v), worked out as in the model.
  let buoyant: [Double]

  init(_ configuration: ConvectionConfiguration, _ mesh: Mesh) {
    let sounding = configuration.sounding
    let heights = (0..<mesh.levels).map { (Double($0) + 0.5) * mesh.dz }
    let states = heights.map(sounding.state(at:))
    theta = states.map(\.theta)
    vapour = states.map(\.vapour)
    exner = states.map(\.exner)
    wind = heights.map { configuration.shear * min(1, $0 / 2500) }
    thetaDensity = exner.map { Air.referencePressure / Air.gasConstant * power($0, 1 / Air.kappaVolume) }
    buoyant = zip(theta, vapour).map { $0 * moistening($1) * (1 / (1 + $1)) }
  }
}

extension ConvectionConfiguration {
  /// The column of the base state.
  package var sounding: Sounding {
    switch base {
    case .weismanKlemp: .weismanKlemp(depth: depth)
    case .neutral(let temperature): .neutral(temperature, depth: depth)
    }
  }
}

/// theta_m / theta = 1 + q_v / 0.622: vapour counted as the dry air whose pressure it has.
@inline(__always)
func moistening(_ vapour: Double) -> Double { 1 + vapour * (1 / Air.ratio) }

/// The same for four columns.
@inline(__always)
func moistening(_ vapour: Lanes) -> Lanes { 1 + vapour * (1 / Air.ratio) }
