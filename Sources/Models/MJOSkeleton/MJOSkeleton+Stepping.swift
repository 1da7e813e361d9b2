public import DaunceNumerics
import DaunceState

extension MJOSkeleton {
  /// Carries `state` over `steps` time steps.
  ///
  /// With `eulerFloor` the noise of step s at cell i is the normal number at address `2 * ceil(n / 2) * s + i`; with
  /// `feller` the stream is read in order of steps and cells. So a forecast is a function of (state, steps, stream)
  /// only.
  public func forecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int, noise: RandomStream) {
    guard steps > 0 else { return }
    let dt = configuration.timeStep
    let amplitude = configuration.noiseAmplitude
    workspace.load(state)
    fineAdvection.half(workspace)
    var cursor = StreamCursor(noise)
    let blocks = (configuration.cells + 1) / 2
    for step in 0..<steps {
      if step > 0 { fineAdvection.full(workspace) }
      guard amplitude > 0 else {
        workspace.localStep(dt, floor: configuration.floor)
        continue
      }
      switch configuration.noiseScheme {
      case .eulerFloor:
        workspace.drawNormals(noise, at: step * blocks)
        workspace.localStep(dt, floor: configuration.floor, amplitude: amplitude)
      case .feller:
        workspace.localStep(dt, floor: configuration.floor, amplitude: amplitude, &cursor)
      }
    }
    fineAdvection.half(workspace)
    workspace.store(&state)
  }

  /// Longest step of `coarseForecast`, in units of time: a strong event, a = 4, has a local period of 5.6.
  public static let longestCoarseStep = 0.5

  /// Carries `state` over `steps` time steps without noise, by one Strang step over the whole interval.
  ///
  /// Conserves the linear invariants and keeps a at or above the floor like the forecast. Intervals above
  /// `longestCoarseStep` (that of preset `standard`, 3.4) are cut into the fewest equal steps that are not longer,
  /// because one step could not follow a strong event. The displacements are kept for the next call with the same
  /// `steps`; only a change of `steps` allocates.
  public func coarseForecast(_ state: inout MutableSpan<Double>, from start: Int = 0, steps: Int) {
    guard steps > 0 else { return }
    let (substeps, advection) = coarse(steps)
    let dt = Double(steps) * configuration.timeStep / Double(substeps)
    workspace.load(state)
    advection.half(workspace)
    for substep in 0..<substeps {
      if substep > 0 { advection.full(workspace) }
      workspace.localStep(dt, floor: configuration.floor)
    }
    advection.half(workspace)
    workspace.store(&state)
  }

  private func coarse(_ steps: Int) -> (Int, MJOAdvection) {
    if let coarseAdvection, coarseAdvection.steps == steps {
      return (coarseAdvection.substeps, coarseAdvection.advection)
    }
    let interval = Double(steps) * configuration.timeStep
    let substeps = max(1, Int((interval / Self.longestCoarseStep).rounded(.up)))
    let advection = MJOAdvection(ring: Ring(cells: configuration.cells, length: configuration.length), interval: interval / Double(substeps))
    coarseAdvection = (steps, substeps, advection)
    return (substeps, advection)
  }
}
