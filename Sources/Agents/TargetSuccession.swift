import Ensemble
import StateSpace

/// Follows the target's place in the policies' laws (its probability integral transform) from one observation time to the
/// next. Members whose draws move as slowly as the target does are exchangeable with it in time as well.
final class TargetSuccession {
  private let runner: PolicyRunner
  /// The last places, less one half, `[local member][sequence][control][cell]`; NaN before the first.
  private let last: Workspace<Double>
  /// Sums over everything of products of successive places, and of squares; one of each for every local member.
  private(set) var products: [Double]
  private(set) var squares: [Double]

  init(runner: PolicyRunner) {
    self.runner = runner
    let members = runner.distribution.local.count
    last = Workspace(repeating: .nan, count: members * runner.sequences * runner.actionCount)
    products = [Double](repeating: 0, count: members)
    squares = [Double](repeating: 0, count: members)
  }

  /// Takes in the target of a moment whose policy outputs are in `tile`.
  func add(_ moment: Rollout.Moment, _ tile: Activations, anchors: UnsafePointer<Double>) {
    let m = moment.member
    let n = runner.layout.grid.cells
    let last = last.start + (m * runner.sequences + moment.sequence) * runner.actionCount
    for (k, v) in runner.settings.controls.enumerated() {
      for c in 0..<n {
        let i = k * n + c
        let (location, scale) = runner.head.law(k, anchor: anchors[i], outputs: runner.head.outputs(tile, k, c))
        let place =
          runner.head.laws[k].cumulative(moment.target[v * n + c], location: location, scale: scale) - 0.5
        if !moment.isStart, !last[i].isNaN {
          products[m] += last[i] * place
          squares[m] += 0.5 * (last[i] * last[i] + place * place)
        }
        last[i] = place
      }
    }
  }
}
