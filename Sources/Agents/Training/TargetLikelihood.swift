import DaunceConstraints
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// The warm start's loss: the negative log-likelihood of the target under a policy's laws at one member's state. It is a
/// proper score, so the spread that is learned is honest.
final class TargetLikelihood {
  /// The policy's way through the state last evaluated, and the slopes of its loss.
  let tile: Activations
  /// What the policy's increments are added to (`[control][cell]`).
  let anchors: Workspace<Double>
  private let runner: PolicyRunner
  private let targets: Workspace<Double>
  private let scores: Workspace<PolicyHead.Score>
  private let penalty: ConstraintPenalty

  /// - Parameters:
  ///   - policy: of any of the agents, for its sizes.
  ///   - bands: with a multiplier each, see `addPenalty`.
  ///   - tolerance: mean deviation that is allowed, as a share of a band's half-width.
  init(_ runner: PolicyRunner, _ policy: Network, bands: [Band], tolerance: Double) {
    penalty = ConstraintPenalty(bands, tolerance: tolerance, runner: runner)
    self.runner = runner
    anchors = Workspace(repeating: 0, count: runner.actionCount)
    targets = Workspace(repeating: 0, count: runner.actionCount)
    scores = Workspace(repeating: PolicyHead.Score.zero, count: runner.head.controls)
    tile = Activations(network: policy, vectors: runner.vectors)
  }

  /// Evaluates a policy at a member's state.
  ///
  /// - Parameters:
  ///   - state: base forecast, `[layout.count]`, as `previous` and `beforePrevious`.
  ///   - isNextMember: see `PolicyRunner.evaluate`.
  func evaluate(
    _ policy: Network, state: UnsafePointer<Double>, previous: UnsafePointer<Double>,
    beforePrevious: UnsafePointer<Double>, time: Int, sequence: Int, isNextMember: Bool = false
  ) {
    runner.evaluate(
      policy, tile: tile, forecast: state, previous: previous, beforePrevious: beforePrevious, time: time,
      sequence: sequence, isNextMember: isNextMember)
    runner.anchors(anchors.start, forecast: state, sequence: sequence)
  }

  /// Leaves the weighted loss's slopes by the laws in the tile.
  ///
  /// - Parameter target: `[layout.count]`.
  /// - Returns: the weighted loss.
  func takeLoss(target: UnsafePointer<Double>, weight: Float) -> Double {
    let (head, n) = (runner.head, runner.cells)
    for (k, v) in runner.settings.controls.enumerated() {
      (targets.start + k * n).update(from: target + runner.layout.offsets[v], count: n)
    }
    var loss = 0.0
    for v in 0..<head.vectors {
      let present = head.presence(v)
      // The target stands where the action would.
      let density = head.logDensity(
        tile, vector: v, actions: targets.start, anchors: anchors.start, scores: scores.start)
      loss -= Double((density * present).sum())
      for k in 0..<head.controls {
        let score = scores.start[k]
        head.setSlopes(
          tile, k, vector: v, score: score, location: -weight * present * score.location,
          logScale: -weight * present * score.logScale)
      }
    }
    return loss * Double(weight)
  }

  /// Adds the multipliers' penalty on a state that the actions have been applied to, and its slopes: the actions move with
  /// location and scale of their laws.
  ///
  /// - Parameters:
  ///   - state: `[layout.count]`.
  ///   - weight: of one state's penalty.
  ///   - deviations: of every band, in units of the tolerance; overwritten.
  /// - Returns: the weighted penalty, as a part of the loss.
  func addPenalty(
    _ multipliers: [Multiplier], state: UnsafePointer<Double>, weight: Double, deviations: inout [Double]
  ) -> Double {
    penalty.add(
      multipliers, state: state, tile: tile, anchors: anchors.start, weight: weight, deviations: &deviations)
  }

  /// Adds to `sums` the loss's derivative by the policy's parameters.
  func backward(_ policy: Network, into sums: GradientSums) {
    if let input = tile.input.baseAddress { runner.head.scaleSlopes(tile, input: input) }
    policy.backward(tile, into: sums)
  }
}
