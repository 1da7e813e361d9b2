import DaunceArchive
import DaunceMPI
import DaunceUncertainty

/// What was predicted for all new rows, on every rank.
struct PredictedRows {
  /// By row.
  let predictions: [FundamentalEquation.Prediction]

  /// Predicts all rows, spread over the ranks. Collective.
  init(
    _ equation: FundamentalEquation, _ problem: TableProblem, _ configuration: UncertaintyConfiguration,
    keeper: CheckpointKeeper, communicator: Communicator
  ) throws {
    let shape = Shape(outputs: problem.outputs.count, configuration.prediction)
    let rows = problem.new.count
    let pieces = try keeper.complete("predictions", count: rows, width: shape.width, on: communicator) {
      shape.flatten(equation.predict(problem.new, row: $0))
    }
    predictions = (0..<rows).map { shape.unflatten(pieces[$0]) }
  }

  /// A prediction's numbers one after the other.
  private struct Shape {
    let outputs, samples, probabilities, points: Int

    init(outputs: Int, _ settings: UncertaintyConfiguration.Prediction) {
      self.outputs = outputs
      (samples, probabilities, points) = (settings.samples, settings.probabilities.count, settings.points)
    }

    private var each: Int { Source.allCases.count + 2 + samples + probabilities + 2 * points }
    var width: Int { outputs * each }

    func flatten(_ prediction: FundamentalEquation.Prediction) -> [Double] {
      var numbers: [Double] = []
      for o in 0..<outputs {
        let variance = prediction.variances[o]
        numbers.append(variance.mean)
        numbers += variance.parts
        numbers.append(variance.interaction)
        for part in [prediction.samples, prediction.quantiles, prediction.values, prediction.density] { numbers += part[o] }
      }
      return numbers
    }

    func unflatten(_ numbers: [Double]) -> FundamentalEquation.Prediction {
      var prediction = FundamentalEquation.Prediction()
      var next = 0
      func take(_ count: Int) -> [Double] {
        defer { next += count }
        return Array(numbers[next..<next + count])
      }
      for _ in 0..<outputs {
        let (mean, parts, interaction) = (take(1)[0], take(Source.allCases.count), take(1)[0])
        prediction.variances.append(VarianceBySource(mean: mean, parts: parts, interaction: interaction))
        prediction.samples.append(take(samples))
        prediction.quantiles.append(take(probabilities))
        prediction.values.append(take(points))
        prediction.density.append(take(points))
      }
      return prediction
    }
  }

  /// As a file.
  func file(_ problem: TableProblem, _ configuration: UncertaintyConfiguration) -> PredictionFile {
    var file = PredictionFile(
      outputs: zip(problem.outputs, problem.outputUnits).map { ($0.name, $1) },
      inputs: problem.inputs.indices.map { (problem.inputs[$0].name, problem.inputUnits[$0], problem.newValues[$0]) },
      sources: Source.allCases.map(\.name), probabilities: configuration.prediction.probabilities)
    let variances = predictions.flatMap(\.variances)
    file.mean = variances.map(\.mean)
    file.variance = variances.map(\.total)
    file.varianceBySource = Source.allCases.flatMap { source in variances.map { $0.parts[source.rawValue] } }
    file.interaction = variances.map(\.interaction)
    file.quantile = predictions.flatMap { $0.quantiles.flatMap { $0 } }
    file.sample = predictions.flatMap { $0.samples.flatMap { $0 } }
    file.value = predictions.flatMap { $0.values.flatMap { $0 } }
    file.density = predictions.flatMap { $0.density.flatMap { $0 } }
    return file
  }
}
