public import DaunceEnsemble
public import DaunceObservations
public import DaunceState

/// Random perturbations that are added to every forecast that is to be updated (Mitchell & Houtekamer 2000), around any
/// update: what the model's errors would do to the members. Their mean over the members is zero, and what leaves a field's
/// bounds is cut off. The update comes after them, so what it holds is held.
public final class AdditiveInflation: EnsembleUpdate {
  /// Adds a member's perturbation of a cycle to a state (`[count]`), the same on every rank.
  public typealias Perturbation = (_ state: inout [Double], _ member: Int, _ cycle: Int) -> Void

  private let update: any EnsembleUpdate
  private let layout: StateLayout
  private let perturbation: Perturbation
  private var mean: [Double]

  /// - Parameter perturbation: with mean zero over many draws.
  public init(_ update: any EnsembleUpdate, layout: StateLayout, perturbation: @escaping Perturbation) {
    self.update = update
    self.layout = layout
    self.perturbation = perturbation
    mean = [Double](repeating: 0, count: layout.count)
  }

  /// Keeps what the update remembers.
  public func save(into snapshot: inout Snapshot) { update.save(into: &snapshot) }
  /// Takes it back.
  public func restore(from snapshot: Snapshot) throws { try update.restore(from: snapshot) }

  /// Perturbs the forecast where something is observed, and updates it. Collective.
  public func update(_ ensemble: inout DistributedEnsemble, observations: ObservationSet, cycle: Int) throws {
    if observations.count > 0 { perturb(&ensemble, cycle) }
    try update.update(&ensemble, observations: observations, cycle: cycle)
  }

  private func perturb(_ ensemble: inout DistributedEnsemble, _ cycle: Int) {
    let members = ensemble.distribution.members
    for i in mean.indices { mean[i] = 0 }
    for member in 0..<members { perturbation(&mean, member, cycle) }
    for i in mean.indices { mean[i] /= Double(members) }
    for (held, member) in ensemble.distribution.local.enumerated() {
      perturbation(&ensemble.states[held], member, cycle)
      for i in mean.indices { ensemble.states[held][i] -= mean[i] }
    }
    layout.cutOff(&ensemble)
  }
}
