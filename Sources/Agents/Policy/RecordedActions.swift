package import DaunceNetworks
import DaunceNumerics
package import DaunceState

/// What an agent has seen in closed loops, with the truths of those times: how likely another policy's laws make these truths, and where its
/// weights would have to move to make them likelier.
package final class RecordedActions {
  private let head: PolicyHead
  private let controls: [Int]
  private let layout: StateLayout
  private let tile: Activations
  private let sums: GradientSums
  private let scores: Workspace<PolicyHead.Score>
  private var states: [State] = []

  private struct State {
    let input: Workspace<Lanes>
    let anchors, targets: Workspace<Double>
  }

  /// - Parameter policy: one of the sizes of those that are judged.
  package init(_ policy: Network, settings: AgentSettings, layout: StateLayout) {
    (controls, self.layout) = (settings.controls, layout)
    head = PolicyHead(settings: settings, layout: layout)
    tile = Activations(network: policy, vectors: head.vectors)
    sums = GradientSums(policy)
    scores = Workspace(repeating: .zero, count: head.controls)
  }

  /// Actions so far.
  package var count: Int { states.count * head.controls * head.cells }

  /// Takes a state that has just been evaluated; see `PolicyEvidence.take`.
  package func take(_ seen: Activations, anchors: UnsafePointer<Double>, truth: UnsafePointer<Double>) {
    guard let from = seen.input.baseAddress else { return }
    let state = State(
      input: Workspace(repeating: .zero, count: seen.input.count),
      anchors: Workspace(repeating: 0, count: head.controls * head.cells),
      targets: Workspace(repeating: 0, count: head.controls * head.cells))
    state.input.start.update(from: from, count: seen.input.count)
    state.anchors.start.update(from: anchors, count: head.controls * head.cells)
    for (k, v) in controls.enumerated() {
      (state.targets.start + k * head.cells).update(from: truth + layout.offsets[v], count: head.cells)
    }
    states.append(state)
  }

  /// Sum of the truths' log-densities under a policy.
  ///
  /// - Parameter gradient: filled with its derivative by every parameter.
  package func logLikelihood(_ policy: Network, gradient: inout [Float]) -> Double {
    sums.reset()
    var likelihood = 0.0
    for state in states {
      policy.forward(tile, input: state.input.start)
      likelihood += head.setLossSlopes(
        tile, input: state.input.start, actions: state.targets.start, anchors: state.anchors.start, scores: scores.start)
      policy.backward(tile, input: state.input.start, into: sums)
    }
    sums.write(to: &gradient)
    for k in gradient.indices { gradient[k] = -gradient[k] }
    return likelihood
  }
}
