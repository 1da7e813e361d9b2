/// How the ranks put the ensemble together for an analysis.
///
/// The choice depends on sizes only, never on the number of ranks: the two ways round differently, and results must not
/// depend on how many ranks there are.
public enum ReductionPlan: String, Sendable, Hashable {
  /// Every rank gets all members (``GatheredEnsemble``).
  case gather
  /// Every rank gets mean and covariance (``EnsembleCovariance``).
  case covariance

  /// Bytes through each rank when N members of n elements are gathered: 8 N n.
  public static func gatherBytes(members: Int, stateElements: Int) -> Int {
    8 * members * stateElements
  }

  /// Bytes through each rank when the mean of n elements and their covariances with p observed elements are summed:
  /// twice 18 bytes for each of s = n + n p - p (p - 1) / 2 sums, since an all-reduce moves its buffer twice, to add it
  /// up and to hand it out.
  public static func covarianceBytes(stateElements: Int, observations: Int) -> Int {
    2 * ExactSum.bytes(
      count: EnsembleCovariance.sumCount(width: stateElements, columns: observations))
  }

  /// The way that moves fewer bytes; `gather` when they are equal.
  ///
  /// - Parameters:
  ///   - members: N.
  ///   - stateElements: n.
  ///   - observations: p, the number of distinct observed elements.
  ///   - carried: observations that are no elements of the state. Moments are those of the state extended by them;
  ///     gathered states are extended afterwards.
  public static func choose(
    members: Int, stateElements: Int, observations: Int, carried: Int = 0
  ) -> ReductionPlan {
    let gather = gatherBytes(members: members, stateElements: stateElements)
    let covariance = covarianceBytes(stateElements: stateElements + carried, observations: observations)
    return covariance < gather ? .covariance : .gather
  }
}
