import DaunceConstraints
import DaunceEnsemble
import DaunceMPI
import DaunceState

extension ExperimentContext {
  /// Runs one method over all test truths and scores it; goes on where a checkpoint left it.
  ///
  /// - Parameters:
  ///   - make: the method for the truth with a seed.
  ///   - recorder: takes every analysis, on rank 0 only.
  ///   - weights: of the members, beside equal ones.
  /// - Returns: a score a truth on rank 0, nothing elsewhere.
  func assess(
    _ name: String, truths: [TrajectoryStream], band: Band?, recorder: AnalysisRecorder?,
    weights: [Double] = [], make: (_ seed: UInt64) throws -> AssimilationMethod
  ) throws -> [TruthScore] {
    let summary = AnalysisSummary(self, weights: weights)
    let changes = UpdateChanges(self)
    var resumePoint = ResumePoint(name)
    var scores: [TruthScore] = []
    var saved = try resumePoint.resume(checkpoints, recorder: recorder)
    if let saved, communicator.isRoot { scores = try saved.decode("scores") }
    // Of many cycles, they are what is counted.
    let unit = truths.first.map { $0.isWhole ? 1 : $0.cycles } ?? 1
    progress.begin(name, total: truths.count * unit)
    let report = ProgramReport(self)
    for (k, truth) in truths.enumerated().dropFirst(resumePoint.truth) {
      let method = try make(truth.seed)
      var ensemble = try makeInitialEnsemble(around: truth.initial, seed: truth.seed)
      let scorer = communicator.isRoot ? Scorer(self, truth: truth, band: band) : nil
      try begin(method, &ensemble, summary, scorer, from: saved)
      let first = saved == nil ? 0 : resumePoint.cycle
      saved = nil
      var status = method.memberStatus
      let failure = try assimilate(
        method, &ensemble, cycles: truth.cycles, after: first, place: "truth \(k + 1) by \(name)",
        observations: {
          try truth.reach($0)
          return truth.observations(of: $0)
        },
        inspect: changes.map { changes in { changes.begin($0) } }
      ) { cycle, ensemble, seconds in
        if let change = try changes?.end(ensemble) { scorer?.add(change) }
        try summary.summarise(ensemble)
        scorer?.add(method.memberStatus, before: status)
        status = method.memberStatus
        scorer?.add(summary, cycle: cycle, seconds: truth.isTimed(cycle) ? seconds : nil)
        if isRecorded(cycle) { try recorder?.add(summary, truth: k, status: status) }
        if !truth.isWhole { progress.advance(to: k * truth.cycles + cycle) }
        // The other ranks do their next forecasts while rank 0 scores, and no clock would show what a cycle takes. So
        // before some cycles they wait.
        if truth.isTimed(cycle + 1) { try communicator.barrier() }
      } save: { cycle, ensemble in
        var snapshot = Snapshot()
        try method.save(ensemble, into: &snapshot)
        try scorer?.save(into: &snapshot)
        try snapshot.encode("scores", scores)
        (resumePoint.truth, resumePoint.cycle) = (k, cycle)
        resumePoint.keep(&snapshot, in: self, recorder: recorder)
      } abandon: {
        try recorder?.abandon()
        return recorder?.path
      }
      if let scorer {
        if let failure {
          scorer.fail(at: failure)
          progress.note("\(name): failed at cycle \(failure) of truth \(truth.seed)")
          try recorder?.giveUp(truth: k)
        }
        scores.append(scorer.score)
      }
      progress.advance(to: (k + 1) * unit)
    }
    progress.end()
    try report?.tell(name)
    resumePoint.discard(checkpoints)
    return scores
  }

  /// A truth's start: where a checkpoint has it, or at the initial ensemble.
  private func begin(
    _ method: AssimilationMethod, _ ensemble: inout DistributedEnsemble, _ summary: AnalysisSummary, _ scorer: Scorer?,
    from saved: Snapshot?
  ) throws {
    if let saved {
      try method.restore(&ensemble, from: saved)
      try scorer?.restore(from: saved)
    } else {
      try summary.summarise(ensemble)
      scorer?.begin(summary)
    }
  }
}
