import DaunceArchive
import DaunceAssimilation
import DaunceEnsemble
import DaunceMPI
import DaunceObservations
import DaunceState
import Foundation

/// The work of `analyze` after everything was read and found right.
final class AnalysisRun {
  private let problem: AnalyzeStage.Problem
  private let configuration: AnalysisConfiguration
  private let communicator: Communicator
  private let progress: any ProgressReporter
  private let output: OutputFolder
  private var flags: [QualityFlag]
  private var outcome = AnalysisOutcome()

  init(_ stage: AnalyzeStage, _ problem: AnalyzeStage.Problem, output: OutputFolder) throws {
    self.problem = problem
    configuration = stage.configuration
    communicator = stage.communicator
    progress = stage.progress
    self.output = output
    flags = problem.observations.flags
  }

  private var layout: StateLayout { problem.layout }
  private var members: Int { problem.members }
  private var rows: ObservationRows { problem.observations.rows }

  func run() throws -> String {
    let start = ContinuousClock.now
    let (part, partition, memberValues) = try forecast()
    let observed = try select(memberValues)
    if outcome.used.isEmpty {
      progress.note("no usable observation: the analysis is the forecast")
    }
    let before = FieldMoments(part)
    let constraints = BoundedSums(
      layout, partition: partition, fields: problem.conserved, communicator: communicator)
    try constraints.remember(part)
    progress.begin("update", total: 1)
    let updateStart = ContinuousClock.now
    let tiles = partition.tiles[partition.tiles(of: communicator.rank)]
    let report = try communicator.collectively {
      let analysis = LocalAnalysis(
        layout: layout, method: try kernel, inflation: try inflation, seed: configuration.seed,
        rotates: configuration.filter.rotation, operators: problem.observations.operators)
      return try analysis.update(part, tiles: tiles, observed: observed, localization: problem.localization)
    }
    progress.end()
    let updateEnd = ContinuousClock.now
    let updated = FieldMoments(part)
    try communicator.collectively { try checkFinite(updated, before: before, first: part.elements.lowerBound) }
    if constraints.isNeeded {
      let held = try constraints.project(part, moved: updated.variance(whereNot: before))
      outcome.outside = try communicator.allreduce(Int64(held.outside), .sum)
      outcome.residual = held.residual
      guard held.residual <= 1e-6 else {
        throw ExperimentError(
          .data, "keys state.conserve and state.bounds",
          found: "sums within the bounds that miss those of the forecast by \(held.residual) of their size",
          expected: "bounds that members with these sums can keep")
      }
    }
    outcome.reached = try communicator.allreduce(Int64(report.reached), .sum)
    outcome.mostLocal = try communicator.allreduce(Int64(report.mostLocal), .max)
    outcome.missing = try communicator.allreduce(Int64(report.missing), .sum)
    try write(part, before: before, partition: partition)
    if configuration.output.timings {
      try tellTimings([updateStart - start, updateEnd - updateStart, ContinuousClock.now - updateEnd])
    }
    return AnalysisReport(problem, configuration: configuration).summary(outcome, flags: flags)
  }

  /// Tells what each part took on its slowest rank. Collective.
  private func tellTimings(_ parts: [Duration]) throws {
    var slowest = parts.map { $0 / .seconds(1) }
    try communicator.allreduce(&slowest, .max)
    let words = zip(["reading", "update", "writing"], slowest).map { "\($0) \(String(format: "%.3f", $1)) s" }
    progress.note("on the slowest rank: \(words.joined(separator: ", "))")
  }

  /// - Throws: `ExperimentError` naming the first field that the update has broken: nothing of it is to be written.
  private func checkFinite(_ updated: FieldMoments, before: FieldMoments, first: Int) throws {
    for i in updated.mean.indices where !updated.mean[i].isFinite && before.mean[i].isFinite {
      let field = layout.fields.indices.first { layout.range($0).contains(first + i) }
      throw ExperimentError(
        .data, "field \(field.map { layout.fields[$0].name } ?? "")",
        found: "a value that is not finite after the update (h(x), values or error variances are too large)",
        expected: "numbers of a size that squares do not overflow")
    }
  }

