import Ensemble
import MPI
import Models
import StateSpace

/// What is kept of an analysis ensemble: mean and spread of every variable and derived field, every member's energy.
/// Filled on rank 0 from one gather a cycle.
final class AnalysisSummary {
  /// Variables, then the model's derived fields.
  let names: [String]
  /// All members on rank 0, `[member][variable][cell]`; empty elsewhere.
  private(set) var members: [Double]
  /// `[field][cell]`.
  private(set) var mean: [Double]
  private(set) var spread: [Double]
  /// `[member]`; empty without an energy.
  private(set) var energy: [Double]

  private let setup: Setup
  private let energyFunction: (any StateFunction)?
  private var own: [Double]
  private let counts: [Int]
  /// Derived fields of all members, `[member][field][cell]`.
  private var derived: [Double]

  init(_ setup: Setup) {
    self.setup = setup
    energyFunction = setup.energy
    let (layout, distribution) = (setup.layout, setup.distribution)
    names = layout.variables.map(\.name) + setup.model.diagnostics.map(\.name)
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * layout.count }
    let isRoot = setup.communicator.isRoot
    members = [Double](repeating: 0, count: isRoot ? distribution.members * layout.count : 0)
    own = [Double](repeating: 0, count: distribution.local.count * layout.count)
    mean = [Double](repeating: 0, count: names.count * layout.grid.cells)
    spread = mean
    energy = [Double](repeating: 0, count: energyFunction == nil ? 0 : distribution.members)
    derived = [Double](
      repeating: 0, count: isRoot ? distribution.members * setup.model.diagnostics.count * layout.grid.cells : 0)
  }

  /// Gathers the ensemble on rank 0 and summarises it there. Collective.
  func summarise(_ ensemble: DistributedEnsemble) throws {
    let count = setup.layout.count
    for (m, state) in ensemble.states.enumerated() {
      for i in 0..<count { own[m * count + i] = state[i] }
    }
    try setup.communicator.gatherv(own, into: &members, counts: counts)
    guard setup.communicator.isRoot else { return }
    derive()
    let n = setup.layout.grid.cells
    let fields = setup.model.diagnostics.count * n
    for i in 0..<count { (mean[i], spread[i]) = moments(members, stride: count, at: i) }
    for i in 0..<fields {
      (mean[count + i], spread[count + i]) = moments(derived, stride: fields, at: i)
    }
  }

  private func derive() {
    let (count, n) = (setup.layout.count, setup.layout.grid.cells)
    let diagnostics = setup.model.diagnostics
    for m in 0..<setup.distribution.members {
      let state = members.span.extracting(m * count..<(m + 1) * count)
      if let energyFunction { energy[m] = energyFunction.value(of: state) }
      for (k, diagnostic) in diagnostics.enumerated() {
        let field = diagnostic.compute(state)
        for c in 0..<n { derived[(m * diagnostics.count + k) * n + c] = field[c] }
      }
    }
  }

  /// Mean and standard deviation (divisor N - 1) over members, in their order.
  private func moments(_ values: [Double], stride: Int, at i: Int) -> (Double, Double) {
    let count = setup.distribution.members
    var sum = 0.0
    for m in 0..<count { sum += values[m * stride + i] }
    let mean = sum / Double(count)
    var squares = 0.0
    for m in 0..<count {
      let d = values[m * stride + i] - mean
      squares += d * d
    }
    return (mean, count > 1 ? (squares / Double(count - 1)).squareRoot() : 0)
  }
}
