package import DaunceNetworks
package import DaunceNumerics
package import DaunceState

/// Which inputs an agent goes by: how much the likelihood of the truth falls where one of them is put in from elsewhere
/// (permutation importance, Breiman 2001). All of a window go together, from one other cell and time.
package final class InputImportance {
  private let head: PolicyHead
  private let controls: [Int]
  private let layout: StateLayout
  private let tile: Activations
  private let scores: Workspace<PolicyHead.Score>
  /// Inputs, anchors and targets of the states seen so far.
  private var states: [(inputs: Workspace<Lanes>, anchors: Workspace<Double>, targets: Workspace<Double>)] = []
  private let limit: Int

  /// - Parameters:
  ///   - policy: of any of the agents, for its sizes.
  ///   - limit: states that are kept.
  package init(_ policy: Network, settings: AgentSettings, layout: StateLayout, limit: Int) {
    head = PolicyHead(settings: settings, layout: layout)
    (controls, self.layout, self.limit) = (settings.controls, layout, limit)
    tile = Activations(network: policy, vectors: head.vectors)
    scores = Workspace(repeating: .zero, count: head.controls)
  }

  /// Keeps a state of an agent that has just been evaluated; nothing beyond the limit.
  ///
  /// - Parameters:
  ///   - tile: with the policy's inputs.
  ///   - anchors: what its increments are added to (`[control][cell]`).
  ///   - truth: `[layout.count]`.
  package func keep(_ tile: Activations, anchors: UnsafePointer<Double>, truth: UnsafePointer<Double>) {
    guard states.count < limit, let input = tile.input.baseAddress else { return }
    let count = controls.count * head.cells
    let inputs = Workspace<Lanes>(repeating: .zero, count: tile.input.count)
    let (own, targets) = (Workspace(repeating: 0.0, count: count), Workspace(repeating: 0.0, count: count))
    inputs.start.update(from: input, count: inputs.count)
    own.start.update(from: anchors, count: count)
    for (k, v) in controls.enumerated() {
      (targets.start + k * head.cells).update(from: truth + layout.offsets[v], count: head.cells)
    }
    states.append((inputs, own, targets))
  }

  /// Mean negative log-likelihood per action of the truth as the policy sees it, and by how much it rises with each group
  /// of inputs put in from elsewhere.
  ///
  /// - Parameter groups: number of inputs of each, in their order.
  package func losses(_ policy: Network, groups: [Int], stream: RandomStream) -> (loss: Double, rises: [Double]) {
    let places = (0..<states.count).map { ($0, stream.uniform(at: $0)) }.sorted { $0.1 < $1.1 }.map(\.0)
    let turns = (0..<states.count).map { stream.integer(below: head.cells, at: states.count + $0) }
    let mixed = Workspace<Lanes>(repeating: .zero, count: states.first?.inputs.count ?? 0)
    func loss(without group: Range<Int>?) -> Double {
      var sum = 0.0
      for (i, state) in states.enumerated() {
        mixed.copy(from: state.inputs.start)
        if let group { put(states[places[i]].inputs, turnedBy: turns[i], rows: group, into: mixed) }
        sum += self.loss(policy, input: mixed, state)
      }
      return sum / Double(max(1, states.count * controls.count * head.cells))
    }
    let own = loss(without: nil)
    var (next, rises) = (0, [Double]())
    for count in groups {
      rises.append(loss(without: next..<next + count) - own)
      next += count
    }
    return (own, rises)
  }

  /// Rows of inputs as another state has them, at other cells.
  private func put(_ other: Workspace<Lanes>, turnedBy turn: Int, rows: Range<Int>, into mixed: Workspace<Lanes>) {
    let (n, width) = (head.cells, Lanes.scalarCount)
    for row in rows {
      let first = row * head.vectors
      for c in 0..<n {
        let from = (c + turn) % n
        mixed.start[first + c / width][c % width] = other.start[first + from / width][from % width]
      }
    }
  }

  private func loss(
    _ policy: Network, input: Workspace<Lanes>,
    _ state: (inputs: Workspace<Lanes>, anchors: Workspace<Double>, targets: Workspace<Double>)
  ) -> Double {
    policy.forward(tile, input: input.start)
    // What the unit of actions is does not change with what the network is told of it.
    head.scaleOutputs(tile, input: state.inputs.start)
    var sum = 0.0
    for v in 0..<head.vectors {
      let density = head.logDensity(
        tile, vector: v, actions: state.targets.start, anchors: state.anchors.start, scores: scores.start)
      sum -= Double((density * head.presence(v)).sum())
    }
    return sum
  }
}
