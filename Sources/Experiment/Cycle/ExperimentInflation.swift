import DaunceAssimilation
import DaunceEnsemble
import DaunceNumerics
import DaunceState

extension ExperimentContext {
  /// An update with what the configuration puts around every filter: adaptive and additive inflation. Members that
  /// nothing updates are left alone, for they are to show what the model does by itself. Collective.
  func inflated(_ update: any EnsembleUpdate, _ context: MethodContext) throws -> any EnsembleUpdate {
    if update is NoUpdate { return update }
    let filter = configuration.filter
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
}
