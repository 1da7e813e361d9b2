public import DaunceMPI
import DaunceNetworks

extension EnsembleSettings {
  /// Gains of hidden layers that are tried: from bent to nearly linear.
  package static let triedGains: [Float] = [1, 0.5, 0.25, 0.125]
  /// Networks that each of them is tried with.
  private static let pilots = 8

  /// These settings with a gain of the hidden layers: the one under which the testing rows are most likely, each given the
  /// others, by a few networks on the training rows as they were measured. Collective.
  public func choosingGain(
    training: MeasuredRows, testing: MeasuredRows, keeper: any WorkKeeper, communicator: Communicator
  ) throws -> EnsembleSettings {
    guard hiddenGain == nil else { return self }
    let schools = Self.triedGains.map { gain in
      var settings = self
      settings.hiddenGain = gain
      return NetworkSchool(settings, inputs: training.inputs, outputs: training.outputs)
    }
    let rows = training.regression
    let count = schools[0].prior.deviations.count
    let trained = try keeper.complete(
      "priors", count: schools.count * Self.pilots, width: count, on: communicator
    ) { schools[$0 / Self.pilots].network(3_000_000 + $0 % Self.pilots, on: rows).parameters.map { Double($0) } }
    let likelihoods = schools.indices.map { k in
      let networks = (0..<Self.pilots).compactMap { n in
        Network(sizes: schools[k].prior.sizes, parameters: trained[k * Self.pilots + n].map { Float($0) })
      }
      return TestingResiduals(testing, networks: networks, draws: 1, seed: seed, asMeasured: true).likelihood
    }
    let best = likelihoods.indices.max { likelihoods[$0] < likelihoods[$1] } ?? 0
    return schools[best].settings
  }
}
