/// Ensembles that agents have carried through one series, so that three sources of uncertainty can be told apart in them.
///
/// A value belongs to an initial member (the new input), to a training (the training data) and to an agent of it (the weights). In
/// pairing k agent (m + shift of k) mod N drives member m; every pairing of every training has several ensembles, whose
/// random draws are their own. What two values of different ensembles have in common is then what their common draws make of
/// them, and no draw of the agents' own.
package struct PairedDesign: Sendable, Hashable {
  /// Members of an ensemble, which are as many as agents of a training.
  package let members: Int
  package let trainings: Int
  /// Ways in which agents drive members, at least two.
  package let pairings: Int
  /// Ensembles of every pairing, at least two.
  package let draws: Int

  /// - Parameters:
  ///   - members: at least 2.
  ///   - pairings: 2 to `members`.
  ///   - draws: at least 2.
  package init(members: Int, trainings: Int, pairings: Int, draws: Int) {
    precondition(members > 1 && trainings > 0 && (2...members).contains(pairings) && draws > 1)
    (self.members, self.trainings, self.pairings, self.draws) = (members, trainings, pairings, draws)
  }

  /// An ensemble of the design.
  package struct Place: Sendable, Hashable {
    package let training, pairing, draw: Int
  }

  /// Number of ensembles.
  package var ensembles: Int { trainings * pairings * draws }
  /// Values of an element of the state, `[ensemble][member]`.
  package var count: Int { ensembles * members }

  /// Ensembles in their order: draws of a pairing one after the other, then pairings, then trainings.
  package func place(of ensemble: Int) -> Place {
    Place(training: ensemble / (draws * pairings), pairing: ensemble / draws % pairings, draw: ensemble % draws)
  }

  /// The agent that drives a member.
  package func agent(of member: Int, pairing: Int) -> Int { (member + pairing * members / pairings) % members }
}
