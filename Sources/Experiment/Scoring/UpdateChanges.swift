import DaunceEnsemble
import DaunceMPI
import DaunceModels

/// What updates add to a model's budgets, or take from them: the members' amounts in forecast and analysis, brought to
/// rank 0 and summed in the order of members.
final class UpdateChanges {
  /// One update's change of one budget.
  struct Change {
    /// Of the members' mean, over their mean in the forecast.
    let mean: Double
    /// Mean over members of the change's size, over the same.
    let size: Double
  }

  private let context: ExperimentContext
  private let model: any BudgetedModel
  private let names: [String]
  /// Of the members held here, in forecast and analysis (`[member][2][budget]`).
  private var own: [Double]
  /// The same of all members on rank 0, empty elsewhere.
  private var all: [Double]
  private var counts: [Int]
  private var members: Int

  /// Nothing where the model has no budgets.
  init?(_ context: ExperimentContext) {
    guard let model = context.model as? any BudgetedModel, !model.budgetNames.isEmpty else { return nil }
    self.context = context
    self.model = model
    names = model.budgetNames
    (own, all, counts, members) = ([], [], [], 0)
    makeRoom(for: context.distribution)
  }

  private func makeRoom(for distribution: Distribution) {
    let width = 2 * names.count
    own = [Double](repeating: 0, count: distribution.local.count * width)
    all = [Double](repeating: 0, count: context.communicator.isRoot ? distribution.members * width : 0)
    counts = (0..<distribution.ranks).map { distribution.range(of: $0).count * width }
    members = distribution.members
  }

  /// Takes the members' forecast.
  func begin(_ ensemble: DistributedEnsemble) {
    if ensemble.distribution.members != members { makeRoom(for: ensemble.distribution) }
    take(ensemble, part: 0)
  }

  /// Takes their analysis. Collective; one gather.
  ///
  /// - Returns: every budget's change on rank 0 (`[budget]`), `nil` elsewhere.
  func end(_ ensemble: DistributedEnsemble) throws -> [Change]? {
    take(ensemble, part: 1)
    try context.communicator.gatherv(own, into: &all, counts: counts)
    guard context.communicator.isRoot else { return nil }
    let count = names.count
    return (0..<count).map { b in
      var (amount, change, size) = (0.0, 0.0, 0.0)
      for m in 0..<members {
        let (before, after) = (all[2 * m * count + b], all[(2 * m + 1) * count + b])
        amount += before
        change += after - before
        size += abs(after - before)
      }
      return Change(mean: change / amount, size: size / amount)
    }
  }

  private func take(_ ensemble: DistributedEnsemble, part: Int) {
    for (m, state) in ensemble.states.enumerated() {
      for (b, amount) in model.budgets(of: state.span).enumerated() { own[(2 * m + part) * names.count + b] = amount }
    }
  }
}
