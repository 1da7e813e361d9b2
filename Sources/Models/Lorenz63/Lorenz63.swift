public import DaunceNumerics
public import DaunceState

/// The convection model of Lorenz (1963), dX/dt = s (Y - X), dY/dt = X (r - Z) - Y, dZ/dt = X Y - b Z, with s = 10,
/// r = 28 and b = 8/3, stepped by the classical Runge-Kutta scheme of fourth order; no noise.
///
/// Three fields of one value without a place. By default X is observed every quarter of a unit of time with variance 2:
/// in between a state may change sides, so that an ensemble has two clouds.
public final class Lorenz63: TwinModel, CoarseModel, DescribedModel {
  /// Name in configurations and files.
  public let name = "lorenz63"
  /// X, Y and Z, one value each.
  public let layout: StateLayout
  /// In the model's unit of time.
  public let timeStep: Double
  /// In the model's unit of time.
  public let spinup = 20.0
  /// How twin experiments observe it unless told otherwise.
  public let observing: ObservingSystem
  /// Four tendencies of 8 operations, three stages and three sums of 6, the last step of 9.
  public var operationsPerStep: Int? { 4 * 8 + 3 * 6 + 3 * 6 + 9 }

  /// s, r and b.
  private static let parameters = (s: 10.0, r: 28.0, b: 8.0 / 3)

  /// - Parameter timeStep: in units of time, at most 0.05.
  /// - Throws: `ModelError` for another one.
  public init(timeStep: Double = 0.01) throws(ModelError) {
    try ModelError.require(timeStep > 0 && timeStep <= 0.05, "time_step", timeStep, "a number above 0, at most 0.05")
    self.timeStep = timeStep
    // Means and standard deviations over 10,000 units of time.
    layout = StateLayout(
      geometry: Geometry(axes: []), grids: [.point],
      fields: [
        Field(name: "X", longName: "Lorenz-63 convection", scale: 7.9),
        Field(name: "Y", longName: "Lorenz-63 temperature difference", scale: 9.0),
        Field(name: "Z", longName: "Lorenz-63 distortion of the temperature profile", reference: 23.6, scale: 8.6),
      ])
    observing = ObservingSystem(variable: 0, errorVariance: 2, law: .gaussian, stepsBetween: 25)
  }

  /// (1, 1, 23.6) with independent normal perturbations of one: on the attractor within a few units of time.
  public func initialState(_ stream: RandomStream) -> [Double] {
    zip([1, 1, layout.fields[2].reference], 0..<3).map { $0 + stream.normal(at: $1) }
  }

  /// Carries a state (`[field]`) by `steps` Runge-Kutta steps of ``timeStep``; autonomous and without noise.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int, noise: RandomStream) {
    precondition(state.count == 3, "a state of Lorenz-63 has three values")
    var x = SIMD4(state[0], state[1], state[2], 0)
    for _ in 0..<max(0, steps) { x = Self.step(x, timeStep) }
    for i in 0..<3 { state[i] = x[i] }
  }

  /// Steps of at most 0.05, the longest that stays on the attractor.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int) {
    guard steps > 0 else { return }
    let count = (Double(steps) * timeStep / 0.05).rounded(.up)
    var x = SIMD4(state[0], state[1], state[2], 0)
    for _ in 0..<Int(count) { x = Self.step(x, Double(steps) * timeStep / count) }
    for i in 0..<3 { state[i] = x[i] }
  }

  private static func step(_ x: SIMD4<Double>, _ dt: Double) -> SIMD4<Double> {
    let k1 = tendency(x)
    let k2 = tendency(x + dt / 2 * k1)
    let k3 = tendency(x + dt / 2 * k2)
    let k4 = tendency(x + dt * k3)
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
  }

  @inline(__always)
  private static func tendency(_ x: SIMD4<Double>) -> SIMD4<Double> {
    let (s, r, b) = parameters
    return SIMD4(s * (x.y - x.x), x.x * (r - x.z) - x.y, x.x * x.y - b * x.z, 0)
  }
}
