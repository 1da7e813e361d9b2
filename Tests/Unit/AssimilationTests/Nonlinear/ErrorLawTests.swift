import DaunceAssimilation
import DaunceNumerics
import DaunceState
import Foundation
import TestSupport
import Testing

/// Likelihoods of errors that are not normal, and particles that are drawn given the observations.
@Suite struct ErrorLawTests {
  /// As densities of y they have the integral, mean and variance that they say.
  @Test(arguments: ErrorLaw.allCases, [0.4, 1.7])
  func likelihoodsAreDensitiesOfTheirMoments(law: ErrorLaw, mean: Double) {
    let (variance, step) = (0.3, 1e-3)
    let origin = law == .lognormal ? step : mean - 20
    var (total, first, second) = (0.0, 0.0, 0.0)
    for i in 0..<60_000 {
      let y = origin + step * Double(i)
      // What does not depend on h is left out: 1 / y of the lognormal density.
      let share = law == .lognormal ? 1 / y : 1
      let density = share * exp(law.logLikelihood(of: y, departure: y - mean, variance: variance))
      total += density
      first += density * y
      second += density * y * y
    }
    #expect(abs(first / total / mean - 1) < 1e-3)
    #expect(abs((second / total - mean * mean) / variance - 1) < 0.02)
    let constant = total * step
    let expected = law == .laplace ? (2 * variance).squareRoot() : law == .gaussian ? (2 * .pi * variance).squareRoot() : (2 * .pi).squareRoot()
    #expect(abs(constant / expected - 1) < 1e-3)
  }

  @Test func theImpossibleHasNoLikelihood() {
    #expect(ErrorLaw.lognormal.logLikelihood(of: 1, departure: 1, variance: 0.1) == -.infinity)
    #expect(ErrorLaw.lognormal.logLikelihood(of: -1, departure: -2, variance: 0.1) == -.infinity)
  }

  /// The share of an observation is an exponent of its likelihood.
  @Test(arguments: ErrorLaw.allCases)
  func sharesAreExponents(law: ErrorLaw) {
    let whole = ObservationError(variance: 0.3, law: law, observed: 1.4)
    let part = ObservationError(variance: 0.3, law: law, observed: 1.4, share: 0.25)
    #expect(abs(part.logLikelihood(departure: 0.9) - 0.25 * whole.logLikelihood(departure: 0.9)) < 1e-12)
  }

  /// Particles of a normal prior, spread evenly over its quantiles.
  private static let prior: [Double] = (0..<400).map { i in
    let share = (Double(i) + 0.5) / 400
    return share < 0.5 ? -StandardNormal.upperQuantile(share) : StandardNormal.upperQuantile(1 - share)
  }

  /// The posterior's mean for an observation y with an error of sd 1, by quadrature; with a normal error it is y / 2.
  private static func exactMean(_ law: ErrorLaw, _ y: Double = 3) -> Double {
    var (total, sum) = (0.0, 0.0)
    for i in 0..<16_000 {
      let x = -8 + 1e-3 * Double(i)
      let w = exp(-0.5 * x * x + law.logLikelihood(of: y, departure: y - x, variance: 1))
      total += w
      sum += w * x
    }
    return sum / total
  }

  @Test func weightsKnowTheLaw() {
    let members = Self.prior.count
    for (law, difference) in [(ErrorLaw.gaussian, 0.0), (.laplace, 0.1)] {
      let problem = ObservedProblem(members: members)
      var row = Self.prior
      while row.count < problem.stride { row.append(0) }
      problem.add(row, innovation: 3, error: ObservationError(variance: 1, law: law, observed: 3))
      var logarithms = [Double](repeating: 0, count: members)
      problem.addLogLikelihood(to: &logarithms)
      var weights = ParticleWeights(members: members)
      weights.take(logarithms: logarithms)
      let mean = zip(weights.values, Self.prior).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(mean - Self.exactMean(law)) < 0.02, "\(law)")
      #expect(abs(mean - 1.5) >= difference)
    }
  }

  /// Laws of priors that fit a normal one move members to the posterior of the error's law.
  @Test(arguments: [PriorLawKind.normal, .kernelDensity, .rankHistogram], [ErrorLaw.laplace, .lognormal])
  func quantilesKnowTheLaw(kind: PriorLawKind, error: ErrorLaw) {
    let values = Self.prior
    let law = kind.make(members: values.count)
    let y = error == .laplace ? 3 : 0.3
    var moved = values
    values.withUnsafeBufferPointer { values in
      moved.withUnsafeMutableBufferPointer { moved in
        guard let from = values.baseAddress, let to = moved.baseAddress else { return }
        law.fit(from, members: values.count, bounds: QuantityBounds())
        let scores = values.map { law.score(of: $0) }
        law.assimilate(
          y, error: ObservationError(variance: 1, law: error, observed: y), scores: scores, into: to,
          members: values.count, by: ScorePosterior())
      }
    }
    let mean = moved.reduce(0, +) / Double(moved.count)
    // Beyond the members priors differ in their tails.
    #expect(abs(mean - Self.exactMean(error, y)) < 0.06, "\(mean) \(Self.exactMean(error, y))")
    #expect(abs(mean - y / 2) > 0.1)
  }

  /// Moments of the mixture of two forecasts with noise, given two observations, by numerical integration; and the same bits on
  /// any number of ranks.
  @Test func optimalProposalsAreThePosterior() throws {
    let exact = [0.95418917, 0.63836105, 0.11183968, 0.03154452, 0.07812794]
    var known: String?
    for ranks in 1...3 {
      let job = try mpirun(ranks: ranks, executable: "AssimilationProbe", arguments: ["proposal", "16000"])
      try #require(job.status == 0, "\(job.stderr)")
      let moments = try #require(job.value("moments")).split(separator: " ").compactMap { Double($0) }
      for (found, expected) in zip(moments, exact) { #expect(abs(found - expected) < 0.01, "\(moments)") }
      #expect(moments.count == 5)
      #expect(known == nil || job.value("digest") == known)
      known = job.value("digest")
    }
  }
}
