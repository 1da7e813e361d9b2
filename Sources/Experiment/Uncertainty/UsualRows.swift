import DaunceArchive
import DaunceMPI
import DaunceUncertainty

/// What one usual method predicted for all new rows, on every rank.
struct UsualRows {
  let name: String
  /// Effective number of networks, where these have weights.
  let effectiveSize: Double?
  /// By row, `[output][draw]`.
  let samples: [[[Double]]]

  /// Predicts all rows, spread over the ranks. Collective.
  init(_ method: TrainedUsualMethod, _ problem: TableProblem, keeper: CheckpointKeeper, communicator: Communicator) throws {
    (name, effectiveSize) = (method.name, method.effectiveSize)
    let outputs = problem.outputs.count
    let width = method.samples(problem.new, row: 0, outputs: problem.outputs).reduce(0) { $0 + $1.count }
    let pieces = try keeper.complete(
      "predictions by \(method.name)", count: problem.new.count, width: width, on: communicator
    ) { method.samples(problem.new, row: $0, outputs: problem.outputs).flatMap { $0 } }
    let draws = width / outputs
    samples = (0..<problem.new.count).map { row in
      let all = pieces[row]
      return (0..<outputs).map { Array(all[$0 * draws..<($0 + 1) * draws]) }
    }
  }

  /// As a file.
  static func file(
    _ methods: [UsualRows], _ problem: TableProblem, _ configuration: UncertaintyConfiguration
  ) -> ComparisonFile {
    let probabilities = configuration.prediction.probabilities
    return ComparisonFile(
      outputs: zip(problem.outputs, problem.outputUnits).map { ($0.name, $1) }, probabilities: probabilities,
      methods: methods.map { method in
        let laws = method.samples.flatMap { $0 }
        let means = laws.map { $0.reduce(0, +) / Double($0.count) }
        return ComparisonFile.Method(
          name: method.name, mean: means,
          variance: zip(laws, means).map { law, mean in
            law.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, law.count - 1))
          },
          quantile: laws.flatMap { law in
            let sorted = law.sorted()
            return probabilities.map { FundamentalEquation.quantile(sorted, $0) }
          },
          sample: laws.flatMap { $0 }, draws: laws.first?.count ?? 0)
      })
  }
}
