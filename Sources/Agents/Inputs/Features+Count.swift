import DaunceObservations
import DaunceState

/// How many inputs there are, before any is made.
extension Features {
  /// Number of inputs for given settings.
  static func count(settings: AgentSettings, layout: StateLayout, auxiliary: Int) -> Int {
    let grid = layout.grids[settings.grid(in: layout)]
    let window = WindowShape(grid, geometry: layout.geometry, width: settings.window)
    let edges = window.bounded.count
    if settings.inputs == .literal {
      let positions = grid.places.isEmpty ? grid.dimensions.count { $0.axis != nil } : layout.geometry.axes.count
      return layout.fields.count * (window.size + 2) + 1 + positions + edges
    }
    if settings.base == .analysis {
      return auxiliary + edges + ConstraintInputs.count(settings) + AnalysisInputs.count(settings, layout: layout, window: window.size)
    }
    let observed = settings.observed.map { $0.field(of: layout, onGrid: settings.grid(in: layout)) }
    var count = auxiliary + edges + ConstraintInputs.count(settings)
    for v in layout.fields.indices {
      let controlled = settings.controls.contains(v)
      let kind = observed.firstIndex(of: v)
      let bounded = layout.fields[v].lowerBound != nil
      count += controlled || kind != nil ? window.size + (bounded ? 2 : 0) : 1
      let counts = Self.counts(v, kind, settings: settings, layout: layout)
      count += counts.observation + counts.ensemble
    }
    for (j, field) in observed.enumerated() where field == nil {
      let innovation = settings.observed[j].operation.footprint > 1 ? window.size : 1
      count += window.size + 1 + innovation + (settings.observed[j].seesError ? 1 : 0)
      if settings.seesEnsemble { count += innovation }
    }
    if settings.base == .persistence { count += 2 * layout.fields.count }
    return count
  }

  /// Inputs that a field's own observations make, and those about the ensemble in it.
  static func counts(
    _ v: Int, _ kind: Int?, settings: AgentSettings, layout: StateLayout
  ) -> (observation: Int, ensemble: Int) {
    let grid = layout.grids[settings.grid(in: layout)]
    let window = WindowShape(grid, geometry: layout.geometry, width: settings.window).size
    let vicinity = WindowShape(grid, geometry: layout.geometry, width: 3).size
    let isBounded = layout.fields[v].lowerBound != nil
    let observation = kind.map { window + 1 + (isBounded ? 1 : 0) + (settings.observed[$0].seesError ? 1 : 0) } ?? 0
    guard settings.controls.contains(v), settings.seesEnsemble else { return (observation, 0) }
    let regressions = kind != nil && settings.inputs == .covariances ? window + 1 : 0
    return (observation, vicinity + 2 + (kind != nil ? 2 : 0) + regressions)
  }
}
