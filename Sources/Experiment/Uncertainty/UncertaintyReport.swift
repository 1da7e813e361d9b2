import DaunceNumerics
import DaunceUncertainty
import Foundation

/// What a person wants to see of predictive laws first: where the variance comes from, and how well the laws fit what was
/// found.
struct UncertaintyReport {
  private let problem: TableProblem
  private let predictions: [FundamentalEquation.Prediction]
  private let header: [String]
  /// Method by method, the full account first; by output. Empty where the new rows' outputs are not known.
  private let scores: [(method: String, scores: [Calibration.Scores])]

  init(
    _ problem: TableProblem, _ rows: PredictedRows, usual: [UsualRows], ensemble: NetworkEnsemble, gain: Float,
    law: (width: Double, factors: [Double])
  ) {
    (self.problem, predictions) = (problem, rows.predictions)
    let networks =
      ensemble.trainingDraws > 1
      ? "\(ensemble.trainingDraws) draws of the training rows x \(ensemble.weightDraws) networks" : "\(ensemble.weightDraws) networks"
    let width = law.width.isFinite ? String(format: "by a kernel of width %g", law.width) : "all alike"
    let sizes = usual.compactMap { one in one.effectiveSize.map { "\(one.name) \(String(format: "%.2f", $0))" } }
    header = [
      "\(networks) of gain \(gain), \(problem.training.count) training and \(problem.testing.count) testing rows, \(problem.new.count) new ones",
      "testing residuals weighted \(width), times \(law.factors.map { String(format: "%.3f", $0) }.joined(separator: " "))",
    ] + (sizes.isEmpty ? [] : ["effective numbers of networks: \(sizes.joined(separator: ", "))"])
    let laws = [("full", rows.predictions.map(\.samples))] + usual.map { ($0.name, $0.samples) }
    scores = problem.found == nil ? [] : laws.map { ($0.0, Self.scores(problem, $0.1)) }
  }

  /// By output.
  private static func scores(_ problem: TableProblem, _ samples: [[[Double]]]) -> [Calibration.Scores] {
    guard let found = problem.found else { return [] }
    let q = problem.outputs.count
    return problem.outputs.indices.compactMap { o in
      var calibration = Calibration()
      for (row, own) in samples.enumerated() {
        let k = row * q + o
        // What was found was measured with an error, which its prediction has to allow for.
        let noise = RandomStream(seed: 0, purpose: .predictiveDraw, member: row, cycle: 1 + o)
        let law = own[o].enumerated().map { i, x in
          problem.outputs[o].working(x) + (found.error[k] > 0 ? found.error[k] * noise.normal(at: i) : 0)
        }
        calibration.add(law, truth: found.y[k])
      }
      return calibration.scores
    }
  }

  /// Several lines.
  var text: String {
    var lines = header
    let names = Source.allCases.map(\.name) + ["interaction"]
    lines += ["", Columns.row(["variance", "total"] + names)]
    for (o, variable) in problem.outputs.enumerated() {
      let own = predictions.map { $0.variances[o] }
      let total = own.reduce(0) { $0 + $1.total }
      let parts = Source.allCases.map { s in own.reduce(0) { $0 + $1.parts[s.rawValue] } }
      let shares = (parts + [total - parts.reduce(0, +)]).map { String(format: "%.1f %%", 100 * $0 / total) }
      lines.append(Columns.row([variable.name, String(format: "%.4g", total / Double(own.count))] + shares))
    }
    guard !scores.isEmpty else { return lines.joined(separator: "\n") }
    for (o, variable) in problem.outputs.enumerated() {
      lines += ["", Columns.row([variable.name, "50 % holds", "80 % holds", "95 % holds", "CRPS", "reliability", "resolution", "80 % width"])]
      for (method, own) in scores {
        let s = own[o]
        lines.append(
          Columns.row(
            [method] + s.coverage.map { String(format: "%.1f %%", 100 * $0) }
              + [s.crps, s.reliability, s.resolution, s.width[1]].map { String(format: "%.4f", $0) }))
      }
    }
    lines.append(
      "CRPS and widths are over the training values' standard deviation"
        + (problem.outputs.contains(where: \.isLogarithmic) ? ", that of their logarithms where these are worked with" : ""))
    return lines.joined(separator: "\n")
  }

  /// Scores by method and output; `nil` where the new rows' outputs are not known.
  var json: JSON? {
    guard !scores.isEmpty else { return nil }
    var methods: [String: JSON] = [:]
    for (method, own) in scores {
      var outputs: [String: JSON] = [:]
      for (variable, s) in zip(problem.outputs, own) {
        outputs[variable.name] = .object(s.json)
      }
      methods[method] = .object(outputs)
    }
    let variables = Dictionary(
      uniqueKeysWithValues: problem.outputs.map {
        ($0.name, JSON.object(["is_logarithmic": .flag($0.isLogarithmic), "unit": .number($0.unit)]))
      })
    return .object(["methods": .object(methods), "outputs": .object(variables)])
  }
}

extension Calibration.Scores {
  /// As scores.json has them.
  var json: [String: JSON] {
    func numbers(_ values: [Double]) -> JSON { .array(values.map { .number($0) }) }
    return [
      "cases": .integer(count), "intervals": numbers(Calibration.intervals), "coverage": numbers(coverage),
      "width": numbers(width), "crps": .number(crps), "reliability": .number(reliability), "resolution": .number(resolution),
      "uncertainty": .number(uncertainty), "bias": .number(bias), "rmse": .number(rmse), "spread": .number(spread),
      "pit": .integers(pit),
    ]
  }
}
