public import DaunceNumerics
public import DaunceState

/// A squall line in two dimensions, x and height: compressible air with warm rain and simple ice, in the sounding of
/// Weisman and Klemp (1982) and the wind of Rotunno, Klemp and Weisman (1988). Periodic in x between a free-slip ground
/// and a lid; the columns move over the ground with a constant speed. No noise.
///
/// Large steps are those of ``LargeStep``, with sound in short ones; phase changes follow (``Cloud``), then rain, snow
/// and ice fall. Dry air and water are in flux form: both are conserved to rounding, less what has rained out. Water is
/// never negative.
///
/// The state has u over the ground, w, the deviations of potential temperature and Exner function from the base state,
/// and the mixing ratios of vapour, cloud water, cloud ice, rain and snow, all in SI. There is nothing else: a forecast
/// from a state that was kept gives the same bits as one that was not interrupted. Negative water that an analysis left
/// is 0 when a forecast begins.
public final class Convection: TwinModel, DescribedModel, BudgetedModel {
  /// What the model was made from.
  public let configuration: ConvectionConfiguration
  /// Name in configurations and files.
  public let name = "convection"
  /// Nine fields on three staggered grids, each `[height][x]`.
  public let layout: StateLayout
  /// In seconds.
  public let timeStep: Double
  /// 50 minutes, in which the line comes up.
  public let spinup = 3000.0
  /// w everywhere every five minutes, with a standard deviation of 0.2 m/s.
  public let observing: ObservingSystem
  /// Metres and seconds.
  public var units: String { "SI" }
  /// Seconds and metres.
  public var physicalUnits: PhysicalUnits? { PhysicalUnits(hours: 1.0 / 3600, kilometres: 1e-3) }

  let mesh: Mesh
  let base: BaseState
  let large: LargeStep
  let fall: Sedimentation
  /// Sound is followed in so many short steps, an even number.
  let shortSteps: Int
  /// u over the ground, w, and the deviation of potential temperature; the other fields are the large step's.
  let u, w, theta: Plane
  /// Share of the wind's deviation that the layer below the lid leaves in a step, in cells and at lower faces
  /// (`[level]`).
  let keptX, keptZ: Workspace<Double>
  /// The planes' memory.
  private let memory: PlaneMemory

  /// - Throws: `ModelError` naming the setting that cannot be used.
  public init(_ configuration: ConvectionConfiguration = ConvectionConfiguration()) throws(ModelError) {
    try configuration.validate()
    self.configuration = configuration
    let dt = configuration.timeStep ?? 6e-3 * configuration.spacing
    timeStep = dt
    mesh = Mesh(
      columns: configuration.columns, levels: configuration.levels, dx: configuration.spacing,
      dz: configuration.depth / Double(configuration.levels))
    layout = configuration.layout(mesh)
    observing = ObservingSystem(
      variable: ConvectionField.w.rawValue, errorVariance: 0.04, law: .gaussian,
      stepsBetween: max(1, Int((300 / dt).rounded())))
    base = BaseState(configuration, mesh)
    memory = PlaneMemory(mesh)
    large = LargeStep(configuration, mesh, base, memory)
    fall = Sedimentation(mesh, memory)
    (u, w, theta) = (memory.plane(), memory.plane(), memory.plane())
    // Sound at 360 m/s goes at most 0.6 columns in a short step.
    shortSteps = 2 * max(1, Int((dt * 360 / (0.6 * mesh.dx) / 2).rounded(.up)))
    (keptX, keptZ) = (Workspace(repeating: 1, count: mesh.levels), Workspace(repeating: 1, count: mesh.levels))
    for k in 0..<mesh.levels {
      keptX.start[k] = configuration.kept(at: (Double(k) + 0.5) * mesh.dz, dt)
      keptZ.start[k] = configuration.kept(at: Double(k) * mesh.dz, dt)
    }
  }

  /// Carries a state (`[layout.count]`) over `steps` time steps; autonomous and without noise.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int, noise: RandomStream) {
    precondition(state.count == layout.count, "a state of convection has nine fields")
    load(state)
    for _ in 0..<max(0, steps) {
      begin()
      large.run(timeStep, shortSteps: shortSteps)
      end()
    }
    store(&state)
  }
}

extension ConvectionConfiguration {
  /// Refuses what the scheme is not stable or not defined for.
  fileprivate func validate() throws(ModelError) {
    try ModelError.require(columns >= 16, "cells", columns, "at least 16")
    try ModelError.require((8...80).contains(levels), "levels", levels, "a number from 8 to 80")
    try ModelError.require(spacing > 0 && spacing.isFinite, "spacing", spacing, "a number of metres above 0")
    try ModelError.require(depth > 0 && depth <= 25_000, "depth", depth, "a number of metres above 0, at most 25000")
    try ModelError.require(shear >= 0 && shear <= 40, "shear", shear, "a number of m/s from 0 to 40")
    let dt = timeStep ?? 6e-3 * spacing
    try ModelError.require(
      dt > 0 && dt <= 12e-3 * spacing, "time_step", dt,
      "a number of seconds above 0, at most 12 for each kilometre of spacing")
  }

  /// Share of a deviation that is left after `dt` seconds at a height.
  fileprivate func kept(at height: Double, _ dt: Double) -> Double {
    guard height > spongeBase, depth > spongeBase else { return 1 }
    let s = (height - spongeBase) / (depth - spongeBase)
    return 1 / (1 + dt * spongeRate * s * s * (3 - 2 * s))
  }
}
