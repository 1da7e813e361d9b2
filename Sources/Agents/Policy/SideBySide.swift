import DaunceNetworks
import DaunceNumerics

/// Agents of several members at once: where a state's few cells would leave most of a vector's lanes empty, those of the
/// next members fill them. Everything that is one number a cell is `[control][member][cell]` here. The same bits as one
/// member after the other.
final class SideBySide {
  /// Most cells of a state for which this is worth while: with five and more no second member fits in.
  static let mostCells = Lanes.scalarCount / 2

  /// Local members.
  let members: Range<Int>
  private let runner: PolicyRunner
  private let networks: NetworkBundle
  private let head: PolicyHead
  private let tile: Activations
  private let anchors: Workspace<Double>
  private let uniforms: Workspace<Double>
  private let scales: Workspace<Double>
  private let actions: Workspace<Double>
  /// One member's, `[control][cell]`.
  private let own: Workspace<Double>

  /// All local members' agents, as many side by side as fit into a vector; none where cells fill vectors well enough.
  static func bundles(of agents: [Agent], runner: PolicyRunner) -> [SideBySide] {
    guard runner.cells <= mostCells, agents.count > 1 else { return [] }
    let width = Lanes.scalarCount / runner.cells
    return stride(from: 0, to: agents.count, by: width).map {
      SideBySide($0..<min(agents.count, $0 + width), of: agents, runner: runner)
    }
  }

  private init(_ members: Range<Int>, of agents: [Agent], runner: PolicyRunner) {
    self.members = members
    self.runner = runner
    let policies = agents[members].map(\.policy)
    networks = NetworkBundle(policies, samples: runner.cells)
    head = PolicyHead(settings: runner.settings, layout: runner.layout, members: members.count)
    tile = Activations(network: policies[0], vectors: 1)
    let count = members.count * runner.actionCount
    (anchors, uniforms) = (Workspace(repeating: 0, count: count), Workspace(repeating: 0.5, count: count))
    (scales, actions) = (Workspace(repeating: 0, count: count), Workspace(repeating: 0, count: count))
    own = Workspace(repeating: 0, count: runner.actionCount)
  }

  /// Takes in what one member's agent sees and is to be drawn with; parameters as of `PolicyRunner.evaluate`.
  func present(
    _ m: Int, forecast: UnsafePointer<Double>, previous: UnsafePointer<Double>, beforePrevious: UnsafePointer<Double>,
    cycle: Int
  ) {
    let place = m - members.lowerBound
    let lane = place * runner.cells
    runner.fill(
      tile, forecast: forecast, previous: previous, beforePrevious: beforePrevious, time: cycle, sequence: 0,
      lane: lane, other: place > 0 ? lane : nil)
    runner.anchors(own.start, forecast: forecast, sequence: 0)
    scatter(own, to: anchors, place: place)
    runner.drawUniforms(purpose: .policyDraw, member: m, cycle: cycle, sequence: 0)
    scatter(runner.uniforms, to: uniforms, place: place)
  }

  /// Draws the actions of all members that were presented.
  func draw() {
    networks.forward(tile)
    if let input = tile.input.baseAddress { head.scaleOutputs(tile, input: input) }
    for k in 0..<head.controls {
      let first = k * head.cells
      head.sample(
        k, into: actions.start + first, scales: scales.start + first, anchors: anchors.start + first, tile,
        uniforms: uniforms.start + first)
    }
  }

  /// Replaces the controls of one member's base forecast (`[layout.count]`) by what was drawn for it.
  func apply(_ m: Int, to state: UnsafeMutablePointer<Double>) {
    let place = m - members.lowerBound
    gather(scales, to: runner.scales, place: place)
    gather(actions, to: own, place: place)
    runner.apply(own.start, to: state)
  }

  private func scatter(_ member: Workspace<Double>, to all: Workspace<Double>, place: Int) {
    let n = runner.cells
    for k in 0..<head.controls {
      (all.start + (k * members.count + place) * n).update(from: member.start + k * n, count: n)
    }
  }

  private func gather(_ all: Workspace<Double>, to member: Workspace<Double>, place: Int) {
    let n = runner.cells
    for k in 0..<head.controls {
      (member.start + k * n).update(from: all.start + (k * members.count + place) * n, count: n)
    }
  }
}
