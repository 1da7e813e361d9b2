import DaunceArchive
public import Foundation
import DaunceMPI
import DaunceModels
import DaunceNumerics
import DaunceState

/// Analyses in files against the truth in a file: errors of the mean, pattern correlation and spread.
public struct ScoreStage {
  let context: ExperimentContext
  let truth: URL
  let analyses: [URL]

  /// - Parameters:
  ///   - truth: file of a nature run.
  ///   - analyses: files of analyses.
  public init(_ context: ExperimentContext, truth: URL, analyses: [URL]) {
    self.context = context
    self.truth = truth
    self.analyses = analyses
  }

  /// One file's scores of one field, means over times after spin-up and over truths.
  private struct Row {
    var relativeRMSE = RunningScore()
    var normalisedRMSE = RunningScore()
    var correlation = RunningScore()
    var ratio = RunningScore()
  }

  /// A line for every file and field. Rank 0 alone reads; the other ranks return an empty text.
  public func run() throws -> String {
    try context.communicator.collectively { context.communicator.isRoot ? try table() : "" }
  }

  private func table() throws -> String {
    var lines = [
      columns(["file", "field", "RMSE/sd", "RMSE/sd(x)", "corr", "spread/error", "times"])
    ]
    for url in analyses {
      let file = try AnalysisFile(path: url.path, clock: context.clock)
      try check(file)
      for field in file.fields {
        guard let place = place(of: field) else {
          throw ExperimentError(
            .data, file.path, "variable \(field)_mean", found: "a field that \(context.model.name) does not have",
            expected: "analyses by the configured model (key model.name)")
        }
        var row = Row()
        for k in 0..<file.truthCount { try score(file, field, at: place, truth: k, into: &row) }
        func text(_ score: RunningScore, _ digits: Int) -> String {
          score.mean.map { String(format: "%.\(digits)f", $0) } ?? "-"
        }
        lines.append(
          columns([
            url.lastPathComponent, field, text(row.relativeRMSE, 4), text(row.normalisedRMSE, 4),
            text(row.correlation, 4), text(row.ratio, 3), "\(row.correlation.count)",
          ]))
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Refuses a file from which nothing, or something else, would be scored.
  private func check(_ file: AnalysisFile) throws {
    let spinUp = context.configuration.truths.spinupCycles
    guard file.times.count > spinUp else {
      throw ExperimentError(
        .data, file.path, found: "\(file.times.count) times",
        expected: "more than the \(spinUp) cycles of spin-up that are left out (key truths.spinup_cycles)")
    }
    let truths = try NatureFile.count(in: truth.path)
    guard file.truthCount <= truths else {
      throw ExperimentError(
        .data, file.path, found: "analyses of \(file.truthCount) truths",
        expected: "no more than the \(truths) of \(truth.path)")
    }
    for field in file.fields {
      guard let place = place(of: field) else { continue }
      let expected = cells(at: place)
      guard file.cells(of: field) == expected else {
        throw ExperimentError(
          .data, file.path, "variable \(field)_mean", found: "\(file.cells(of: field)) cells",
          expected: "\(expected) (key model.cells)")
      }
    }
  }

  private func score(
    _ file: AnalysisFile, _ field: String, at place: Place, truth k: Int, into row: inout Row
  ) throws {
    let nature = try NatureFile.read(
      truth.path, layout: context.layout, diagnostics: context.traits.diagnostics.map(\.name),
      truth: k, clock: context.clock)
    let (mean, spread) = (try file.mean(of: field, truth: k), try file.spread(of: field, truth: k))
    let n = cells(at: place)
    var pairs: [(mean: [Double], truth: [Double], variance: Double)] = []
    for (t, time) in file.times.enumerated() where t >= context.configuration.truths.spinupCycles {
      guard let s = nature.times.firstIndex(where: { abs($0 - time) < 1e-6 * max(1, abs(time)) }) else {
        throw ExperimentError(
          .data, "\(file.path): variable time: found \(time), expected a time of \(truth.path)")
      }
      let x = Array(mean[t * n..<(t + 1) * n])
      // A method that failed leaves its later analyses missing.
      guard x.allSatisfy(\.isFinite) else { break }
      let variance = (0..<n).reduce(0) { $0 + spread[t * n + $1] * spread[t * n + $1] } / Double(n)
      pairs.append((x, values(at: place, in: nature, time: s), variance))
    }
    guard !pairs.isEmpty else { return }
    let all = pairs.flatMap(\.truth)
    let centre = all.reduce(0, +) / Double(all.count)
    let deviation = (all.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(all.count)).squareRoot()
    var (errors, variances) = (0.0, 0.0)
    for pair in pairs {
      let error = rootMeanSquareError(pair.mean, truth: pair.truth)
      row.relativeRMSE.add(error / deviation)
      row.normalisedRMSE.add(normalisedRMSE(pair.mean, truth: pair.truth))
      row.correlation.add(patternCorrelation(pair.mean, truth: pair.truth))
      errors += error * error
      variances += pair.variance
    }
    row.ratio.add((variances / errors).squareRoot())
  }

  /// Where the truth has a field.
  private enum Place {
    case variable(Int)
    case diagnostic(Int)
  }

  private func place(of field: String) -> Place? {
    context.layout.fieldIndex(field).map { .variable($0) }
      ?? context.traits.diagnostics.firstIndex { $0.name == field }.map { .diagnostic($0) }
  }

  private func cells(at place: Place) -> Int {
    switch place {
    case .variable(let v): context.layout.range(v).count
    case .diagnostic: context.layout.cells
    }
  }

  /// A field of the truth at time number `t`.
  private func values(at place: Place, in nature: NatureRun, time t: Int) -> [Double] {
    let (layout, n) = (context.layout, cells(at: place))
    switch place {
    case .variable(let v):
      let first = t * layout.count + layout.offsets[v]
      return Array(nature.states[first..<first + n])
    case .diagnostic(let d): return Array(nature.diagnostics[d][t * n..<(t + 1) * n])
    }
  }

  private func columns(_ cells: [String]) -> String {
    zip(cells, [28, 6, 9, 11, 8, 13, 7]).enumerated().map { i, cell in
      let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
      return i < 2 ? cell.0 + padding : padding + cell.0
    }.joined(separator: " ")
  }
}
