import DaunceNumerics
public import DaunceState

/// The stochastic skeleton model of the Madden-Julian Oscillation, (4.3)-(4.6), with a = A + Abar, Z = Q - Qt (K + R):
///
///     K_t + K_x     = f / 2                       f = S(x) - H a
///     R_t - R_x / 3 = f / 3                       Q = Z + Qt (K + R)
///     Z_t           = (1 - Qt) f
///     da            = Gamma a Q dt + sqrt(dA Gamma |Q| a) dW
///
/// A step is a Strang splitting: K and R are displaced exactly for half a step, the local physics is integrated for a
/// step, and K and R are displaced again; half displacements that meet are merged. The local physics is a leapfrog:
/// half of the heating moves Q, activity grows by exp(Gamma Q dt) with Q frozen and receives its noise, the other half
/// of the heating follows. K, R and Z all receive the same integral of f, so the two linear invariants hold to
/// rounding, noise included. Without noise the scheme is of second order.
///
/// The state is `[K, R, Z, a]`, each `[cell]`; a never falls below the floor.
public final class MJOSkeleton: TwinModel, CoarseModel, ConservingModel, DiagnosedModel, InformingModel, DescribedModel {
  /// What the model was made from.
  public let configuration: MJOConfiguration
  /// Name in configurations and files.
  public let name = "mjo-skeleton"
  /// K, R, Z and a on a circle.
  public let layout: StateLayout
  /// About two years in either unit system.
  public var spinup: Double { configuration.preset == .standard ? 2000 : 20 }
  /// How twin experiments observe it unless told otherwise: a in every cell.
  public let observing: ObservingSystem
  /// The two zonal means that the equations keep.
  public let invariants: [LinearInvariant]
  /// In both forms.
  public let energies: [any StateFunction]
  /// The MJO (4.10).
  public let diagnostics: [DiagnosticField]
  /// S at every cell (`[cell]`).
  public let source: [Double]
  /// S / 0.022 - 1 (`[cell]`).
  let relativeSource: [Double]
  /// The projection behind the diagnostic field `MJO`.
  public let projection: MJOProjection
  /// `Q`: moisture over 0.06; `activity-noise`: sqrt(|Q| a); `source`: S / 0.022 - 1.
  public let auxiliaryNames = ["Q", "activity-noise", "source"]

  /// In the preset's unit of time.
  public var timeStep: Double { configuration.timeStep }
  /// Name of the preset.
  public var units: String { configuration.preset.rawValue }
  /// Those of the preset.
  public var physicalUnits: PhysicalUnits? { configuration.preset.physicalUnits }
  /// The source S.
  public var backgroundFields: [BackgroundField] {
    [BackgroundField(name: "S", longName: "source of heat and moisture", values: source)]
  }

  /// Displacements of K and R as two circulant halves each, and the local physics: 2 (n / 2)^2 multiply-adds and some 8
  /// operations a cell in a displacement, and in a cell 10 for heating and moisture, 21 for the exponential, 8 for
  /// growth and noise, 9 for the increments.
  public var operationsPerStep: Int? {
    let n = configuration.cells
    let displacement = n % 2 == 0 ? n * n + 8 * n : 2 * n * n + 4 * n
    return 2 * displacement + n * (10 + 21 + 8 + 9)
  }

  let workspace: MJOWorkspace
  /// Displacements of one time step and of half of it.
  let fineAdvection: MJOAdvection
  /// Displacements of the coarse forecast, for the number of time steps asked for last.
  var coarseAdvection: (steps: Int, substeps: Int, advection: MJOAdvection)?

  /// - Throws: `ModelError` naming the first setting that cannot be used.
  public init(_ configuration: MJOConfiguration = MJOConfiguration()) throws(ModelError) {
    try configuration.validate()
    self.configuration = configuration
    let n = configuration.cells
    let ring = Ring(cells: n, length: configuration.length)
    layout = StateLayout(
      ring: n, length: configuration.length, fields: Self.fields(configuration.preset, floor: configuration.floor))
    observing = ObservingSystem(
      variable: 3, errorVariance: configuration.observationVariance, law: .lognormal,
      stepsBetween: configuration.stepsBetweenObservations)
    let source = Self.source(configuration.background, ring)
    self.source = source
    relativeSource = source.map { $0 / MJOConstants.homogeneousSource - 1 }
    invariants = Self.invariants(cells: n)
    energies = MJOEnergy.Form.allCases.map { MJOEnergy($0, source: source) }
    let background = source.map { $0 / MJOConstants.heatingRate }
    let projection = MJOProjection(
      ring: ring, background: background,
      activity: MJOConstants.homogeneousSource / MJOConstants.heatingRate)
    self.projection = projection
    diagnostics = [DiagnosticField(name: "MJO") { projection.field(of: $0) }]
    workspace = MJOWorkspace(source: source)
    fineAdvection = MJOAdvection(ring: ring, interval: configuration.timeStep)
  }

  /// The settings of a preset, unchanged.
  public convenience init(
    preset: MJOConfiguration.Preset, background: MJOConfiguration.Background = .homogeneous
  ) throws(ModelError) {
    try self.init(MJOConfiguration(preset, background: background))
  }

  private static func fields(_ preset: MJOConfiguration.Preset, floor: Double) -> [Field] {
    let scales = preset == .paper ? [0.015, 0.011, 0.043, 0.18] : [0.03, 0.042, 0.047, 0.13]
    return [
      Field(name: "K", longName: "Kelvin wave amplitude", scale: scales[0]),
      Field(name: "R", longName: "Rossby wave amplitude", scale: scales[1]),
      Field(name: "Z", longName: "moisture less its adiabatic part, Q - Qt (K + R)", scale: scales[2]),
      Field(name: "a", longName: "envelope of convective activity", scale: scales[3], lowerBound: floor),
    ]
  }

  /// <K> - (3/2) <R> and <Z> - 2 (1 - Qt) <K>: the combinations of zonal means that heating leaves alone.
  private static func invariants(cells n: Int) -> [LinearInvariant] {
    let mean = [Double](repeating: 1 / Double(n), count: n)
    let zero = [Double](repeating: 0, count: n)
    let moist = -2 * (1 - MJOConstants.moistureGradient)
    return [
      LinearInvariant(name: "K-R", coefficients: mean + mean.map { -1.5 * $0 } + zero + zero),
      LinearInvariant(name: "Z-K", coefficients: mean.map { moist * $0 } + zero + mean + zero),
    ]
  }
}
