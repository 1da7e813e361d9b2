import DaunceNumerics
import DaunceState

/// What would be observed of one member, and of the ensemble's mean where agents see it: h(x) at the cells, for the kinds
/// that are not the state itself.
final class SimulatedObservations {
  /// Of the member, and of the member with the ensemble's mean in its controls' place: `[kind][cell]`.
  let member, mean: Workspace<Double>
  private let grid: AgentGrid
  private let controls: [Int]
  /// That mixed state, `[layout.count]`.
  private let middle: Workspace<Double>

  init(_ settings: AgentSettings, grid: AgentGrid) {
    self.grid = grid
    controls = settings.controls
    let count = settings.observed.count * grid.cells
    (member, mean) = (Workspace(repeating: 0, count: count), Workspace(repeating: 0, count: count))
    middle = Workspace(repeating: 0, count: grid.layout.count)
  }

  /// Works both out; nothing where all kinds are the state itself.
  ///
  /// - Parameters:
  ///   - forecast: of the member, `[layout.count]`.
  ///   - ensemble: the mean of the controls, `[control][cell]`; `nil` for agents that don't see it.
  func compute(
    _ observed: CellObservations, forecast: UnsafePointer<Double>, ensemble: UnsafePointer<Double>?
  ) {
    guard observed.needsOperators else { return }
    observed.simulate(forecast, into: member.start)
    guard let ensemble else { return }
    middle.copy(from: forecast)
    for (k, v) in controls.enumerated() {
      (middle.start + grid.layout.offsets[v]).update(from: ensemble + k * grid.cells, count: grid.cells)
    }
    observed.simulate(middle.start, into: mean.start)
  }
}
