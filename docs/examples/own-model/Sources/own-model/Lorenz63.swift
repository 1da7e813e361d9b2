import DaunceModels
import DaunceNumerics
import DaunceState

/// Lorenz (1963): dx/dt = sigma (y - x), dy/dt = x (rho - z) - y, dz/dt = x y - beta z, by the classical Runge-Kutta
/// scheme. Three fields of one value each, which lie nowhere.
final class Lorenz63: TwinModel, CoarseModel {
  let name = "lorenz63"
  let layout = StateLayout(
    geometry: .none, grids: [.point],
    fields: [
      Field(name: "x", scale: 7.9), Field(name: "y", scale: 9.0), Field(name: "z", reference: 23.5, scale: 8.6),
    ])
  let timeStep = 0.01
  let spinup = 20.0
  let observing = ObservingSystem(variable: 0, errorVariance: 2, law: .gaussian, stepsBetween: 25)

  private let (sigma, rho, beta) = (10.0, 28.0, 8.0 / 3)

  func initialState(_ stream: RandomStream) -> [Double] { (0..<3).map { 1 + stream.normal(at: $0) } }

  func forecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int, noise: RandomStream) {
    for _ in 0..<steps { step(&state, timeStep) }
  }

  /// Steps of 0.05 are as long as is stable.
  func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int, steps: Int) {
    let coarse = max(1, (steps + 4) / 5)
    for _ in 0..<coarse { step(&state, Double(steps) * timeStep / Double(coarse)) }
  }

  private func tendency(_ s: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(sigma * (s.y - s.x), s.x * (rho - s.z) - s.y, s.x * s.y - beta * s.z)
  }

  private func step(_ state: inout MutableSpan<Double>, _ dt: Double) {
    let s = SIMD3(state[0], state[1], state[2])
    let k1 = tendency(s)
    let k2 = tendency(s + dt / 2 * k1)
    let k3 = tendency(s + dt / 2 * k2)
    let k4 = tendency(s + dt * k3)
    let next = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    for i in 0..<3 { state[i] = next[i] }
  }
}
