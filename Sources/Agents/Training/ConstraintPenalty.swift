import DaunceConstraints
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// What multipliers add to a loss whose slopes are known: `-penalty` of (3.4)-(3.9), with the derivatives of each function
/// by the actions.
final class ConstraintPenalty {
  private let bands: [Band]
  private let tolerance: Double
  private let runner: PolicyRunner
  private var gradient: StateGradient

  /// Largest deviation that multipliers are told of, so that one state far away does not wind them up; as in PPO.
  static let limit = 10.0

  init(_ bands: [Band], tolerance: Double, runner: PolicyRunner) {
    (self.bands, self.tolerance, self.runner) = (bands, tolerance, runner)
    gradient = StateGradient(count: bands.isEmpty ? 0 : runner.layout.count)
  }

  /// See `TargetLikelihood.addPenalty`.
  func add(
    _ multipliers: [Multiplier], state: UnsafePointer<Double>, tile: Activations, anchors: UnsafePointer<Double>,
    weight: Double, deviations: inout [Double]
  ) -> Double {
    var loss = 0.0
    for (b, band) in bands.enumerated() {
      let unit = 1 / (tolerance * band.tolerance)
      let distance = (gradient.take(band.function, at: state) - band.centre) * unit
      let deviation = abs(distance)
      deviations[b] = min(deviation, Self.limit)
      loss -= weight * multipliers[b].penalty(deviation: deviation, tolerance: 1)
      let slope = -weight * multipliers[b].slope(deviation: deviation) * (distance < 0 ? -unit : unit)
      addSlopes(slope, state: state, tile: tile, anchors: anchors)
    }
    return loss
  }

  /// `slope` times the gradient, by location and logarithm of the scale of every action's law.
  private func addSlopes(
    _ slope: Double, state: UnsafePointer<Double>, tile: Activations, anchors: UnsafePointer<Double>
  ) {
    let (head, n, width) = (runner.head, runner.cells, Lanes.scalarCount)
    for (k, v) in runner.settings.controls.enumerated() {
      let offset = runner.layout.offsets[v]
      for c in 0..<n {
        let (location, _) = head.law(k, anchor: anchors[k * n + c], outputs: head.outputs(tile, k, c))
        let byAction = slope * gradient.slopes[offset + c]
        let (vector, lane) = (c / width, c % width)
        tile.outputSlope[2 * k * head.vectors + vector][lane] += Float(byAction * head.scales[k])
        tile.outputSlope[(2 * k + 1) * head.vectors + vector][lane] += Float(byAction * (state[offset + c] - location))
      }
    }
  }
}
