package import DaunceNetworks
package import DaunceNumerics

/// What one agent lived through in the rollouts of one PPO iteration, `[step][sequence]` tiles of cells.
package final class RolloutBuffer {
  package let steps: Int
  package let sequences: Int
  /// Cells of a tile, padded to whole vectors.
  package let lanes: Int
  /// Vectors of one tile's inputs.
  package let inputVectors: Int
  package let inputs: Workspace<Lanes>
  /// `[step][sequence][control][cell]`.
  package let actions: Workspace<Double>
  package let anchors: Workspace<Double>
  /// Log-density of the actions under the policy that drew them, summed over controls; `[step][sequence][lane]`.
  package let logDensity: Workspace<Float>
  package let rewards: Workspace<Float>
  /// One step more than the others: the last bootstraps.
  package let values: Workspace<Float>
  package let advantages: Workspace<Float>
  /// Whether a sequence started again before a step, `[step][sequence]`.
  package let starts: Workspace<Bool>
  package let actionCount: Int

  package init(steps: Int, sequences: Int, lanes: Int, inputs count: Int, actionCount: Int) {
    self.steps = steps
    self.sequences = sequences
    self.lanes = lanes
    self.actionCount = actionCount
    inputVectors = count * lanes / Lanes.scalarCount
    let tiles = steps * sequences
    inputs = Workspace(repeating: .zero, count: tiles * inputVectors)
    actions = Workspace(repeating: 0, count: tiles * actionCount)
    anchors = Workspace(repeating: 0, count: tiles * actionCount)
    logDensity = Workspace(repeating: 0, count: tiles * lanes)
    rewards = Workspace(repeating: 0, count: tiles * lanes)
    values = Workspace(repeating: 0, count: (steps + 1) * sequences * lanes)
    advantages = Workspace(repeating: 0, count: tiles * lanes)
    starts = Workspace(repeating: false, count: tiles)
  }

  /// Number of tiles.
  package var tiles: Int { steps * sequences }
}
