import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceState

extension ExperimentContext {
  /// An update with what the configuration puts around every filter: adaptive and additive inflation. Members that
  /// nothing updates are left alone, for they are to show what the model does by itself. Collective.
  func inflated(_ update: any EnsembleUpdate, _ context: MethodContext) throws -> any EnsembleUpdate {
    if update is NoUpdate { return update }
    let filter = context.settings
    if context.method == .particleFilter, filter.proposal == .optimal { return try proposal(context) }
    var update = update
    if filter.adaptive > 0 {
      update = AdaptiveInflation(
        update, layout: layout, localization: context.localization, deviation: filter.adaptive,
        damping: filter.adaptiveDamping)
    }
    if filter.additive > 0 {
      let climate = try climatologicalPerturbations()
      update = AdditiveInflation(update, layout: layout) { state, member, cycle in
        climate.perturb(
          &state, by: filter.additive,
          RandomStream(seed: context.seed, purpose: .additiveInflation, member: member, cycle: cycle))
      }
    }
    return update
  }

  /// The particle filter with particles drawn given the observations, for the additive inflation as the model's noise.
  private func proposal(_ context: MethodContext) throws -> any EnsembleUpdate {
    guard context.operators.allSatisfy(OptimalProposal.takes) else {
      throw ExperimentError(
        .data, "key filter.proposal", found: "optimal with observations of functions",
        expected: "prior, or observations that are linear functions of the state")
    }
    let (climate, size) = (try climatologicalPerturbations(), context.settings.additive)
    return OptimalProposal(
      noise: OptimalProposal.Noise {
        climate.perturb(&$0, by: size, $1)
      } directions: {
        climate.directions(factor: size)
      }, layout: layout, seed: context.seed)
  }
}