  private var kernel: LocalAnalysis.Method {
    get throws {
      guard let entry = LocalEntry.registry[configuration.method.rawValue] else {
        throw ExperimentError(.bug, "method \(configuration.method.rawValue) is not registered")
      }
      try configuration.filter.nonlinear.checkLaws(in: layout)
      return entry.method(configuration.filter.nonlinear, configuration.filter.nudging)
    }
  }

  private var inflation: Inflation {
    get throws {
      let filter = configuration.filter
      return try Inflation(
        factor: filter.inflation, relaxation: filter.rtps, perturbationRelaxation: filter.rtpp)
    }
  }

  /// Members' h(x) that files give, by candidate.
  private var given: [Int: [Double]] {
    let known = problem.observations.memberValues
    guard !known.isEmpty else { return [:] }
    var given: [Int: [Double]] = [:]
    for (k, number) in problem.observations.candidates.enumerated() { given[k] = known[number] }
    return given
  }

  // MARK: Forecast

  /// Reads the members, applies h, and exchanges them for parts.
  ///
  /// - Returns: this rank's part, and h(x) of every member on every rank (`[member][candidate]`).
  private func forecast() throws -> (PartialEnsemble, StatePartition, [Double]) {
    let transposition = Transposition(layout: layout, owners: problem.owners, communicator: communicator)
    let partition = transposition.partition
    let part = PartialEnsemble(elements: partition.elements(of: communicator.rank), members: members)
    let own = problem.owners[communicator.rank]
    let count = rows.count
    let given = self.given
    var values = [Double](repeating: 0, count: own.count * count)
    var failures = [Int32](repeating: 0, count: count)
    progress.begin("members", total: own.count)
    try transposition.collect(into: part) { member, state in
      try problem.files.read(member: member, into: &state)
      let span = state.span
      for k in 0..<count {
        let value = given[k]?[member] ?? rows.value(k, of: span)
        values[(member - own.lowerBound) * count + k] = value
        if !value.isFinite {
          let flag: QualityFlag = rows.touches(k, where: { span[$0].isNaN }) ? .outside : .operatorFailed
          failures[k] = max(failures[k], flag.rawValue)
        }
      }
      progress.advance(to: member - own.lowerBound + 1)
    }
    progress.end()
    try communicator.allreduce(&failures, .max)
    for (k, failure) in failures.enumerated() {
      if let flag = QualityFlag(rawValue: failure), flag != .used { flags[problem.observations.candidates[k]] = flag }
    }
    var all = [Double](repeating: 0, count: members * count)
    try communicator.allgatherv(values, into: &all, counts: problem.owners.map { $0.count * count })
    return (part, partition, all)
  }

  /// Leaves out what failed or lies too far from the forecast.
  private func select(_ memberValues: [Double]) throws -> ObservedEnsemble {
    let observations = problem.observations
    let count = rows.count
    for (k, number) in observations.candidates.enumerated() where flags[number] == .used {
      guard let limit = configuration.observations.outlier else { continue }
      let (mean, variance) = Self.moments((0..<members).map { memberValues[$0 * count + k] })
      let innovation = observations.values[number] - mean
      if innovation * innovation > limit * limit * (variance + observations.errorVariances[number]) {
        flags[number] = .outlier
      }
    }
    let kept = observations.candidates.indices.filter { flags[observations.candidates[$0]] == .used }
    let numbers = kept.map { observations.candidates[$0] }
    outcome.used = numbers
    outcome.forecastValues = memberValues
    let values =
      kept.count == count
      ? memberValues : (0..<members).flatMap { m in kept.map { memberValues[m * count + $0] } }
    return ObservedEnsemble(
      places: numbers.map { observations.places[$0] }, kinds: numbers.map { observations.kind[$0] },
      laws: numbers.map { observations.listedLaws[observations.kind[$0]] ?? .gaussian }, values: numbers.map { observations.values[$0] }, errorVariances: numbers.map { observations.errorVariances[$0] },
      memberValues: values, members: members)
  }

