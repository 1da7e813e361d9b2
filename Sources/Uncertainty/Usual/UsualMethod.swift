public import DaunceMPI
public import DaunceNetworks
public import DaunceNumerics

/// A usual way of giving a learned prediction an uncertainty, to hold the fundamental equation against. A new one is a file
/// with a type like this and a line in `UsualMethods.all`.
public protocol UsualMethod: Sendable {
  /// As files and options have it.
  static var name: String { get }
  /// Number of networks that are trained.
  static func networks(of settings: UsualSettings) -> Int
  /// Trains network number `k`.
  static func train(_ k: Int, _ school: UsualSchool) -> Network
  /// Whether networks, once trained, have weights of their own, or move, by what testing rows say of them.
  static var usesEvidence: Bool { get }
  /// What becomes of the networks, with weights of sum 1.
  ///
  /// - Parameter logarithms: of importance weights, but for a constant.
  static func weigh(_ networks: [Network], _ school: UsualSchool, logarithms: [Double]) -> ([Network], [Double])
  /// Whether networks, once trained, are trained on together.
  static var trainsTogether: Bool { get }
  /// What becomes of them.
  static func together(_ networks: [Network], _ school: UsualSchool) -> [Network]
  /// Samples of the predictive law at single inputs.
  ///
  /// - Parameters:
  ///   - x: inputs in working numbers (`[input]`).
  ///   - stream: of this input.
  /// - Returns: `[draw][output]` in working numbers, always as many draws.
  static func samples(at x: [Double], _ networks: [Network], _ school: UsualSchool, stream: RandomStream) -> [[Double]]
}

extension UsualMethod {
  /// No.
  public static var usesEvidence: Bool { false }
  /// The same networks, all alike.
  public static func weigh(_ networks: [Network], _ school: UsualSchool, logarithms: [Double]) -> ([Network], [Double]) {
    (networks, networks.map { _ in 1 / Double(networks.count) })
  }
  /// No.
  public static var trainsTogether: Bool { false }
  /// The same networks.
  public static func together(_ networks: [Network], _ school: UsualSchool) -> [Network] { networks }
}

/// What the usual methods are given.
public struct UsualSettings: Sendable, Hashable {
  /// Networks of bagging and of a deep ensemble.
  public var networks = 20
  /// Share of hidden units that dropout leaves out.
  public var dropout = 0.1
  /// Samples of methods whose laws are no list of networks.
  public var samples = 1000

  /// The settings that the properties show.
  public init() {}
}

/// All usual methods.
public enum UsualMethods {
  /// In the order of reports.
  public static let all: [any UsualMethod.Type] = [
    CostMinimum.self, Bagging.self, DeepEnsemble.self, MonteCarloDropout.self, ImportanceWeights.self, TemperedWeights.self,
    TransportedWeights.self, SteinFlow.self,
  ]

  /// The method of a name.
  public static func named(_ name: String) -> (any UsualMethod.Type)? { all.first { $0.name == name } }
}

/// Rows and settings that usual methods train networks with. They take the tables for exact, as is usual.
public struct UsualSchool: Sendable {
  /// Of the methods.
  public let usual: UsualSettings
  let ensemble: EnsembleSettings
  let rows: RegressionRows
  let prior: WeightPrior
  /// Of the networks, of sum 1; filled in.
  var weights: [Double] = []
  /// Variance of the testing rows' residuals by output, of one least-squares network; filled in where a method asks for it.
  var residualVariances: [Double] = []

  /// - Parameter rows: the training table.
  public init(_ usual: UsualSettings, _ ensemble: EnsembleSettings, rows: MeasuredRows) {
    (self.usual, self.ensemble, self.rows) = (usual, ensemble, rows.regression)
    prior = ensemble.prior(inputs: rows.inputs, outputs: rows.outputs)
  }

  /// A network from initial weights of its own to a minimum of the cost function.
  func train(_ regression: Regression, on rows: RegressionRows, number: Int) -> Network {
    let seed = ensemble.seed
    // Numbers of their own: no network of the full account starts from there.
    let member = 2_000_000 + number
    var network = prior.draw(RandomStream(seed: seed, purpose: .weightPrior, member: member))
    regression.train(
      &network, on: rows, prior: prior, stream: RandomStream(seed: seed, purpose: .regressionOrder, member: member))
    return network
  }

  var regression: Regression { ensemble.regression }
}

/// One usual method with its networks.
public struct TrainedUsualMethod: Sendable {
  /// The method's name.
  public let name: String
  /// Effective number of the networks, where they have weights.
  public let effectiveSize: Double?
  private let method: any UsualMethod.Type
  private let networks: [Network]
  private let school: UsualSchool

  /// Trains the networks. Collective.
  public init(
    _ method: any UsualMethod.Type, _ school: UsualSchool, testing: MeasuredRows, keeper: any WorkKeeper,
    communicator: Communicator
  ) throws {
    (self.method, name) = (method, method.name)
    let count = school.prior.deviations.count
    let trained = try keeper.complete(method.name, count: method.networks(of: school.usual), width: count, on: communicator) {
      method.train($0, school).parameters.map { Double($0) }
    }
    var networks = (0..<method.networks(of: school.usual)).compactMap { k in
      Network(sizes: school.prior.sizes, parameters: trained[k].map { Float($0) })
    }
    if method.trainsTogether {
      let moved = try keeper.complete(
        "\(method.name) together", count: 1, width: networks.count * count, on: communicator
      ) { [networks] _ in method.together(networks, school).flatMap { $0.parameters.map { Double($0) } } }
      networks = networks.indices.compactMap { k in
        Network(sizes: school.prior.sizes, parameters: moved.values[k * count..<(k + 1) * count].map { Float($0) })
      }
    }
    var logarithms = networks.map { _ in 0.0 }
    if method.usesEvidence {
      let rows = testing.regression
      let evidence = try keeper.complete(
        "evidence of \(method.name)", count: networks.count, width: 1, on: communicator
      ) { [networks] in
        [NetworkEvidence(networks[$0], prior: school.prior, trainedOn: school.rows, testing: rows).logarithm]
      }
      logarithms = evidence.values
    }
    var school = school
    (self.networks, school.weights) = method.weigh(networks, school, logarithms: logarithms)
    effectiveSize = method.usesEvidence ? 1 / school.weights.reduce(0) { $0 + $1 * $1 } : nil
    let missed = self.networks[0].moments(at: testing.x, RowEvaluator(self.networks[0])).location
    school.residualVariances = (0..<testing.outputs).map { o in
      (0..<testing.count).reduce(0.0) { sum, row in
        let d = testing.y[row * testing.outputs + o] - missed[row * testing.outputs + o]
        return sum + d * d / Double(testing.count)
      }
    }
    self.school = school
  }

  /// Samples at row `k` in the outputs' own units, `[output][draw]`.
  public func samples(_ rows: MeasuredRows, row k: Int, outputs: [Variable]) -> [[Double]] {
    let x = Array(rows.x[k * rows.inputs..<(k + 1) * rows.inputs])
    let stream = RandomStream(seed: school.ensemble.seed, purpose: .predictiveDraw, member: k, cycle: 1000)
    let draws = method.samples(at: x, networks, school, stream: stream)
    return outputs.enumerated().map { o, variable in draws.map { variable.value($0[o]) } }
  }
}
