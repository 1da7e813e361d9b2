import DaunceEnsemble
import DaunceNetworks
import DaunceNumerics
import DaunceState

/// How far the target keeps its order among the members: the correlation between its place among the base forecasts (its
/// own carried forward like theirs) and its place in the policies' laws. Draws that keep the order of the forecasts in
/// that share of the cells make the members move among each other as the target moves among them.
final class RankCorrelation {
  private let runner: PolicyRunner
  private let carried: Workspace<Double>
  /// Sums over everything of products of the two places, each less one half, and of half their squares; one of each
  /// for every local member.
  private(set) var products: [Double]
  private(set) var squares: [Double]

  init(runner: PolicyRunner) {
    self.runner = runner
    carried = Workspace(repeating: 0, count: runner.layout.count)
    products = [Double](repeating: 0, count: runner.distribution.local.count)
    squares = products
  }

  func save(into snapshot: inout Snapshot) {
    snapshot.set("order_products", members: products.map { [$0] })
    snapshot.set("order_squares", members: squares.map { [$0] })
  }

  func restore(from snapshot: Snapshot) throws {
    products = try snapshot.memberValues("order_products", count: 1).map { $0[0] }
    squares = try snapshot.memberValues("order_squares", count: 1).map { $0[0] }
  }

  private func advance(cycle: Int) throws {
    var state = MutableSpan(_unsafeStart: carried.start, count: carried.count)
    try runner.base.advance(&state, cycle: cycle)
  }

  /// Takes in a step whose policy outputs are in `tile`; nothing where members have not been gathered.
  ///
  /// - Throws: what the base forecast throws.
  func add(_ step: Rollout.Step, _ tile: Activations, anchors: UnsafePointer<Double>) throws {
    guard let forecasts = runner.forecasts(sequence: step.sequence) else { return }
    let (m, n) = (step.member, runner.cells)
    let members = runner.distribution.members
    carried.copy(from: step.lastTarget)
    if runner.settings.base == .coarseStep { try advance(cycle: step.time) }
    for (k, v) in runner.settings.controls.enumerated() {
      let offset = runner.layout.offsets[v]
      for c in 0..<n {
        let i = k * n + c
        let x = carried.start[offset + c]
        var below = 0.0
        for j in 0..<members {
          let other = forecasts.first[j * forecasts.stride + i]
          below += other < x ? 1 : other == x ? 0.5 : 0
        }
        let before = below / Double(members) - 0.5
        let (location, scale) = runner.head.law(k, anchor: anchors[i], outputs: runner.head.outputs(tile, k, c))
        let after =
          runner.head.laws[k].cumulative(step.target[offset + c], location: location, scale: scale) - 0.5
        products[m] += before * after
        squares[m] += 0.5 * (before * before + after * after)
      }
    }
  }
}