  /// Mean and unbiased variance.
  static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, sum / Double(max(1, values.count - 1)))
  }

  // MARK: Output

  /// Everything is written under temporary names first.
  private func write(_ part: PartialEnsemble, before: FieldMoments, partition: StatePartition) throws {
    // One process writes to one file.
    let isSingle = problem.files.isSingle
    let owners = isSingle ? (0..<communicator.size).map { $0 == 0 ? 0..<members : 0..<0 } : problem.owners
    let own = owners[communicator.rank]
    let transposition = Transposition(layout: layout, owners: owners, communicator: communicator)
    let writer = try communicator.collectively {
      own.isEmpty ? nil : try ModelFilesWriter(problem.files, folder: output.url.path, members: own)
    }
    let count = rows.count
    var values = [Double](repeating: 0, count: own.count * count)
    progress.begin("writing", total: max(1, own.count))
    let given = self.given
    try transposition.distribute(part) { member, state in
      for k in 0..<count {
        // Nobody knows what the files' h(x) would be of the analysis.
        values[(member - own.lowerBound) * count + k] = given[k] == nil ? rows.value(k, of: state) : .nan
      }
      try writer?.write(member: member, state)
      progress.advance(to: member - own.lowerBound + 1)
    }
    try communicator.collectively { try writer?.finish() }
    progress.end()
    var all = [Double](repeating: 0, count: communicator.isRoot ? members * count : 0)
    try communicator.gatherv(values, into: &all, counts: owners.map { $0.count * count })
    outcome.analysisValues = all
    if configuration.output.increments { try writeIncrements(part, before: before, partition: partition) }
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try AnalyzedObservationsFile.write(
        problem.observations, flags: flags, outcome: outcome, layout: layout, members: members,
        to: output.path("observations.nc"), provenance: output.provenance.titled("observations of an analysis"))
    }
    try communicator.collectively { try writer?.publish() }
  }

  private func writeIncrements(_ part: PartialEnsemble, before: FieldMoments, partition: StatePartition) throws {
    let after = FieldMoments(part)
    let counts = (0..<communicator.size).map { partition.elements(of: $0).count }
    var gathered: [[Float]] = []
    for values in [zip(after.mean, before.mean).map { $0 - $1 }, before.spread, after.spread] {
      var all = [Float](repeating: 0, count: communicator.isRoot ? layout.count : 0)
      try communicator.gatherv(values.map { Float($0) }, into: &all, counts: counts)
      gathered.append(all)
    }
    try communicator.collectively {
      guard communicator.isRoot else { return }
      try IncrementsFile.write(
        increment: gathered[0], forecastSpread: gathered[1], analysisSpread: gathered[2], layout: layout,
        to: output.path("increments.nc"), provenance: output.provenance.titled("increments of an analysis"))
    }
  }
}

/// What an analysis did.
struct AnalysisOutcome {
  /// Numbers of the observations that were used.
  var used: [Int] = []
  /// h(x) of the forecast and the analysis (`[member][candidate]`); the analysis on rank 0 only.
  var forecastValues: [Double] = []
  var analysisValues: [Double] = []
  /// Elements in reach of an observation, elements with missing values there, and most observations of one element.
  var reached: Int64 = 0
  var missing: Int64 = 0
  var mostLocal: Int64 = 0
  /// Analysed values that were outside of their bounds, and the largest relative error of a sum that is kept.
  var outside: Int64 = 0
  var residual = 0.0
}

/// Mean and spread of each element of a part.
struct FieldMoments {
  let mean: [Double]
  /// Standard deviation, divisor N - 1.
  let spread: [Double]

  /// Variance of the elements whose moments differ from earlier ones, 0 elsewhere.
  func variance(whereNot before: FieldMoments) -> [Double] {
    mean.indices.map { i in
      mean[i] != before.mean[i] || spread[i] != before.spread[i] ? spread[i] * spread[i] : 0
    }
  }

  init(_ part: PartialEnsemble) {
    let members = part.members
    var (mean, spread) = ([Double](), [Double]())
    mean.reserveCapacity(part.elements.count)
    spread.reserveCapacity(part.elements.count)
    for element in part.elements {
      let row = part.row(element)
      let first = row[0]
      var (sum, squares) = (0.0, 0.0)
      for m in 0..<members {
        let difference = row[m] - first
        sum += difference
        squares += difference * difference
      }
      let share = sum / Double(members)
      mean.append(first + share)
      spread.append((max(0, squares - sum * share) / Double(max(1, members - 1))).squareRoot())
    }
    self.mean = mean
    self.spread = spread
  }
}
