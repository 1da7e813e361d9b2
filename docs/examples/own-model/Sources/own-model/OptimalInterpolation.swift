import DaunceEnsemble
import DaunceObservations
import DaunceState

/// Optimal interpolation with a fixed error of the forecast, independent from element to element: each member moves to
/// the direct observations of its elements by the weight b / (b + r), with b a share of the climate's variance.
///
/// Every rank updates its own members, and nothing is sent.
final class OptimalInterpolation: EnsembleUpdate {
  private let layout: StateLayout
  /// b over the climate's variance.
  private let share: Double

  init(layout: StateLayout, share: Double) {
    self.layout = layout
    self.share = share
  }

  func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) {
    for k in 0..<observations.count {
      guard let element = observations.network.rows.element(k) else { continue }
      let scale = layout.fields[layout.cell(of: element).field].scale
      let b = share * scale * scale
      let weight = b / (b + observations.errorVariances[k])
      for m in ensemble.states.indices {
        ensemble.states[m][element] += weight * (observations.values[k] - ensemble.states[m][element])
      }
    }
  }
}
