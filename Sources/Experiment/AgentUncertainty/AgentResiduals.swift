import DaunceEnsemble
import DaunceMPI
import DaunceState
import DaunceUncertainty

/// How far held-back truths are from what a design of ensembles predicts.
struct AgentResiduals {
  let ensembles: AgentEnsembles
  let context: ExperimentContext
  let communicator: Communicator

  /// Counts of every truth, after the spin-up. Collective.
  func counts(_ truths: SharedTruths, keeper: CheckpointKeeper) throws -> [ResidualCounts] {
    let width = context.layout.fields.count * ResidualCounts.each
    let pieces = try keeper.completeTogether("held-back truths", count: truths.seeds.count, width: width) { k in
      try counts(of: try truths.truth(k))
    }
    return truths.seeds.indices.map { ResidualCounts(pieces[$0]) }
  }

  private func counts(of truth: Trajectory) throws -> [Double] {
    let (layout, spinup) = (context.layout, context.configuration.truths.spinupCycles)
    let variance = PairedVariance(ensembles.design)
    var counts = ResidualCounts(fields: layout.fields.count)
    try ensembles.begin(try context.initialMembers(of: truth), seed: truth.seed)
    for cycle in 1...truth.cycles {
      try ensembles.advance(truth.observations[cycle - 1], cycle: cycle)
      guard cycle > spinup else { continue }
      let values = ensembles.values
      for (v, field) in layout.fields.enumerated() {
        let own = layout.range(v).clamped(to: values.elements)
        for element in own {
          let moments = variance.moments(values.row(element))
          let error = truth.states[cycle * layout.count + element] - moments.mean
          counts.add(
            field: v, variance: moments.square / (field.scale * field.scale),
            residual: moments.square > 0 ? error / moments.square.squareRoot() : error)
        }
      }
    }
    // Whole numbers: the same sums in any order.
    var all = counts.counts
    try communicator.allreduce(&all, .sum)
    return all
  }
}

extension ExperimentContext {
  /// The members that assimilate a truth's observations, as this rank alone makes them.
  func initialMembers(of truth: Trajectory) throws -> [[Double]] {
    try makeInitialEnsemble(around: truth.initial(layout), seed: truth.seed).states
  }
}
