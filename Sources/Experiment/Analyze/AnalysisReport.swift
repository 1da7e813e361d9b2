import DaunceObservations
import DaunceState
import Foundation

/// What `analyze` tells its user.
struct AnalysisReport {
  private let problem: AnalyzeStage.Problem
  private let configuration: AnalysisConfiguration

  init(_ problem: AnalyzeStage.Problem, configuration: AnalysisConfiguration) {
    self.problem = problem
    self.configuration = configuration
  }

  /// For `--check`: what would be done.
  func plan(memory: Int) -> String {
    var lines = ["\(configuration.method.rawValue), \(problem.members) members, \(problem.layout.count) values each"]
    for (number, field) in problem.layout.fields.enumerated() {
      let grid = problem.layout.grid(number)
      let shape = grid.dimensions.map { "\($0.name) = \($0.length)" }.joined(separator: ", ")
      let place = grid.hasPlaces ? "" : ", without a place"
      lines.append("field \(field.name) [\(field.units)]: \(shape.isEmpty ? "a single value" : shape)\(place)")
    }
    let axes = problem.layout.geometry.axes.map { axis in
      "\(axis.name) [\(axis.units)]\(axis.period.map { ", period \(Self.number($0))" } ?? "")"
    }
    lines.append("axes: \(axes.isEmpty ? "none" : axes.joined(separator: "; "))")
    lines += observationLines(problem.observations.flags)
    lines.append(String(format: "memory of a rank: about %.0f MB", Double(memory) / 1e6))
    return lines.joined(separator: "\n")
  }

  /// What was done.
  func summary(_ outcome: AnalysisOutcome, flags: [QualityFlag]) -> String {
    let layout = problem.layout
    var lines = [
      "\(configuration.method.rawValue): \(problem.members) members, \(layout.fields.map(\.name).joined(separator: ", ")), "
        + "\(layout.count) values, \(outcome.reached) of them in reach of an observation"
    ]
    lines += observationLines(flags)
    if outcome.missing > 0 { lines.append("\(outcome.missing) values in reach are missing in some member and were left alone") }
    if outcome.outside > 0 { lines.append("\(outcome.outside) analysed values were outside of their bounds and were set to them") }
    if !problem.conserved.isEmpty { lines.append("sums kept to \(Self.number(outcome.residual)) of their size") }
    if !outcome.used.isEmpty, !outcome.analysisValues.isEmpty {
      for (kind, name) in problem.observations.kinds.enumerated() {
        let forecast = departures(outcome, outcome.forecastValues, kind: kind)
        let analysis = departures(outcome, outcome.analysisValues, kind: kind)
        guard forecast.count > 0 else { continue }
        lines.append(
          "\(name): observation minus forecast \(forecast.text), minus analysis \(analysis.text) (mean, root mean square, "
            + "\(forecast.count) observations)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func observationLines(_ flags: [QualityFlag]) -> [String] {
    let observations = problem.observations
    return observations.kinds.enumerated().map { kind, name in
      let own = observations.kind.indices.filter { observations.kind[$0] == Int32(kind) }
      let parts = QualityFlag.allCases.compactMap { flag -> String? in
        let count = own.count { flags[$0] == flag }
        return count > 0 ? "\(count) \(flag.name)" : nil
      }
      return "observations of \(name): \(parts.joined(separator: ", "))"
    }
  }

  /// Mean and root mean square of y - mean h(x) over the used observations of a kind.
  private func departures(_ outcome: AnalysisOutcome, _ values: [Double], kind: Int) -> (text: String, count: Int) {
    let observations = problem.observations
    let count = observations.rows.count
    let used = Set(outcome.used)
    var (sum, squares, number) = (0.0, 0.0, 0)
    for (k, observation) in observations.candidates.enumerated()
    where observations.kind[observation] == Int32(kind) && used.contains(observation) {
      var mean = 0.0
      for m in 0..<problem.members { mean += values[m * count + k] }
      let departure = observations.values[observation] - mean / Double(problem.members)
      // What h(x) of the analysis is of values that a file gave, nobody knows.
      guard departure.isFinite else { continue }
      sum += departure
      squares += departure * departure
      number += 1
    }
    guard number > 0 else { return ("", 0) }
    let share = Double(number)
    return ("\(Self.number(sum / share)), \(Self.number((squares / share).squareRoot()))", number)
  }

  private static func number(_ value: Double) -> String { String(format: "%.4g", value) }
}
