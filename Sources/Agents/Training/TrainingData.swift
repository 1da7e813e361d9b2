public import DaunceObservations

/// What agents are trained on: simulated truths, their observations and the members' histories under the reference
/// filter. Truths and observations are the same on every rank; histories are the local members' own.
public struct TrainingData: Sendable {
  /// Elements of a state.
  public let stateCount: Int
  /// Observation times per truth; time 0 is the initial one, which has no observation.
  public let cycles: Int
  /// True states: for every truth `[cycles + 1][count]`.
  public let truths: [[Double]]
  /// For every truth the observations of times 1 to `cycles`.
  public let observations: [[ObservationSet]]
  /// Analyses of the reference filter: `[local member][truth]`, each `[cycles + 1][count]`, or fewer where it failed.
  public let histories: [[[Double]]]

  /// Data of equally long truths; see the properties for shapes.
  public init(
    stateCount: Int, cycles: Int, truths: [[Double]], observations: [[ObservationSet]], histories: [[[Double]]]
  ) {
    self.stateCount = stateCount
    self.cycles = cycles
    self.truths = truths
    self.observations = observations
    self.histories = histories
  }
}
