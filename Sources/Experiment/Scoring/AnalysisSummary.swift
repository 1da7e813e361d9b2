package import DaunceEnsemble
import DaunceMPI
import DaunceModels
import DaunceState

/// What is kept of an analysis ensemble: mean and spread of every variable and derived field, every member's energy.
/// Filled on rank 0 from one gather a cycle.
package final class AnalysisSummary {
  /// Variables, then the model's derived fields.
  let names: [String]
  /// First element of each of them in mean and spread, and the number of elements (`[fields + 1]`).
  let offsets: [Int]
  /// All members on rank 0, `[member][variable][cell]`; empty elsewhere.
  private(set) var members: [Double]
  /// Fields one after the other, from `offsets`.
  private(set) var mean: [Double]
  private(set) var spread: [Double]
  /// By the members' weights; `nil` without.
  private(set) var weighted: WeightedMoments?
  /// Numbers from the beginning of the members that there are, in their order.
  private(set) var numbers: [Int]
  /// `[member]`; empty without an energy.
  private(set) var energy: [Double]

  private let context: ExperimentContext
  private let energyFunction: (any StateFunction)?
  /// What this rank's members bring: their states (`[member][variable][cell]`), derived fields
  /// (`[member][field][cell]`) and energies (`[member]`). Empty on a single rank, which has everything in its place.
  private var own: [Double]
  /// The same of all ranks, one after the other, on rank 0; empty elsewhere.
  private var received: [Double]
  private var counts: [Int]
  private var distribution: Distribution
  /// Of all members that there were at the beginning; empty: none beside equal ones.
  private let weights: [Double]
  /// Derived fields of all members on rank 0, `[member][field][cell]`; empty elsewhere.
  private(set) var derived: [Double]
  /// Elements of a member's state and of its derived fields, and 1 if it has an energy.
  private let sizes: (state: Int, derived: Int, energy: Int)

  /// Nothing yet.
  ///
  /// - Parameter weights: of the members, with the sum 1; empty: none beside equal ones.
  package init(_ context: ExperimentContext, weights: [Double] = []) {
    self.context = context
    energyFunction = context.energy
    let (layout, distribution) = (context.layout, context.distribution)
    names = layout.fields.map(\.name) + context.traits.diagnostics.map(\.name)
    offsets = layout.offsets + context.traits.diagnostics.indices.map { layout.count + ($0 + 1) * layout.cells }
    let sizes = (
      state: layout.count, derived: context.traits.diagnostics.count * layout.cells,
      energy: context.energy == nil ? 0 : 1
    )
    self.sizes = sizes
    (self.distribution, self.weights) = (distribution, weights)
    (members, derived, own, received, energy, counts, numbers) = ([], [], [], [], [], [], [])
    mean = [Double](repeating: 0, count: offsets[names.count])
    spread = mean
    makeRoom(for: Array(0..<distribution.members))
  }

  /// Gives everything the size that it has for the members with these numbers.
  private func makeRoom(for numbers: [Int]) {
    self.numbers = numbers
    let share = sizes.state + sizes.derived + sizes.energy
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * share }
    let (isRoot, isShared) = (context.communicator.isRoot, distribution.ranks > 1)
    func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
    members = zeros(isRoot ? distribution.members * sizes.state : 0)
    derived = zeros(isRoot ? distribution.members * sizes.derived : 0)
    own = zeros(isShared ? distribution.local.count * share : 0)
    received = zeros(isShared && isRoot ? distribution.members * share : 0)
    energy = zeros(distribution.members * sizes.energy)
    let left = numbers.compactMap { weights.isEmpty ? nil : weights[$0] }
    let sum = numbers.count < weights.count ? left.reduce(0, +) : 1
    weighted = isRoot && !weights.isEmpty ? WeightedMoments(left.map { $0 / sum }, width: mean.count) : nil
  }

  /// Derives what every member has of its own, gathers all on rank 0 and summarises it there. Collective; one gather.
  ///
  /// A clock is left in `output`, for what comes next with the analysis.
  package func summarise(_ ensemble: DistributedEnsemble) throws {
    ensemble.clock?.enter(.diagnosis)
    if ensemble.numbers.count != numbers.count {
      distribution = ensemble.distribution
      makeRoom(for: ensemble.numbers)
    }
    let held = ensemble.states.count
    if distribution.ranks == 1 {
      for (m, state) in ensemble.states.enumerated() {
        put(state, in: &members, at: m * sizes.state)
        derive(state, fields: &derived, at: m * sizes.derived)
        if let energyFunction { energy[m] = energyFunction.value(of: state.span) }
      }
    } else {
      for (m, state) in ensemble.states.enumerated() {
        put(state, in: &own, at: m * sizes.state)
        derive(state, fields: &own, at: held * sizes.state + m * sizes.derived)
        if let energyFunction {
          own[held * (sizes.state + sizes.derived) + m] = energyFunction.value(of: state.span)
        }
      }
      try ensemble.clock?.enter(collective: .output, on: context.communicator)
      try context.communicator.gatherv(own, into: &received, counts: counts)
      if context.communicator.isRoot { unpack() }
    }
    if context.communicator.isRoot {
      ensemble.clock?.enter(.diagnosis)
      moments(of: members, width: sizes.state, at: 0)
      moments(of: derived, width: sizes.derived, at: sizes.state)
      weighted?.take(members, count: sizes.state, at: 0)
      weighted?.take(derived, count: sizes.derived, at: sizes.state)
    }
    ensemble.clock?.enter(.output)
  }

  /// Copies `values`, or a part of them, to `target` from `start` on.
  private func put(_ values: [Double], _ part: Range<Int>? = nil, in target: inout [Double], at start: Int) {
    let part = part ?? values.indices
    precondition(part.upperBound <= values.count && start + part.count <= target.count)
    target.withUnsafeMutableBufferPointer { target in
      values.withUnsafeBufferPointer { values in
        guard let to = target.baseAddress, let from = values.baseAddress else { return }
        (to + start).update(from: from + part.lowerBound, count: part.count)
      }
    }
  }

  private func derive(_ state: [Double], fields: inout [Double], at start: Int) {
    for (k, diagnostic) in context.traits.diagnostics.enumerated() {
      put(diagnostic.compute(state.span), in: &fields, at: start + k * context.layout.cells)
    }
  }

  /// Puts what has come from the ranks into its place.
  private func unpack() {
    var start = 0
    for rank in 0..<distribution.ranks {
      let held = distribution.range(of: rank)
      func take(_ size: Int, _ target: inout [Double]) {
        let count = held.count * size
        put(received, start..<start + count, in: &target, at: held.lowerBound * size)
        start += count
      }
      take(sizes.state, &members)
      take(sizes.derived, &derived)
      take(sizes.energy, &energy)
    }
  }

  /// Mean and standard deviation (divisor N - 1) over members, in their order, of `width` elements each; to `mean` and
  /// `spread` from element `first` on.
  private func moments(of values: [Double], width: Int, at first: Int) {
    let count = distribution.members
    let share = Double(count)
    mean.withUnsafeMutableBufferPointer { mean in
      spread.withUnsafeMutableBufferPointer { spread in
        values.withUnsafeBufferPointer { values in
          guard let x = values.baseAddress, let start = mean.baseAddress, let squareStart = spread.baseAddress
          else { return }
          let (average, squares) = (start + first, squareStart + first)
          for i in 0..<width { (average[i], squares[i]) = (0, 0) }
          for m in 0..<count {
            for i in 0..<width { average[i] += x[m &* width &+ i] }
          }
          for i in 0..<width { average[i] /= share }
          for m in 0..<count {
            for i in 0..<width {
              let d = x[m &* width &+ i] - average[i]
              squares[i] += d * d
            }
          }
          for i in 0..<width { squares[i] = count > 1 ? (squares[i] / Double(count - 1)).squareRoot() : 0 }
        }
      }
    }
  }
}
