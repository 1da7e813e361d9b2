import DaunceNetworks

/// What a trained network is worth among others: a trained ensemble is a sample from a proposal, and its networks' weights are
/// beta_i ~ p(rows | w_i) p(w_i) / q(w_i), with rows that no network was trained on.
struct NetworkEvidence {
  /// Log-likelihood of the rows, logarithm of the prior density, and of the density of a normal law about the minimum that
  /// training ends in (Laplace; MacKay 1992).
  let likelihood, prior, proposal: Double

  /// - Parameters:
  ///   - trainedOn: rows of the training.
  ///   - testing: other rows.
  init(_ network: Network, prior: WeightPrior, trainedOn: RegressionRows, testing: RegressionRows) {
    likelihood = WeightPosterior(testing, prior: prior).logLikelihood(network)
    self.prior = prior.logDensity(network)
    let information = WeightInformation(network)
    WeightPosterior(trainedOn, prior: prior).add(to: information, at: network)
    proposal = information.logDensityAtCentre(prior: prior, factor: 1)
  }

  /// Logarithm of the importance weight, but for a constant.
  var logarithm: Double { likelihood + prior - proposal }
}
