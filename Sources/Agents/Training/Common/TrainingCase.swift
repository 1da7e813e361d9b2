public import DaunceEnsemble
public import DaunceMPI
public import DaunceObservations

/// Twin experiments with a whole ensemble on one rank, for the common training: every ensemble of it belongs to one case.
public struct TrainingCase {
  /// Model and filter, for ensembles of this case's size.
  public let base: any AnalysisBase
  /// Members of an ensemble, all held by this rank.
  public let distribution: Distribution
  /// Of this rank alone.
  public let communicator: Communicator
  /// Observation times of every truth.
  public let cycles: Int
  /// True states: for every truth `[cycles + 1][layout.count]`.
  public let truths: [[Double]]
  /// Observations of times 1 to `cycles` of a truth, for the ensemble's `run`-th run; empty sets where there are none.
  public let observations: (_ truth: Int, _ run: Int) -> [ObservationSet]
  /// The members at time 0 of a truth (`[member][layout.count]`).
  public let start: (_ truth: Int) throws -> [[Double]]

  /// Twin experiments; see the properties.
  public init(
    base: any AnalysisBase, distribution: Distribution, communicator: Communicator, cycles: Int, truths: [[Double]],
    observations: @escaping (_ truth: Int, _ run: Int) -> [ObservationSet],
    start: @escaping (_ truth: Int) throws -> [[Double]]
  ) {
    (self.base, self.distribution, self.communicator) = (base, distribution, communicator)
    (self.cycles, self.truths, self.observations, self.start) = (cycles, truths, observations, start)
  }
}
