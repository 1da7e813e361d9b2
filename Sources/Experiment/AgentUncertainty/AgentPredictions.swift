import DaunceArchive
import DaunceEnsemble
import DaunceMPI
import DaunceObservations
import DaunceState
import DaunceUncertainty

/// Predicts series by a design of ensembles, and writes what is predicted time by time.
final class AgentPredictions {
  /// Of all that has been predicted, on rank 0.
  private(set) var scores: FieldScores

  private let laws: FieldLaws
  private let ensembles: AgentEnsembles
  private let rows: ElementRows
  private let settings: UncertaintyConfiguration.Agents
  private let checkpoints: Checkpoints
  private let progress: any ProgressReporter
  private let communicator: Communicator
  private let writer: FieldPredictionWriter?
  private var record: FieldPredictionRecord
  /// Rows of the present truth, for a checkpoint; only where there are any.
  private var kept: [Float] = []
  /// Bytes of rows that were kept since the last time that this was too much.
  private var unwritten = 0

  /// Bytes of rows after which they are better written than kept.
  private static let most = 256 << 20

  /// - Parameter path: of the file; `nil` on ranks that write nothing.
  init(
    _ contents: FieldPredictionContents, _ residuals: ResidualLaw, _ ensembles: AgentEnsembles,
    _ settings: UncertaintyConfiguration.Agents, path: String?, provenance: Provenance, checkpoints: Checkpoints,
    progress: any ProgressReporter, communicator: Communicator
  ) throws {
    (self.ensembles, self.settings, self.checkpoints) = (ensembles, settings, checkpoints)
    (self.progress, self.communicator) = (progress, communicator)
    laws = FieldLaws(contents, residuals)
    scores = FieldScores(contents.layout)
    rows = ElementRows(ensembles, samples: settings.samples, communicator: communicator)
    record = FieldPredictionRecord(for: contents)
    writer = try path.map {
      try FieldPredictionWriter(path: $0, contents: contents, provenance: provenance.titled("predictive laws of fields"))
    }
  }

  /// Completes the file.
  func finish() throws { try writer?.finish() }

  /// Predicts truths of an experiment. Collective.
  func predict(_ truths: SharedTruths, _ context: ExperimentContext) throws {
    progress.begin("predictions", total: truths.seeds.count)
    for k in truths.seeds.indices {
      let truth = try truths.truth(k)
      let done = checkpoints.take(section(k))
      let saved: [Float]? = try done?.values("rows")
      kept = []
      if saved == nil { try ensembles.begin(try context.initialMembers(of: truth), seed: truth.seed) }
      for cycle in 1...truth.cycles {
        if saved == nil { try ensembles.advance(truth.observations[cycle - 1], cycle: cycle) }
        let isScored = cycle > context.configuration.truths.spinupCycles
        let isWritten = cycle % settings.every == 0
        guard isScored || isWritten else { continue }
        try present(saved)
        guard communicator.isRoot else { continue }
        let first = cycle * context.layout.count
        let state = Array(truth.states[first..<first + context.layout.count])
        if isScored { scores.add(rows, laws, truth: state) }
        if isWritten { try write(time: cycle / settings.every - 1, truth: k, state) }
      }
      scores.endTruth()
      progress.advance(to: k + 1)
      keep(k)
      // Nothing is lost where all was in a checkpoint.
      if saved == nil { try checkpoints.atBoundary(place: "predictions \(k + 1) of \(truths.seeds.count)") {} }
    }
    progress.end()
  }

  /// Predicts a user's series at its observation times. Collective.
  func predict(_ series: ObservedSeries, seed: UInt64) throws {
    progress.begin("predictions", total: series.cycles.count)
    let members = (0..<ensembles.design.members).map { series.initial($0) }
    try ensembles.begin(members, seed: seed, origin: series.origin)
    var time = 0
    for (k, observations) in series.cycles.enumerated() {
      let cycle = k + 1
      try ensembles.advance(observations, cycle: cycle)
      progress.advance(to: cycle)
      guard series.recorded.contains(cycle) else { continue }
      try rows.gather()
      if communicator.isRoot {
        scores.add(rows, laws, truth: nil)
        try write(time: time, truth: 0, nil)
      }
      time += 1
    }
    progress.end()
  }

  private func write(time: Int, truth: Int, _ state: [Double]?) throws {
    laws.fill(&record, from: rows)
    if let state { record.truth = state.map { Float($0) } }
    try writer?.add(record, time: time, truth: truth)
  }

  // MARK: Going on

  private func section(_ truth: Int) -> String { "predictions-\(truth)" }

  /// The next rows: what the ensembles say now, or what a checkpoint has.
  private func present(_ saved: [Float]?) throws {
    guard let saved else {
      try rows.gather()
      if checkpoints.isOn { kept += rows.all }
      return
    }
    guard communicator.isRoot else { return }
    let width = rows.all.count
    guard saved.count >= kept.count + width else { throw SnapshotError(name: "rows", found: "\(saved.count) numbers") }
    rows.replay(saved[kept.count..<kept.count + width])
    kept += rows.all
  }

  private func keep(_ truth: Int) {
    guard checkpoints.isOn else { return }
    var snapshot = Snapshot()
    snapshot.set("rows", kept)
    unwritten += 4 * kept.count
    if unwritten > Self.most { (checkpoints.isUrgent, unwritten) = (true, 0) }
    checkpoints.set(section(truth), snapshot, members: 0)
  }
}
