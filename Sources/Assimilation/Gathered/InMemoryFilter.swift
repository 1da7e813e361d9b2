public import DaunceEnsemble
public import DaunceObservations
import DaunceState

/// A filter as a function of a whole ensemble in memory, which needs no communication.
public protocol InMemoryFilter: EnsembleUpdate {
  /// Observations of the last analysis that were left out, for their h(x) was not a number in every member.
  var leftOut: Int { get }

  /// Updates the members in `local`; the others may be updated or not.
  ///
  /// - Parameters:
  ///   - states: the whole ensemble, `[member][element]`; forecast on entry, analysis of `local` on return.
  ///   - members: number of members in `states`, at least 2.
  ///   - local: members whose analysis is wanted.
  ///   - observations: of this time; may be empty.
  ///   - cycle: keys random streams.
  func analyse(
    _ states: inout MutableSpan<Double>, members: Int, local: Range<Int>, observations: ObservationSet, cycle: Int
  ) throws(AssimilationError)
}

/// A filter that can also work on the moments of an ensemble and some of its members.
protocol MomentFilter: InMemoryFilter {
  /// Prepared reaches of networks.
  var reaches: Reaches { get }
  /// How the ensemble is brought together; `nil`: by size.
  var plan: ReductionPlan? { get }
  /// Whether the analysis needs all members whatever their number.
  var needsWholeEnsemble: Bool { get }
  /// Whether the analysis uses the variances in the moments.
  var needsVariances: Bool { get }

  /// Updates members `first`, `first + 1`, ... (`states`, `[member][element]`) of an ensemble of `members`, using up
  /// the covariances in `moments`.
  func analyse(
    _ states: inout MutableSpan<Double>, first: Int, members: Int, moments: inout EnsembleMoments,
    observations: ObservationSet, cycle: Int
  ) throws(AssimilationError)
}
