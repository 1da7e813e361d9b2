import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics

/// How far a round of the warm start has come, and what it has found out about its agents.
struct WarmStartProgress {
  /// Adam steps done.
  var done = 0
  /// Mean loss of every agent over parts of the round.
  private(set) var curve: LossCurve
  /// How targets lie in the policies' laws, over the last tenth.
  let order: RankCorrelation
  private let steps: Int
  /// Sum of every agent's losses over the last tenth.
  private var losses: [Double]

  init(runner: PolicyRunner, steps: Int, agents: Int) {
    self.steps = steps
    curve = LossCurve(steps: steps, agents: agents)
    order = RankCorrelation(runner: runner)
    losses = [Double](repeating: 0, count: agents)
  }

  /// Mean loss of every agent over the last tenth.
  var lastTenth: [Double] { losses.map { $0 / Double(max(1, steps / 10)) } }

  /// Takes in the loss of one member at one step; its policy outputs are in `tile`.
  ///
  /// - Parameter isLate: whether the step belongs to the last tenth of the round.
  mutating func add(
    _ loss: Double, _ step: Rollout.Step, isLate: Bool, _ tile: Activations, anchors: UnsafePointer<Double>
  ) throws {
    if isLate {
      losses[step.member] += loss
      try order.add(step, tile, anchors: anchors)
    }
    curve.add(loss, agent: step.member, step: done)
  }

  func save(into snapshot: inout Snapshot) {
    order.save(into: &snapshot)
    snapshot.set("losses", members: losses.map { [$0] })
    snapshot.set("loss_curve", members: curve.members)
  }

  mutating func restore(from snapshot: Snapshot) throws {
    done = try snapshot.integer("step")
    try order.restore(from: snapshot)
    losses = try snapshot.memberValues("losses", count: 1).map { $0[0] }
    curve.members = try snapshot.memberValues("loss_curve", count: curve.blocks)
  }
}
