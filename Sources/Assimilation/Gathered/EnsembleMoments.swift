public import DaunceObservations

/// What a serial filter needs to know of an ensemble that is not in one place: mean, variances, and the covariances of
/// every element with the observed ones. All with divisor N - 1. Behind the state's elements come h(x) of observations
/// of anything else.
public struct EnsembleMoments: Sendable, Hashable {
  /// `[element]`
  public var mean: [Double]
  /// `[element]`
  public var variance: [Double]
  /// Covariance of every element with the element of every observation (`[observation][element]`).
  public var covariance: [Double]

  /// Mean and variance (`[element]`), and covariances (`[observation][element]`).
  public init(mean: [Double], variance: [Double], covariance: [Double]) {
    precondition(variance.count == mean.count)
    self.mean = mean
    self.variance = variance
    self.covariance = covariance
  }

  /// Moments of an ensemble of states in memory (`[member][element]`), extended by h(x) of observations of anything else
  /// than an element, summed in member order.
  public init(of states: Span<Double>, members: Int, observing network: ObservationNetwork) {
    let ensemble = EnsembleAnomalies(elements: states.count / members)
    let extended = StateExtension(network, stateCount: ensemble.stateCount)
    ensemble.split(states, members: members, extended)
    let n = extended.count
    mean = Array(ensemble.mean[..<n])
    variance = [Double](repeating: 0, count: n)
    covariance = [Double](repeating: 0, count: n * network.count)
    let divisor = Double(members - 1)
    for m in 0..<members {
      let row = m * n
      for i in 0..<n { variance[i] += ensemble.anomalies[row + i] * ensemble.anomalies[row + i] / divisor }
      for (k, j) in extended.elements.enumerated() {
        let y = ensemble.anomalies[row + j] / divisor
        for i in 0..<n { covariance[k * n + i] += ensemble.anomalies[row + i] * y }
      }
    }
  }
}
