public import DaunceMPI
public import DaunceNetworks
import DaunceNumerics

/// How an ensemble of networks is made.
public struct EnsembleSettings: Sendable, Hashable {
  /// Units of the hidden layers.
  public var hidden = [16, 16]
  /// Draws of the true training rows, where these have errors; else one.
  public var trainingDraws = 10
  /// Networks of each draw.
  public var networks = 10
  /// How often a draw of the training rows and a network trained on it follow each other.
  public var rounds = 3
  /// Gain of the prior of locations and of logarithms of scales.
  public var locationGain: Float = 2
  public var scaleGain: Float = 0.5
  /// Gain of the prior of hidden layers; `nil`: chosen by the testing rows.
  public var hiddenGain: Float?
  /// Of every network's training.
  public var regression = Regression()
  /// Paths of Hamiltonian Monte Carlo from a trained network to one of the ensemble; 0: trained networks are taken.
  public var paths = 0
  /// Of all random numbers.
  public var seed: UInt64 = 1

  /// The settings that the properties show.
  public init() {}

  /// The prior of networks of this shape.
  public func prior(inputs: Int, outputs: Int) -> WeightPrior {
    WeightPrior(
      sizes: [inputs] + hidden + [2 * outputs],
      outputGains: [Float](repeating: locationGain, count: outputs) + [Float](repeating: scaleGain, count: outputs),
      hiddenGain: hiddenGain ?? 1)
  }
}

/// Networks trained on draws of the true training rows: crossed, so that a network's number stands for the same draw of
/// prior weights and perturbations, whichever training rows it was trained on.
public struct NetworkEnsemble: Sendable {
  /// Draws of the training rows.
  public let trainingDraws: Int
  /// Networks of each.
  public let weightDraws: Int
  /// `[training draw][weight draw]`.
  public let networks: [Network]

  /// Trains all of them. Collective.
  public init(
    _ settings: EnsembleSettings, rows: MeasuredRows, keeper: any WorkKeeper, communicator: Communicator
  ) throws {
    let hasErrors = rows.hasErrors
    let draws = hasErrors ? settings.trainingDraws : 1
    // As many networks where nothing has to be drawn of the training rows.
    let each = hasErrors ? settings.networks : settings.networks * settings.trainingDraws
    let school = NetworkSchool(settings, inputs: rows.inputs, outputs: rows.outputs)
    var tables = [rows.regression]
    if hasErrors {
      let posterior = RowPosterior(rows)
      let width = rows.x.count + rows.y.count
      let drawn = try keeper.complete("training rows", count: draws, width: width, on: communicator) {
        school.truth(of: rows, posterior, draw: $0)
      }
      tables = (0..<draws).map { c in
        let values = drawn[c].map { Float($0) }
        return RegressionRows(
          inputs: rows.inputs, outputs: rows.outputs, x: Array(values[..<rows.x.count]),
          y: Array(values[rows.x.count...]))
      }
    }
    let count = school.prior.deviations.count
    let trained = try keeper.complete("networks", count: draws * each, width: count, on: communicator) {
      school.draw($0 % each, on: tables[$0 / each]).parameters.map { Double($0) }
    }
    (trainingDraws, weightDraws) = (draws, each)
    networks = (0..<draws * each).compactMap { k in
      Network(sizes: school.prior.sizes, parameters: trained[k].map { Float($0) })
    }
  }
}

/// How single networks are trained.
struct NetworkSchool {
  let settings: EnsembleSettings
  let prior: WeightPrior

  init(_ settings: EnsembleSettings, inputs: Int, outputs: Int) {
    self.settings = settings
    prior = settings.prior(inputs: inputs, outputs: outputs)
  }

  /// A draw from the posterior of the weights given rows: the minimum about a draw from the prior, with perturbed targets.
  func network(_ number: Int, on rows: RegressionRows, from start: Network? = nil, steps: Int? = nil) -> Network {
    let seed = settings.seed
    let drawn = prior.draw(RandomStream(seed: seed, purpose: .weightPrior, member: number))
    let noise = RandomStream(seed: seed, purpose: .targetPerturbation, member: number)
    let target = Regression.Target(
      centre: drawn.parameters, perturbations: (0..<2 * rows.y.count).map { Float(noise.normal(at: $0)) })
    var network = start ?? drawn
    settings.regression.train(
      &network, on: rows, prior: prior, target: target,
      stream: RandomStream(seed: seed, purpose: .regressionOrder, member: number), steps: steps)
    return network
  }

  /// A network of the ensemble: such a draw, or where a chain from there ends.
  func draw(_ number: Int, on rows: RegressionRows) -> Network {
    let network = network(number, on: rows)
    guard settings.paths > 0 else { return network }
    let stream = RandomStream(seed: settings.seed, purpose: .weightChain, member: number)
    return HamiltonianMonteCarlo(paths: settings.paths)
      .draw(from: network, WeightPosterior(rows, prior: prior), prior: prior, stream: stream).network
  }

  /// A draw of the true rows: in turn, a network is trained on the rows as they are taken to be, and rows are drawn from
  /// their posterior given that network (data augmentation: Tanner & Wong 1987).
  func truth(of rows: MeasuredRows, _ posterior: RowPosterior, draw: Int) -> [Double] {
    // Networks of their own: none of the ensemble's.
    let number = 1_000_000 + draw
    var network = self.network(number, on: rows.regression)
    var drawn = rows
    for round in 0..<settings.rounds {
      let law = NetworkLaw([network])
      drawn = posterior.draw(
        law.rows, stream: RandomStream(seed: settings.seed, purpose: .trainingRows, member: draw, cycle: round))
      if round < settings.rounds - 1 {
        network = self.network(number, on: drawn.regression, from: network, steps: settings.regression.steps / 2)
      }
    }
    return drawn.x + drawn.y
  }
}
