import DaunceArchive
import DaunceEnsemble
import DaunceModels
import DaunceState

/// Streams analyses to a file on rank 0.
package final class AnalysisRecorder {
  /// File that is written.
  let path: String
  private let context: ExperimentContext
  private let writer: AnalysisWriter
  private var record: AnalysisRecord
  private let times: [Double]
  private var written: [Int]
  /// Records that no checkpoint has yet, one after the other, and the truth of each; kept only if they will be asked for.
  private var unsaved: [Double] = []
  private var unsavedTruths: [Int64] = []

  /// Elements of a state whose covariance a file can have at every time.
  private static let mostForCovariance = 4096

  /// - Parameters:
  ///   - times: of the analyses, the same for every truth.
  ///   - seeds: of the truths along a leading dimension; `nil` for a file of one series.
  ///   - weights: of the members; empty: none beside equal ones.
  package init(
    _ context: ExperimentContext, path: String, times: [Double], seeds: [UInt64]?, output: OutputFolder, title: String,
    weights: [Double] = []
  ) throws {
    guard !context.configuration.output.covariance || context.layout.count <= Self.mostForCovariance else {
      throw ExperimentError(
        .data, "key output.covariance", found: "true for \(context.layout.count) elements",
        expected: "false, or a state of at most \(Self.mostForCovariance)")
    }
    self.path = path
    self.context = context
    self.times = times
    written = (seeds ?? [0]).map { _ in 0 }
    var contents = AnalysisContents(
      layout: context.layout, diagnostics: context.traits.diagnostics.map(\.name), memberCount: context.configuration.members,
      cycles: times.count, truthSeeds: seeds)
    contents.keepsMembers = context.configuration.output.members
    contents.keepsCovariance = context.configuration.output.covariance
    contents.weights = weights
    contents.keepsStatus = ForecastCare.isNeeded(context)
    contents.clock = context.clock
    record = AnalysisRecord(for: contents)
    writer = try AnalysisWriter(path: path, contents: contents, provenance: output.provenance.titled(title))
  }

  /// Adds the analysis of the next time of a truth.
  ///
  /// - Parameter status: what became of the members' forecasts, by their numbers from the beginning.
  package func add(_ summary: AnalysisSummary, truth: Int = 0, status: [MemberStatus] = []) throws {
    let count = context.layout.count
    record.time = times[written[truth]]
    record.mean.fill(from: summary.mean, at: 0)
    record.spread.fill(from: summary.spread, at: 0)
    record.diagnosticMean.fill(from: summary.mean, at: count)
    record.diagnosticSpread.fill(from: summary.spread, at: count)
    let numbers = summary.numbers
    if numbers.count < context.configuration.members { forgetMembers() }
    if !summary.energy.isEmpty { for (m, number) in numbers.enumerated() { record.energies[number] = summary.energy[m] } }
    for (number, one) in status.enumerated() where !record.status.isEmpty { record.status[number] = one.rawValue }
    var bounded = 0
    for (v, variable) in context.layout.fields.enumerated() where variable.lowerBound != nil {
      var least = Double.infinity
      summary.members.withUnsafeBufferPointer { members in
        for m in numbers.indices {
          for i in context.layout.range(v) { least = min(least, members[m * count + i]) }
        }
      }
      record.minima[bounded] = least
      bounded += 1
    }
    if !record.members.isEmpty {
      for (m, number) in numbers.enumerated() {
        for i in 0..<count { record.members[number * count + i] = summary.members[m * count + i] }
      }
    }
    let equal = [Double](repeating: 1 / Double(numbers.count), count: numbers.count)
    addCovariance(of: summary.members, equal, summary.mean, to: &record.covariance)
    if let weighted = summary.weighted {
      record.weightedMean.fill(from: weighted.mean, at: 0)
      record.weightedSpread.fill(from: weighted.spread, at: 0)
      record.quantiles.fill(from: weighted.quantiles, at: 0)
      record.weightedQuantiles.fill(from: weighted.weightedQuantiles, at: 0)
      addCovariance(of: summary.members, weighted.weights, weighted.mean, to: &record.weightedCovariance)
    }
    try append(record, truth: truth)
  }

  /// Members that are gone have no values.
  private func forgetMembers() {
    for i in record.energies.indices { record.energies[i] = .nan }
    for i in record.members.indices { record.members[i] = .nan }
  }

  /// Covariance of members with weights of sum 1, unbiased; nothing where it is not kept.
  private func addCovariance(of members: [Double], _ weights: [Double], _ mean: [Double], to covariance: inout [Double]) {
    guard !covariance.isEmpty else { return }
    let count = context.layout.count
    let unbiased = 1 - weights.reduce(0) { $0 + $1 * $1 }
    for k in covariance.indices { covariance[k] = 0 }
    for (m, weight) in weights.enumerated() where unbiased > 1e-12 {
      for i in 0..<count {
        let d = weight / unbiased * (members[m * count + i] - mean[i])
        for j in 0..<count { covariance[i * count + j] += d * (members[m * count + j] - mean[j]) }
      }
    }
  }

  private func append(_ record: AnalysisRecord, truth: Int) throws {
    try writer.append(record, truth: truth)
    written[truth] += 1
    guard context.checkpoints.isOn else { return }
    unsavedTruths.append(Int64(truth))
    unsaved.append(contentsOf: record.numbers)
    // Not much more than the memory of a rank's other things.
    if unsaved.count > 1 << 23 { context.checkpoints.isUrgent = true }
  }

  /// What was recorded since the last call, for a checkpoint.
  func takeUnsaved() -> Snapshot {
    var snapshot = Snapshot()
    snapshot.set("truths", unsavedTruths)
    snapshot.set("records", unsaved)
    unsaved.removeAll(keepingCapacity: true)
    unsavedTruths.removeAll(keepingCapacity: true)
    return snapshot
  }

  /// Records again what a checkpoint has.
  func replay(_ snapshot: Snapshot) throws {
    let truths: [Int64] = try snapshot.values("truths")
    let width = record.numbers.count
    let numbers: [Double] = try snapshot.values("records", count: truths.count * width)
    for (k, truth) in truths.enumerated() {
      guard written.indices.contains(Int(truth)) else { throw SnapshotError(name: "truths", found: "\(truth)") }
      var record = record
      record.numbers = Array(numbers[k * width..<(k + 1) * width])
      try writer.append(record, truth: Int(truth))
      written[Int(truth)] += 1
    }
  }

  /// Marks the remaining times of a truth as missing, after a failure.
  func giveUp(truth: Int = 0) throws {
    var missing = AnalysisRecord(for: writer.contents)
    while written[truth] < times.count {
      missing.time = times[written[truth]]
      try append(missing, truth: truth)
    }
  }

  /// Completes the file with what there is, after an error that ends the job.
  func abandon() throws {
    for truth in written.indices { try giveUp(truth: truth) }
    try finish()
  }

  /// Completes the file.
  ///
  /// - Returns: its digest.
  @discardableResult
  func finish() throws -> UInt64 { try writer.finish() }
}

extension [Double] {
  /// Takes the elements of `source` from `start` on, as many as there are here.
  fileprivate mutating func fill(from source: [Double], at start: Int) {
    precondition(start >= 0 && start + count <= source.count || isEmpty)
    withUnsafeMutableBufferPointer { target in
      source.withUnsafeBufferPointer { source in
        guard let to = target.baseAddress, let from = source.baseAddress else { return }
        to.update(from: from + start, count: target.count)
      }
    }
  }
}
